/** `callseal export-cms` and `import-cms`: names and exit codes. */

import { randomBytes } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { callseal } from './helpers/cli.ts';
import { partnerDecrypts } from './helpers/cms.ts';
import { type KeyPair, makeKeyPair } from './helpers/keys.ts';
import { tempDir } from './helpers/temp.ts';

const CONTENT = randomBytes(100_000);
let sealed: Buffer;
let partner: KeyPair;
let cwd: string;

const at = (name: string): string => join(cwd, name);
const exportCms = (...args: string[]) => callseal(['export-cms', '-k', 'my_private.key', ...args], { cwd });
const importCms = (...args: string[]) => callseal(['import-cms', '-k', 'my_private.key', ...args], { cwd });

function lay(directory: string): void {
  makeKeyPair(directory, { name: 'my' });
  const pair = makeKeyPair(directory, { name: 'partner' });
  partner = { certificate: join(directory, 'partner.crt'), privateKey: join(directory, 'partner.key') };
  renameSync(pair.certificate, partner.certificate);
  renameSync(pair.privateKey, partner.privateKey);
}

beforeAll(async () => {
  const directory = tempDir();
  lay(directory);
  writeFileSync(join(directory, 'call'), CONTENT);
  const run = await callseal(['encrypt', '-r', 'my_cert.crt', 'call'], { cwd: directory });
  expect(run.status, run.stderr).toBe(0);
  sealed = readFileSync(join(directory, 'call.sealed'));
});

beforeEach(() => {
  cwd = tempDir();
  lay(cwd);
  writeFileSync(at('call.callsre.sealed'), sealed);
});

describe('export-cms', () => {
  it('puts .cms in the place of .sealed, for one file and for a directory', async () => {
    const run = await exportCms('-r', 'partner.crt', 'call.callsre.sealed');
    expect([run.status, run.stdout.toString(), run.stderr]).toEqual([0, '', '']);
    expect(partnerDecrypts(at('call.callsre.cms'), partner).equals(CONTENT)).toBe(true);
    expect(statSync(at('call.callsre.cms')).mode & 0o777).toBe(0o600);
    mkdirSync(at('calls/day'), { recursive: true });
    for (const name of ['one.sealed', 'day/two.sealed', 'day/notes']) writeFileSync(at(`calls/${name}`), sealed);
    const many = await exportCms('-r', 'partner.crt', '-R', '--output-dir', 'outbox', '--pem', 'calls');
    expect([many.status, many.stderr]).toEqual([0, expect.stringMatching(/2 files exported .*1 passed over/)]);
    expect(partnerDecrypts(at('outbox/day/two.cms'), partner, 'PEM').equals(CONTENT)).toBe(true);
  });

  it('says what it needs, and ends with the code of what went wrong', async () => {
    const nobody = await exportCms('call.callsre.sealed');
    expect([nobody.status, nobody.stderr]).toEqual([2, expect.stringMatching(/-r CERT or --config FILE/)]);
    writeFileSync(at('call.callsre.cms'), 'precious');
    const exists = await exportCms('-r', 'partner.crt', 'call.callsre.sealed');
    expect([exists.status, exists.stderr]).toEqual([13, expect.stringMatching(/--force replaces/)]);
    writeFileSync(at('cut.sealed'), sealed.subarray(0, -1));
    expect((await exportCms('-r', 'partner.crt', 'cut.sealed')).status).toBe(8);
    expect(existsSync(at('cut.cms'))).toBe(false);
    const batch = await exportCms('-r', 'partner.crt', '--force', 'cut.sealed', 'call.callsre.sealed');
    expect([batch.status, batch.stderr]).toEqual([20, expect.stringMatching(/1 file exported .*1 failed/)]);
  });
});

describe('import-cms', () => {
  beforeEach(async () => {
    const run = await exportCms('-r', 'my_cert.crt', '-r', 'partner.crt', '-o', 'call.cms', 'call.callsre.sealed');
    expect(run.status, run.stderr).toBe(0);
  });

  it('puts .sealed in the place of .cms', async () => {
    const run = await importCms('-r', 'partner.crt', 'call.cms');
    expect([run.status, run.stdout.toString(), run.stderr]).toEqual([0, '', '']);
    const back = await callseal(['decrypt', '-k', 'partner.key', '-o', 'back', 'call.sealed'], { cwd });
    expect(back.status, back.stderr).toBe(0);
    expect(readFileSync(at('back')).equals(CONTENT)).toBe(true);
  });

  it('takes the recipients of a configuration', async () => {
    writeFileSync(at('client_property.conf'), `LOGGING_ENCRYPTION_KEY=${at('partner.crt')}\n`);
    const run = await importCms('--config', 'client_property.conf', 'call.cms');
    expect([run.status, existsSync(at('call.sealed'))], run.stderr).toEqual([0, true]);
  });

  it('ends with the code of what went wrong', async () => {
    const codes = async (...args: string[]) => {
      const { status, stderr } = await importCms('-r', 'my_cert.crt', ...args);
      return [status, stderr];
    };
    copyFileSync(at('partner.crt'), at('other.crt'));
    expect(await codes('--cert', 'other.crt', 'call.cms')).toEqual([5, expect.stringMatching(/its certificate/)]);
    expect(await codes('--cert', 'my_private.key', 'call.cms')).toEqual([4, expect.stringMatching(/certificate/)]);
    expect(await codes('call.callsre.sealed')).toEqual([9, expect.stringMatching(/is a Callseal file/)]);
    const message = readFileSync(at('call.cms'));
    writeFileSync(at('cut.cms'), message.subarray(0, -1));
    expect(await codes('cut.cms')).toEqual([8, expect.stringMatching(/cut\.cms: the message ends/)]);
    message[message.length - 1]! ^= 1;
    writeFileSync(at('altered.cms'), message);
    expect(await codes('altered.cms')).toEqual([7, expect.stringMatching(/altered\.cms: .*authentication/)]);
    expect(readdirSync(cwd).filter((name) => /^\.|^(cut|altered)\.sealed/.test(name))).toEqual([]);
  });
});
