/** What comes of one environment. */

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from '../setup/run.mjs';
import { runTests } from './run-tests.mjs';

/**
 * Never throws: where the product does not begin, or the tests end without a report, that is the one failure, and the
 * other environments have their turn.
 *
 * @param {string} name of the environment
 * @param {import('./run-tests.mjs').Setting} setting
 * @param {string[]} files of tests
 */
export async function resultIn(name, setting, files) {
  let what = '';
  try {
    what = whatRuns(setting);
    return { name, what, totals: await runTests(files, setting) };
  } catch (error) {
    return { name, what, totals: { passed: 0, failed: 1, skipped: 0, failures: [explained(error)] } };
  }
}

function explained({ message, signal }) {
  return signal ? `ended by ${signal}: ${message}` : message;
}

/** As the product itself says it, there. */
function whatRuns({ node = process.execPath, prefix = [], env = {} }) {
  const index = pathToFileURL(join(ROOT, 'dist/index.js')).href;
  const script = `import { status } from '${index}';
    const { provider, libcrypto } = status();
    console.log([process.version, provider.name + ' ' + provider.version, libcrypto.version].join(', '));`;
  const [program, ...args] = [...prefix, node, '--input-type=module', '-e', script];
  return execFileSync(program, args, { env: { ...process.env, ...env }, encoding: 'utf8' }).trim();
}
