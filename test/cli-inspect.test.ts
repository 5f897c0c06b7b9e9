/** `callseal inspect` and `callseal verify`: what people read, what programs read. */

import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { callseal, shell } from './helpers/cli.ts';
import { barePublicKey, certify, keyIdOf, makeKeyPair, openssl } from './helpers/keys.ts';
import { tempDir } from './helpers/temp.ts';

let cwd: string;

beforeEach(async () => {
  cwd = tempDir();
  makeKeyPair(cwd, { name: 'mary' });
  makeKeyPair(cwd, { name: 'fred' });
  makeKeyPair(cwd, { name: 'stranger' });
  writeFileSync(at('bare.pem'), barePublicKey(at('fred_cert.crt'), 'spki'));
  writeFileSync(at('call'), 'x'.repeat(1234));
  const run = await callseal(['encrypt', '-r', 'mary_cert.crt', '-r', 'bare.pem', 'call'], { cwd });
  expect(run.status, run.stderr).toBe(0);
});

const at = (name: string): string => join(cwd, name);
const inspect = (...args: string[]) => callseal(['inspect', ...args], { cwd });
const verify = (...args: string[]) => callseal(['verify', '-k', 'mary_private.key', ...args], { cwd });
const json = (bytes: Buffer) =>
  JSON.parse(bytes.toString()) as { files: Record<string, unknown>[]; passedOver: number };

function damage(name: string, index: number): void {
  const bytes = readFileSync(at('call.sealed'));
  const place = index < 0 ? bytes.length + index : index;
  bytes[place] = bytes[place]! ^ 1;
  writeFileSync(at(name), bytes);
}

describe('inspect', () => {
  it('shows who can open a file, its sizes and its state', async () => {
    const run = await inspect('call.sealed');
    const text = run.stdout.toString();
    expect([run.status, run.stderr]).toEqual([0, '']);
    const [serial, sha256] = ['-serial', '-fingerprint'].map(
      (what) => openssl('x509', '-in', at('mary_cert.crt'), '-noout', what, '-sha256').toString().trim().split('=')[1]!,
    );
    expect(text).toContain('  state     complete\n');
    expect(text).toContain('1.2 kB (1,234 bytes) decrypted');
    expect(text).toContain('opens with any one of these 2 keys');
    expect(text).toMatch(
      /1 {2}emailAddress=support@mycompany\.com,CN=mary,OU=MySoftware,O=MyCompany,L=San Diego,ST=CA,C=US/,
    );
    expect(text).toContain('issuer   itself');
    expect(text).toMatch(new RegExp(`serial +${serial!.toLowerCase()}\n`));
    expect(text).toMatch(/RSA 2048 bits, expires \d{4}-\d\d-\d\d \(in 36[45] days\)/);
    expect(text).toContain(sha256!.replaceAll(':', '').toLowerCase());
    expect(text).toContain(keyIdOf(at('mary_cert.crt')));
    expect(text).toContain('2  a bare public key, RSA 2048 bits (no name, no expiry)');
    expect(text).toContain('not authenticated until callseal verify');
  });

  it('works without a native module and without a FIPS provider', async () => {
    const run = await callseal(['inspect', 'call.sealed'], { cwd, env: { CALLSEAL_FIPS_DIR: '/nowhere' } });
    expect(run.status).toBe(0);
  });

  it('writes documented JSON', async () => {
    const run = await inspect('--json', 'call.sealed');
    const { files, passedOver } = json(run.stdout);
    const [file] = files;
    expect([run.status, files.length, passedOver]).toEqual([0, 1, 0]);
    expect(Object.keys(file!).sort()).toEqual(
      [
        ...['file', 'exitCode', 'error', 'version', 'suite', 'fileId', 'createdAt', 'recipients', 'headerBytes'],
        ...['segmentLength', 'segments', 'fileBytes', 'plaintextBytes', 'complete', 'state', 'problem', 'signer'],
      ].sort(),
    );
    expect(file).toMatchObject({
      file: 'call.sealed',
      exitCode: 0,
      error: null,
      state: 'complete',
      plaintextBytes: 1234,
    });
    const [mary, bare] = file!.recipients as Record<string, unknown>[];
    expect(Object.keys(mary!.certificate as object).sort()).toEqual([
      'daysLeft',
      'issuer',
      'notAfter',
      'notBefore',
      'serial',
      'sha256',
      'subject',
    ]);
    expect(mary).toMatchObject({ keyWrap: 'RSA-OAEP-SHA256', bits: 2048, keyId: keyIdOf(at('mary_cert.crt')) });
    expect(bare!.certificate).toBeNull();
    const documented = readFileSync(new URL('../docs/cli.md', import.meta.url), 'utf8');
    for (const key of [...Object.keys(file!), ...Object.keys(mary!.certificate as object)]) {
      expect(documented).toContain(`\`${key}\``);
    }
  });

  it('tells expired certificates, which still decrypt', async () => {
    certify(cwd, at('mary_private.key'), { from: '20200101000000Z', to: '20210101000000Z', file: 'old.crt' });
    await callseal(['encrypt', '-r', 'old.crt', '--expired', 'warn', '-o', 'old', 'call'], { cwd });
    const run = await inspect('old');
    expect(run.stdout.toString()).toMatch(/expired 2021-01-01 \([\d,]+ days ago\)/);
    expect((await verify('old')).status).toBe(0);
  });

  it('ends with the state of the file', async () => {
    writeFileSync(at('cut'), readFileSync(at('call.sealed')).subarray(0, -5));
    const cut = await inspect('cut');
    expect([cut.status, cut.stdout.toString()]).toEqual([
      8,
      expect.stringMatching(/state +incomplete \(truncated\): its last segment has/),
    ]);
    writeFileSync(at('long'), Buffer.concat([readFileSync(at('call.sealed')), Buffer.alloc(3)]));
    const long = await inspect('long');
    expect([long.status, long.stdout.toString()]).toEqual([7, expect.stringMatching(/state +damaged: 3 bytes follow/)]);
    const other = await inspect('call');
    expect([other.status, other.stdout.toString()]).toEqual([9, '']);
    expect(other.stderr).toContain('callseal: inspect: call is not a Callseal file');
    const [element] = json((await inspect('--json', 'cut')).stdout).files;
    expect(element).toMatchObject({
      exitCode: 8,
      error: { code: 'ERR_TRUNCATED' },
      state: 'truncated',
      plaintextBytes: null,
    });
  });

  it('of several files goes on, in their order, and ends with 20', async () => {
    truncateSync(at('mary_cert.crt'), 0);
    const run = await inspect('--json', 'gone', 'call.sealed', 'mary_cert.crt', 'call.sealed');
    expect(run.status).toBe(20);
    expect(json(run.stdout).files.map(({ file, exitCode }) => [file, exitCode])).toEqual([
      ['gone', 13],
      ['call.sealed', 0],
      ['mary_cert.crt', 9],
      ['call.sealed', 0],
    ]);
  });

  it('passes over foreign files of a directory, but not those with our suffix', async () => {
    mkdirSync(at('calls'));
    writeFileSync(at('calls/foreign.wav'), 'RIFF');
    writeFileSync(at('calls/inplace'), readFileSync(at('call.sealed')));
    const good = await inspect('--json', '-R', 'calls');
    expect([good.status, json(good.stdout).passedOver, json(good.stdout).files.length]).toEqual([0, 1, 1]);
    writeFileSync(at('calls/lost.sealed'), 'zeroed by a crash');
    const bad = await inspect('-R', 'calls');
    expect(bad.status).toBe(20);
    expect(bad.stderr).toContain('calls/lost.sealed');
    expect(bad.stderr).toContain('1 file complete, 1 not, 1 passed over');
  });

  it('shows names from files as they are, not as a terminal would take them', async () => {
    const subject = '/CN=evil\u202egnp.exe/O=a\u001b[2Jb';
    openssl(
      'req',
      '-x509',
      '-nodes',
      '-newkey',
      'rsa:2048',
      '-utf8',
      '-subj',
      subject,
      '-keyout',
      at('e.key'),
      '-out',
      at('e.crt'),
    );
    expect((await callseal(['encrypt', '-r', 'e.crt', '-o', 'e', 'call'], { cwd })).status).toBe(0);
    for (const run of [await inspect('e'), await inspect('--json', 'e')]) {
      expect(run.status).toBe(0);
      expect(run.stdout.toString()).toContain('evil');
      for (const c of ['\u001b', '\u202e']) expect(run.stdout.toString()).not.toContain(c);
    }
  });

  it('survives that nobody reads its output', async () => {
    const run = await shell('callseal inspect call.sealed | head -c 1; exit $PIPESTATUS', { cwd });
    expect([run.stdout.length, run.stderr]).toEqual([1, '']);
    expect([0, 141]).toContain(run.status);
  });
});

