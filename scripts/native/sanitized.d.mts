export interface SanitizedBuild {
  directory: string;
  sanitizers: string;
}

export const SANITIZED: SanitizedBuild;
export const THREAD_SANITIZED: SanitizedBuild;

export function sanitizedBuild(
  build: SanitizedBuild,
  options: { compiler: string; fuzzers?: boolean; targets?: string[] },
): string[][];
