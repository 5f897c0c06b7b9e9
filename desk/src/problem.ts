/** What went wrong, as the desk told it. */

import type { Problem } from '../../lib/desk/protocol.ts';

export class DeskError extends Error {
  readonly code: Problem['code'];

  constructor({ code, message }: Problem) {
    super(message);
    this.code = code;
  }
}

/** What an answer that is no success says. */
export async function readProblem(response: Response): Promise<Problem> {
  try {
    return ((await response.json()) as { problem: Problem }).problem;
  } catch {
    return { code: 'ERR_DESK', message: `the desk answered ${response.status}` };
  }
}

/** Anything thrown, as a problem. */
export function problemOf(error: unknown): Problem {
  if (error instanceof DeskError) return { code: error.code, message: error.message };
  return { code: 'ERR_DESK', message: 'the desk does not answer; is callseal desk still running in its terminal?' };
}
