export interface Outcome {
  executions: number;
  seconds: number;
  edges: number | null;
  entries: number;
  findings: string[];
}

export interface Target {
  name: string;
  prepare?: () => Promise<void>;
  run: (seconds: number, stop: AbortSignal) => Promise<Outcome>;
  minimise?: () => Promise<void>;
}

export function fuzz(
  targets: Target[],
  options: { seconds: number; minimise?: boolean },
  stop: AbortSignal,
): Promise<number>;
