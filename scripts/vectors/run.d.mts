import type { TestModule } from './module.mjs';

export interface FileReport {
  format: string;
  algorithm: string;
  passed: number;
  byProduct: number;
  failures: { name: string; message: string }[];
  notApplicable: Map<string, number>;
}

export function vectorFiles(paths: string[]): string[];
export function runFile(path: string, module: TestModule): Promise<FileReport | null>;