describe('verify', () => {
  it('says that a file is authentic, and writes nothing', async () => {
    const run = await verify('call.sealed');
    expect([run.status, run.stdout.length]).toEqual([0, 0]);
    expect(run.stderr).toBe(
      `callseal: verify: call.sealed: authentic and complete, 1.2 kB decrypted, key id ${keyIdOf(at('mary_cert.crt'))}\n`,
    );
    const quiet = await verify('--quiet', 'call.sealed');
    expect([quiet.status, quiet.stdout.length, quiet.stderr]).toEqual([0, 0, '']);
  });

  it('finds what inspect cannot see', async () => {
    damage('body', -1);
    damage('subject', 400);
    for (const name of ['body', 'subject']) {
      expect((await inspect(name)).status).toBe(0);
      expect((await verify(name)).status).toBe(7);
    }
  });

  it('writes JSON, also for a batch that partly failed', async () => {
    damage('bad.sealed', -1);
    const run = await verify('--json', '--quiet', 'call.sealed', 'bad.sealed', 'gone');
    expect(run.status).toBe(20);
    expect(json(run.stdout).files).toEqual([
      {
        file: 'call.sealed',
        exitCode: 0,
        error: null,
        inputBytes: expect.any(Number),
        plaintextBytes: 1234,
        keyId: keyIdOf(at('mary_cert.crt')),
        signer: null,
      },
      { file: 'bad.sealed', exitCode: 7, error: { code: 'ERR_TAMPERED', message: expect.any(String) } },
      { file: 'gone', exitCode: 13, error: { code: 'ERR_IO', message: 'gone: no such file' } },
    ]);
  });

  it('of a directory counts what is not ours, and fails for the wrong key', async () => {
    mkdirSync(at('calls'));
    writeFileSync(at('calls/foreign'), 'x');
    writeFileSync(at('calls/a.sealed'), readFileSync(at('call.sealed')));
    const run = await verify('-R', 'calls');
    expect([run.status, run.stderr]).toEqual([0, expect.stringContaining('1 left alone: not Callseal files')]);
    expect((await callseal(['verify', '-k', 'stranger_private.key', 'call.sealed'], { cwd })).status).toBe(5);
  });
});
