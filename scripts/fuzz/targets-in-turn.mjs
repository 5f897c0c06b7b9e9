/** One target after the other, and what came of all. */

import { relative } from 'node:path';

/**
 * @typedef {object} Target
 * @property {string} name
 * @property {() => Promise<void>} [prepare]
 * @property {(seconds: number, stop: AbortSignal) => Promise<object>} run
 * @property {() => Promise<void>} [minimise]
 */

/**
 * A target that cannot be run is told of, and the others are run all the same.
 *
 * @param {Target[]} targets
 * @param {{ seconds: number, minimise?: boolean }} options
 * @param {AbortSignal} stop
 * @returns {Promise<number>} the exit code
 */
export async function fuzz(targets, options, stop) {
  const results = [];
  for (const target of targets) {
    if (stop.aborted) break;
    const result = await outcome(target, options, stop);
    results.push(result);
    console.log(line(result));
  }
  return summary(results, targets.length);
}

async function outcome(target, { seconds, minimise }, stop) {
  const result = { name: target.name, findings: [] };
  try {
    await target.prepare?.();
    console.log(`${target.name}: ${seconds} s`);
    Object.assign(result, await target.run(seconds, stop));
    if (minimise && !stop.aborted && result.findings.length === 0) await target.minimise?.();
  } catch (error) {
    console.log(`${target.name}: ${error.message}`);
    result.fault = error.message.split('\n')[0];
  }
  return result;
}

function line({ name, fault, executions, seconds, edges, entries, findings }) {
  if (fault !== undefined) return `${name}: failed: ${fault}`;
  const speed = seconds > 0 ? Math.round(executions / seconds) : 0;
  const covered = edges === null ? '' : `, ${edges} edges, ${entries} new corpus entries`;
  const found = findings.length === 0 ? 'nothing found' : `${findings.length} found`;
  return `${name}: ${executions} executions in ${Math.round(seconds)} s (${speed}/s)${covered}, ${found}`;
}

function summary(results, wanted) {
  console.log(`\n${results.map(line).join('\n')}`);
  const left = wanted - results.length;
  if (left > 0) console.log(`interrupted: ${left} ${left === 1 ? 'target was' : 'targets were'} not run`);
  const findings = results.flatMap((result) => result.findings);
  for (const path of findings) console.log(`found: ${relative(process.cwd(), path)}`);
  if (findings.length > 0) return 1;
  return results.some(({ fault }) => fault !== undefined) ? 2 : 0;
}
