/**
 * Has the checks made by a process of their own: a call to a file system that is gone never comes back, and neither the
 * thread that made it nor its process can then end by itself. Who waits here can.
 */

import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import { count } from '../wording.ts';
import { error, type Finding } from './check.ts';
import { CHECKS, type CheckResult } from './doctor.ts';

export interface Attendance {
  /** Starts a process that makes the checks that are left, and sends the result of each as a message. */
  start(earlier: readonly CheckResult[]): ChildProcess;
  /** Seconds that one check may take. */
  readonly patience: number;
  readonly signal: AbortSignal;
}

/** Milliseconds for a process that has nothing left to do to end. */
const FAREWELL = 500;

/**
 * All checks. One that does not answer, or that its process does not survive, has failed; those behind it are made by
 * another process.
 *
 * @param done called with each result as it comes
 * @throws the reason of the signal
 */
export async function attend(attendance: Attendance, done: (result: CheckResult) => void): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  const tell = (result: CheckResult): void => {
    results.push(result);
    done(result);
  };
  for (let next = CHECKS[0]; next !== undefined; next = CHECKS[results.length]) {
    attendance.signal.throwIfAborted();
    const fault = await examinedBy(attendance.start(results), attendance, tell, () => results.length === CHECKS.length);
    attendance.signal.throwIfAborted();
    const lost = CHECKS[results.length];
    if (lost !== undefined) tell({ check: lost.name, severity: 'error', findings: [fault] });
  }
  return results;
}

/** Until the process ends, by itself or by us. What to say of the check that it was at. */
async function examinedBy(
  child: ChildProcess,
  { patience, signal }: Attendance,
  tell: (result: CheckResult) => void,
  complete: () => boolean,
): Promise<Finding> {
  return new Promise((resolve) => {
    let said = '';
    const end = (fault: Finding): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', interrupted);
      abandon(child);
      resolve(fault);
    };
    const interrupted = (): void => end(died('it was interrupted'));
    const late = (): void => end(silence(patience));
    let timer = setTimeout(late, patience * 1000);
    signal.addEventListener('abort', interrupted, { once: true });
    child.on('message', (result: CheckResult) => {
      clearTimeout(timer);
      tell(result);
      timer = setTimeout(late, complete() ? FAREWELL : patience * 1000);
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-1000);
    });
    child.once('error', (problem) => end(died(problem.message)));
    child.once('close', (status, name) => end(died(name === null ? `exit code ${status}` : signalText(name), said)));
  });
}

/** Whatever state it is in; a process that even SIGKILL does not reach is not waited for. */
function abandon(child: ChildProcess): void {
  child.kill('SIGKILL');
  if (child.connected) child.disconnect();
  child.stderr?.destroy();
  child.unref();
}

function silence(patience: number): Finding {
  const message = `did not answer in ${count(patience, 'second')}: a file system or a server that it asks may be gone`;
  const remedy = 'findmnt shows what is mounted; when it is only slow: callseal doctor --patience 300';
  return error('no-answer', message, null, remedy);
}

function died(how: string, said = ''): Finding {
  const line = said.split('\n').find((each) => /error/i.test(each));
  const message = `the process that looked ended before it had answered: ${how}${line === undefined ? '' : `; ${line}`}`;
  return error('died', message, null, 'callseal doctor once more; when it is so again, report it with this line');
}

const signalText = (name: NodeJS.Signals): string => `${name} (signal ${constants.signals[name]})`;
