/** Finds vector files, recognises them and runs every case in them. */

import { readFileSync, statSync } from 'node:fs';
import { basename, extname } from 'node:path';
import { filesBelow } from '../files-below.mjs';
import { readCavpDerivation } from './formats/cavp-derivation.mjs';
import { readCavpRsa } from './formats/cavp-rsa.mjs';
import { readCavpSymmetric } from './formats/cavp-symmetric.mjs';
import { floeMessagePath, readFloePair } from './formats/floe-pairs.mjs';
import { readKeyFile } from './formats/key-files.mjs';
import { readRsaExamples } from './formats/rsa-examples.mjs';
import { readWycheproof } from './formats/wycheproof.mjs';
import { NotApplicable } from './verdict.mjs';

/** Each takes `{ path, text, module }` and returns a suite, or null when the file is not of its format. */
const FORMATS = [
  readWycheproof,
  readFloePair,
  readKeyFile,
  readRsaExamples,
  readCavpRsa,
  readCavpSymmetric,
  readCavpDerivation,
];

/** What is looked at inside a folder; a file named itself is always looked at. */
const VECTOR_EXTENSIONS = new Set(['.json', '.rsp', '.txt', '.pem', '.der', '.key', '.pk8', '.p8', '.p12', '.pfx']);

/**
 * The files behind files and folders, each once and in order. The two files of a FLOE pair count as one, the message.
 *
 * @throws with `code` ENOENT when one does not exist
 */
export function vectorFiles(paths) {
  const found = paths.flatMap((path) => (statSync(path).isDirectory() ? filesIn(path) : [path]));
  return [...new Set(found.map((path) => floeMessagePath(path) ?? path))];
}

function filesIn(folder) {
  return filesBelow(folder).filter((path) => VECTOR_EXTENSIONS.has(extname(path)) && !/^readme/i.test(basename(path)));
}

/**
 * Runs every case of a file.
 *
 * @returns null when no format recognises the file; else `{ format, algorithm, passed, byProduct, failures,
 *   notApplicable }`: how many passed, how many of these also went through the product's own classes, the failures as
 *   `{ name, message }`, and the numbers of cases not applicable by reason
 */
export async function runFile(path, module) {
  const suite = recognise({ path, text: readFileSync(path, 'utf8'), module });
  if (suite === null) return null;
  const report = {
    format: suite.format,
    algorithm: suite.algorithm,
    passed: 0,
    byProduct: 0,
    failures: [],
    notApplicable: new Map(),
  };
  for (const { name, run } of suite.cases) await runCase(name, run, module, report);
  const { announced = suite.cases.length } = suite;
  if (announced !== suite.cases.length || suite.cases.length === 0) {
    report.failures.push({ name: 'the file', message: `announces ${announced} cases and holds ${suite.cases.length}` });
  }
  return report;
}

function recognise(file) {
  for (const format of FORMATS) {
    const suite = format(file);
    if (suite !== null) return suite;
  }
  return null;
}

async function runCase(name, run, module, report) {
  try {
    if (await run(module)) report.byProduct += 1;
    report.passed += 1;
  } catch (error) {
    if (error instanceof NotApplicable) {
      report.notApplicable.set(error.message, (report.notApplicable.get(error.message) ?? 0) + 1);
    } else {
      report.failures.push({ name, message: error?.message ?? String(error) });
    }
  }
}
