/** Runs in a worker: opens a key hierarchy with many working keys, and counts what its installation key does. */

import { join } from 'node:path';
import { costOf } from '../../dist/bench/cost.js';
import { KeyHierarchy, openInstallation } from '../../dist/keys/index.js';

/** Working keys of one area, as a service that rotates now and then has them. */
const VERSIONS = 10;
/** What an installation key does with its private half. */
const PRIVATE_OPERATIONS = ['sign', 'unwrap', 'unwrapMaster'];

let options;
let operations = 0;
let rsaSeconds = 0;

/** Makes a store with `count` working keys. */
export async function make(directory, installationKey, count) {
  options = {
    store: `sqlite:${join(directory, 'keys.db')}`,
    stateDirectory: join(directory, 'state'),
    installation: counted(await openInstallation({ key: installationKey })),
    actor: 'bench',
  };
  const keys = await KeyHierarchy.open(options);
  for (let index = 0; index < count; index += 1) await keys.working.rotate(`area-${Math.floor(index / VERSIONS)}`);
  await keys.close();
}

/** What opening it costs: time, RSA private operations, and the time from the beginning to the end of each. */
export async function open() {
  operations = 0;
  rsaSeconds = 0;
  let keys;
  const { seconds } = await costOf(async () => {
    keys = await KeyHierarchy.open(options);
  });
  await keys.close();
  return { seconds, operations, rsaSeconds };
}

function counted({ key, id, destroy }) {
  const methods = new Proxy(key, {
    get(target, name) {
      const value = target[name];
      if (typeof value !== 'function') return value;
      if (!PRIVATE_OPERATIONS.includes(name)) return value.bind(target);
      return async (...args) => {
        operations += 1;
        const started = performance.now();
        try {
          return await value.apply(target, args);
        } finally {
          rsaSeconds += (performance.now() - started) / 1000;
        }
      };
    },
  });
  return { key: methods, id, destroy };
}
