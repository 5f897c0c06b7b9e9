/** A program: makes the checks of `callseal doctor`, whose process starts it and hears of each result. */

import { existsSync } from 'node:fs';
import { DEFAULT_CONFIG_PATH } from '../config/index.ts';
import type { Patient } from '../doctor/check.ts';
import { type CheckResult, examine } from '../doctor/doctor.ts';
import { refuseCoreDumps } from '../native/load.ts';
import { DEFAULT_DIRECTORY, type Referral } from './doctor-process.ts';
import { storeWithoutName } from './keys/hierarchy-options.ts';
import { placesInTurn } from './keys/installation-options.ts';

refuseCoreDumps();
process.once('message', async (referral: Referral) => {
  const sent: Promise<unknown>[] = [];
  const send = (result: CheckResult): void => {
    sent.push(new Promise((resolve) => process.send!(result, resolve)));
  };
  await examine(patientOf(referral), referral.earlier, send);
  await Promise.all(sent);
  process.exit();
});
// Nobody hears any more what is found. Any other end would wait for calls that hang.
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));

function patientOf({ config, directories, store, places, agent, now, earlier: _, ...named }: Referral): Patient {
  return {
    ...named,
    config: config ?? (existsSync(DEFAULT_CONFIG_PATH) ? DEFAULT_CONFIG_PATH : null),
    directories: directories ?? (existsSync(DEFAULT_DIRECTORY) ? [DEFAULT_DIRECTORY] : []),
    store: store ?? storeWithoutName(named.stateDirectory),
    passphraseFiles: places.filter(({ kind }) => kind === 'file').map(({ name }) => name),
    ...(places.length > 0 && { passphrase: placesInTurn(places) }),
    agent: new URL(agent),
    now: new Date(now),
  };
}
