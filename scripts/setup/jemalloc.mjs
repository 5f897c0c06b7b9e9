/** The library that is preloaded to see how Callseal does with another allocator than the C library's. */

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Its path, or undefined when it is not installed. */
export function jemalloc() {
  const directories = ['/usr/lib64', '/usr/lib', ...multiarch(), '/usr/local/lib'];
  return directories.map((directory) => join(directory, 'libjemalloc.so.2')).find((path) => existsSync(path));
}

function multiarch() {
  const names = readdirSync('/usr/lib').filter((name) => name.endsWith('-linux-gnu'));
  return names.map((name) => join('/usr/lib', name));
}
