#!/usr/bin/env node
/**
 * What prebuildify runs for node-gyp: the same build by cmake-js. Its arguments name a version of Node and where to put
 * its headers, neither of which a Node-API addon needs.
 */

import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const args = [require.resolve('cmake-js/bin/cmake-js'), 'rebuild', '--CDCALLSEAL_PORTABLE=ON'];
const toolchain = process.env.CALLSEAL_TOOLCHAIN;
if (toolchain) args.push(`--CDCMAKE_TOOLCHAIN_FILE=${toolchain}`);
const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
process.exitCode = status ?? 1;
