#!/usr/bin/env node
/**
 * Runs outside test vectors against the native module: `npm run vectors -- FILE…`.
 *
 * Files or folders of Wycheproof, NIST CAVP, PKCS #1 examples, FLOE known answers and private keys: docs/vectors.md. Every
 * case is run and counted. Exit codes: 0 all passed or are not applicable, 1 some failed, 2 a file is missing or of no
 * known format, or the module cannot be loaded.
 */

import { describeModule, openModule } from './vectors/module.mjs';
import { runFile, vectorFiles } from './vectors/run.mjs';

const MAX_FAILURES_SHOWN = 10;
const USAGE = `usage: npm run vectors -- FILE|FOLDER…

Recognises Wycheproof JSON, NIST CAVP text, PKCS #1 examples, FLOE pairs (NAME_ct.txt, NAME_pt.txt) and private-key
files, and runs every case. See docs/vectors.md.`;

async function main(args) {
  if (args.includes('--help')) return say(USAGE, 0);
  if (args.length === 0) return say(USAGE, 2);
  const files = vectorFiles(args);
  const module = await openModule();
  const totals = { files: 0, passed: 0, byProduct: 0, failed: 0, notApplicable: 0, unknown: 0 };
  for (const path of files) {
    const report = await runFile(path, module);
    print(path, report);
    add(totals, report);
  }
  console.log(`${describeModule(module)}`);
  console.log(summary(totals));
  if (totals.failed > 0) return 1;
  return totals.unknown > 0 || totals.files === 0 ? 2 : 0;
}

function print(path, report) {
  if (report === null) {
    console.log(`${path}: not recognised as a file of test vectors`);
    return;
  }
  const { format, algorithm, passed, byProduct, failures, notApplicable } = report;
  const absent = [...notApplicable.values()].reduce((sum, count) => sum + count, 0);
  console.log(`${path} (${format}, ${algorithm})`);
  const product = byProduct > 0 ? ` (${byProduct} of them through Callseal's own code too)` : '';
  console.log(`  ${passed} passed${product}, ${failures.length} failed, ${absent} not applicable`);
  for (const [reason, count] of notApplicable) console.log(`  ${count} n/a: ${reason}`);
  for (const { name, message } of failures.slice(0, MAX_FAILURES_SHOWN)) console.log(`  FAILED ${name}: ${message}`);
  if (failures.length > MAX_FAILURES_SHOWN)
    console.log(`  … and ${failures.length - MAX_FAILURES_SHOWN} more failures`);
}

function add(totals, report) {
  if (report === null) {
    totals.unknown += 1;
    return;
  }
  totals.files += 1;
  totals.passed += report.passed;
  totals.byProduct += report.byProduct;
  totals.failed += report.failures.length;
  for (const count of report.notApplicable.values()) totals.notApplicable += count;
}

function summary({ files, passed, byProduct, failed, notApplicable, unknown }) {
  const unread = unknown === 0 ? '' : `, ${unknown} files not recognised`;
  return (
    `${files} files: ${passed} passed (${byProduct} through Callseal's own code too), ${failed} failed, ` +
    `${notApplicable} not applicable${unread}`
  );
}

function say(text, exitCode) {
  console.log(text);
  return exitCode;
}

main(process.argv.slice(2)).then(
  (exitCode) => {
    process.exitCode = exitCode;
  },
  (error) => {
    const unbuilt = ['ERR_MODULE_NOT_FOUND', 'ERR_NATIVE_UNAVAILABLE'].includes(error.code);
    console.error(`vectors: ${error.message}${unbuilt ? '; run `npm run setup` first' : ''}`);
    process.exitCode = 2;
  },
);
