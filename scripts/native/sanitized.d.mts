export const SANITIZED: string;
export function sanitizedBuild(options: { compiler: string; fuzzers: boolean; targets?: string[] }): string[][];
