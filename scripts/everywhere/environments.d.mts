import type { Setting } from './run-tests.mjs';

export interface Environment {
  name: string;
  /** Throws, with the reason, when it cannot be had here. */
  prepare(): Setting | Promise<Setting>;
}

export const ENVIRONMENTS: Environment[];
export const COMBINED: Environment;
