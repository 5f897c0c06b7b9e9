/** Signed files in every command that reads, writes or changes files: the same options, the same exit codes. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { encryptFile, inspect, KeyRing, Recipients, verify } from '../lib/index.ts';
import { callseal } from './helpers/cli.ts';
import { makeKeyPair, openssl } from './helpers/keys.ts';
import { makeHost, type SigningHost } from './helpers/signers.ts';
import { tempDir } from './helpers/temp.ts';

const CONTENT = Buffer.from('a caller says something\n'.repeat(200));
const cwd = tempDir();
const at = (name: string): string => join(cwd, name);
const run = (...args: string[]) => callseal(args, { cwd });
let host: SigningHost;
let keys: KeyRing;

beforeAll(async () => {
  const mary = makeKeyPair(cwd, { name: 'mary' });
  host = await makeHost('P-256', 'ivr-host-7');
  writeFileSync(at('host.crt'), readFileSync(host.certificate));
  writeFileSync(at('other.crt'), readFileSync((await makeHost('P-384', 'other')).certificate));
  writeFileSync(at('pass'), 'correct horse\n');
  openssl('pkcs8', '-topk8', '-in', host.privateKey, '-out', at('host.key'), '-passout', 'pass:correct horse');
  keys = new KeyRing([mary.privateKey]);
  const recipients = await Recipients.load([mary.certificate]);
  writeFileSync(at('call'), CONTENT);
  await encryptFile(at('call'), at('signed.sealed'), { recipients, signer: host.signer, segmentLength: 1024 });
  await encryptFile(at('call'), at('unsigned.sealed'), { recipients });
});

const copy = (name: string, change: (file: Buffer) => Buffer = (file) => file): string => {
  writeFileSync(at(name), change(readFileSync(at('signed.sealed'))));
  return name;
};
const SIGN = ['--sign-key', 'host.key', '--sign-cert', 'host.crt', '--sign-passphrase-file', 'pass'];
const OPEN = ['-k', 'mary_private.key'];

describe('signed files that are read in part', () => {
  it('are those of a required signer, or end with 21', async () => {
    const range = ['decrypt', ...OPEN, '--range', '2-7', '-o', '-'];
    const taken = await run(...range, '--require-signer', 'host.crt', 'signed.sealed');
    expect([taken.status, `${taken.stdout}`]).toEqual([0, 'caller']);
    for (const args of [range, ['tail', ...OPEN], ['export-cms', ...OPEN, '-r', 'mary_cert.crt', '-o', 'no.cms']]) {
      const refused = await run(...args, '--require-signer', 'other.crt', 'signed.sealed');
      expect([refused.status, refused.stdout.length], args[0]).toEqual([21, 0]);
    }
    const tailed = await run('tail', ...OPEN, '--require-signer', 'host.crt', 'signed.sealed');
    expect([tailed.status, tailed.stdout.equals(CONTENT)]).toEqual([0, true]);
  });

  it('and whose signature has no end are recovered, which is said', async () => {
    copy('cut.sealed', (file) => file.subarray(0, -5));
    const recovered = await run('decrypt', ...OPEN, '--recover', '-o', 'recovered', 'cut.sealed');
    expect([recovered.status, readFileSync(at('recovered')).equals(CONTENT)]).toEqual([22, true]);
    expect(recovered.stderr).toContain(
      'all of its content is there, but the end of the signature of its writer is not',
    );
    expect(recovered.stderr).toContain('began the file, not what is in it');
    const tailed = await run('tail', ...OPEN, 'cut.sealed');
    expect([tailed.status, tailed.stdout.equals(CONTENT)]).toEqual([22, true]);

    copy('wrong.sealed', (file) => Buffer.concat([file.subarray(0, -1), Buffer.from([(file.at(-1) as number) ^ 1])]));
    const refused = await run('decrypt', ...OPEN, '--recover', '-o', 'none', 'wrong.sealed');
    expect([refused.status, refused.stderr.includes('signature')]).toEqual([7, true]);
  });
});

describe('signed files that are written', () => {
  it('by the agent open for who requires its host', async () => {
    const calls = tempDir();
    writeFileSync(join(calls, 'one.callsre'), CONTENT);
    const once = ['agent', '--once', '--watch', calls, '--quiet-seconds', '0', '-r', 'mary_cert.crt'];
    expect(await run(...once, ...SIGN)).toMatchObject({ status: 0 });
    const { signer } = await verify(join(calls, 'one.callsre.sealed'), { keys, requireSigner: host.required });
    expect(signer?.certificate?.subject).toContain('ivr-host-7');
  });

  it('by rekey are signed anew, or lose their signature when that is asked for', async () => {
    const rekey = (...more: string[]) => run('rekey', ...OPEN, '-r', 'mary_cert.crt', ...more);
    const refused = await rekey(copy('kept.sealed'));
    expect([refused.status, refused.stderr.includes('--drop-signature')]).toEqual([2, true]);
    expect(readFileSync(at('kept.sealed')).equals(readFileSync(at('signed.sealed')))).toBe(true);
    expect((await rekey(...SIGN, '--require-signer', 'host.crt', 'unsigned.sealed')).status).toBe(21);

    expect((await rekey(...SIGN, '--require-signer', 'host.crt', copy('anew.sealed'))).status).toBe(0);
    expect((await verify(at('anew.sealed'), { keys, requireSigner: host.required })).signer?.trusted).toBe(true);
    expect((await rekey('--drop-signature', copy('dropped.sealed'))).status).toBe(0);
    expect((await inspect(at('dropped.sealed'))).signer).toBeNull();
    const queued = await rekey(...SIGN, '--queue', 'postgres://localhost/none', copy('queued.sealed'));
    expect([queued.status, queued.stderr.includes('--sign-key')]).toEqual([2, true]);
  });

  it('by import-cms say who has imported them', async () => {
    expect((await run('export-cms', ...OPEN, '-r', 'mary_cert.crt', '-o', 'call.cms', 'signed.sealed')).status).toBe(0);
    const imported = ['import-cms', ...OPEN, '-r', 'mary_cert.crt', ...SIGN, '-o', 'imported.sealed', 'call.cms'];
    expect((await run(...imported)).status).toBe(0);
    await verify(at('imported.sealed'), { keys, requireSigner: host.required });
  });
});

describe('report', () => {
  it('counts signed files, and for each who is named as the signer', async () => {
    const folder = tempDir();
    for (const name of ['a.sealed', 'b.sealed']) writeFileSync(join(folder, name), readFileSync(at('signed.sealed')));
    writeFileSync(join(folder, 'c.sealed'), readFileSync(at('unsigned.sealed')));
    const { signers, totals, leftOut } = JSON.parse(`${(await run('report', '--json', folder)).stdout}`);
    const { keyId, algorithm, certificate } = host.signer.info;
    const bytes = 2 * readFileSync(at('signed.sealed')).length;
    const { subject, sha256 } = certificate as NonNullable<typeof certificate>;
    expect(signers).toEqual([{ subject, keyId, certificate: sha256, algorithm, files: 2, bytes }]);
    expect([totals.callFiles.signed, totals.callFiles.complete, leftOut.signers]).toEqual([2, 3, 0]);
    const text = `${(await run('report', folder)).stdout}`;
    expect(text).toContain('3 of them complete, 2 signed');
    expect(text).toMatch(/Who is named as their signer[\s\S]*ivr-host-7.*ECDSA-P256-SHA256/);
    await run('report', '--html', 'page.html', folder);
    expect(readFileSync(at('page.html'), 'utf8')).toContain('Who is named as their signer');
  });
});
