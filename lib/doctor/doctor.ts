/** Everything that an operator gets wrong, looked at in one go: `callseal doctor`. */

import { CallsealError } from '../errors.ts';
import { type Check, error, type Finding, note, type Patient, type Severity, worst } from './check.ts';
import { agent } from './checks/agent.ts';
import { binary } from './checks/binary.ts';
import { clock } from './checks/clock.ts';
import { configuration } from './checks/configuration.ts';
import { disk } from './checks/disk.ts';
import { fips } from './checks/fips.ts';
import { limits } from './checks/limits.ts';
import { nodeVersion } from './checks/node-version.ts';
import { permissions } from './checks/permissions.ts';
import { store } from './checks/store.ts';

/** What one check found. */
export interface CheckResult {
  readonly check: string;
  /** That of its worst finding. */
  readonly severity: Severity;
  readonly findings: readonly Finding[];
}

/** In the order in which trouble of one explains trouble of the next. */
export const CHECKS: readonly Check[] = [
  nodeVersion,
  binary,
  fips,
  configuration,
  permissions,
  clock,
  disk,
  store,
  agent,
  limits,
];

/**
 * Makes the checks that are left. Changes nothing and asks nobody; never throws for what it finds.
 *
 * @param earlier the results of those that were made
 * @param done called with each result as it comes
 */
export async function examine(
  patient: Patient,
  earlier: readonly CheckResult[],
  done: (result: CheckResult) => void,
): Promise<void> {
  const results = [...earlier];
  for (const check of CHECKS.slice(earlier.length)) {
    const result = await examineOne(check, patient, brokenModule(results));
    results.push(result);
    done(result);
  }
}

/** The check that found why no key or certificate can be worked with. */
function brokenModule(results: readonly CheckResult[]): string | undefined {
  return results.find(({ check, severity }) => (check === 'binary' || check === 'fips') && severity === 'error')?.check;
}

async function examineOne(check: Check, patient: Patient, broken: string | undefined): Promise<CheckResult> {
  const findings =
    check.needsModule === true && broken !== undefined
      ? [note('not-examined', `not examined: ${broken} comes first, as this needs the cryptographic module`)]
      : await check.examine(patient).catch((problem: unknown) => [failure(problem)]);
  return { check: check.name, severity: worst(findings.map(({ severity }) => severity)), findings };
}

function failure(problem: unknown): Finding {
  if (problem instanceof CallsealError) return error(problem.code, problem.message, problem.path ?? null);
  const message = problem instanceof Error ? problem.message : String(problem);
  return error('unexpected', `could not be examined: ${message}`);
}
