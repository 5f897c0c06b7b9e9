/** SQLite's result codes as libsql's errors carry them; https://www.sqlite.org/rescode.html. */

export const BUSY = 5;
export const LOCKED = 6;
export const CORRUPT = 11;
export const CONSTRAINT = 19;

/** With the extension. libsql puts the code of a failed opening at the end of its words. */
export function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined;
  const raw = 'rawCode' in error ? Number(error.rawCode) : Number(/: (\d+)"?\)?$/.exec(error.message)?.[1]);
  return Number.isInteger(raw) ? raw : undefined;
}

export function primaryCode(error: unknown): number | undefined {
  const result = resultCode(error);
  return result === undefined ? undefined : result & 0xff;
}

/** Whether another connection was in the way, which passes. */
export function isHeldByOthers(error: unknown): boolean {
  const code = primaryCode(error);
  return code === BUSY || code === LOCKED;
}
