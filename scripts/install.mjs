// npm's install step: keeps a native binary that loads on this machine, compiles one otherwise.
//
// Not node-gyp-build-test: that loads the addon by plain require(), which binds it to the OpenSSL inside the node executable,
// and the addon rightly refuses that.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const require = createRequire(import.meta.url);

function binaryLoads() {
  try {
    const path = require('node-gyp-build').resolve(root);
    process.dlopen({ exports: {} }, path, constants.dlopen.RTLD_NOW | (constants.dlopen.RTLD_DEEPBIND ?? 0));
    return true;
  } catch {
    return false;
  }
}

function compile() {
  const cmakeJs = require.resolve('cmake-js/bin/cmake-js');
  const args = [cmakeJs, 'compile', '--CDCALLSEAL_WARNINGS_ARE_ERRORS=OFF'];
  return spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' }).status === 0;
}

if (!binaryLoads() && !(compile() && binaryLoads())) {
  console.error(`
callseal: there is no prebuilt native module for ${process.platform}-${process.arch} and it could not be compiled here.
Install a C++17 compiler, cmake and the OpenSSL 3 headers, then install it again.
  Debian, Ubuntu:  apt-get install g++ make cmake libssl-dev
  RHEL family:     dnf install gcc-c++ make cmake openssl-devel`);
  process.exit(1);
}
