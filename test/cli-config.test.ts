/** `callseal config check`: what is wrong, where, and the exit code that goes with it. */

import { chmodSync, chownSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { callseal } from './helpers/cli.ts';
import { barePublicKey, bundle, certify, makeKeyPair, openssl } from './helpers/keys.ts';
import { tempDir } from './helpers/temp.ts';

interface Report {
  config: string;
  exitCode: number;
  recipients: { line: number; bits: number; daysLeft: number | null; kind: string }[];
  findings: { severity: string; rule: string; message: string; line: number | null }[];
}

/** The recording host, and the place where key pairs are made. */
let host: string;
let home: string;

beforeEach(() => {
  [host, home] = [tempDir(), tempDir()];
  for (const name of ['mary', 'fred']) {
    const { certificate } = makeKeyPair(home, { name });
    copyFileSync(certificate, join(host, `${name}.crt`));
  }
});

const at = (name: string): string => join(host, name);

function configure(...certificates: string[]): void {
  const list = certificates.map((name) => at(name)).join(',');
  writeFileSync(at('client_property.conf'), `[GLOBAL]\n# whom we trust\nLOGGING_ENCRYPTION_KEY = ${list}\n`);
}

async function check(...args: string[]): Promise<Report> {
  const run = await callseal(['config', 'check', '--json', ...args, at('client_property.conf')]);
  expect(run.stderr).toBe('');
  const report = JSON.parse(run.stdout.toString()) as Report;
  expect(run.status).toBe(report.exitCode);
  return report;
}

const rules = (report: Report): string[] => report.findings.map(({ severity, rule }) => `${severity} ${rule}`);

describe('config check', () => {
  it('finds nothing wrong where nothing is', async () => {
    configure('mary.crt', 'fred.crt');
    const report = await check();
    expect([report.exitCode, report.findings]).toEqual([0, []]);
    expect(report.recipients.map(({ line, bits, daysLeft }) => [line, bits, daysLeft])).toEqual([
      [3, 2048, 364],
      [3, 2048, 364],
    ]);
    const text = await callseal(['config', 'check', at('client_property.conf')]);
    expect(text.stdout.toString()).toMatch(/line 3: .*CN=mary,.*RSA 2048 bits, expires .* \(in 364 days\)/);
    expect(text.stdout.toString()).toContain('2 recipients; 0 errors, 0 warnings');
  });

  it('warns of certificates that expire soon', async () => {
    configure('mary.crt');
    expect(rules(await check('--warn-days', '364'))).toEqual([]);
    const report = await check('--warn-days', '365');
    expect([report.exitCode, rules(report)]).toEqual([0, ['warning expires-soon']]);
    expect(report.findings[0]!.message).toContain('expires in 364 days');
  });

  it('ends with 3 when the file is wrong, and names the line', async () => {
    writeFileSync(
      at('client_property.conf'),
      `LOGGING_ENCRYPTION_KEY =\n  C:\\certs\\customer.crt,${at('mary.crt')}\n`,
    );
    const report = await check();
    expect(report.exitCode).toBe(3);
    expect(report.findings).toContainEqual(
      expect.objectContaining({ severity: 'error', rule: 'windows-path', line: 2 }),
    );
    expect(report.recipients).toHaveLength(1);
    const missing = await callseal(['config', 'check', '--json', at('missing.conf')]);
    expect([missing.status, JSON.parse(missing.stdout.toString()).findings[0].severity]).toEqual([3, 'error']);
  });

  it('ends with 4 when a certificate is expired, weak, not RSA, unreadable or listed twice', async () => {
    certify(host, join(home, 'mary_private.key'), { from: '20200101000000Z', to: '20210101000000Z', file: 'old.crt' });
    copyFileSync(makeKeyPair(home, { name: 'weak', bits: 1024 }).certificate, at('weak.crt'));
    copyFileSync(makeKeyPair(home, { name: 'curve', bits: 'ec' }).certificate, at('curve.crt'));
    writeFileSync(at('empty.crt'), '');
    copyFileSync(at('fred.crt'), at('copy.crt'));
    for (const [names, rule] of [
      [['old.crt'], 'error expired'],
      [['weak.crt'], 'error weak'],
      [['curve.crt'], 'error nonRsa'],
      [['empty.crt'], 'error unreadable'],
      [['fred.crt', 'copy.crt'], 'error duplicate'],
    ] as const) {
      configure(...names);
      const report = await check();
      expect([report.exitCode, rules(report)]).toEqual([4, [rule]]);
      expect(report.findings[0]!.line).toBe(3);
    }
  });

  it('notes bare keys and warns of signatures that can be forged', async () => {
    writeFileSync(at('bare.pem'), barePublicKey(at('fred.crt'), 'spki'));
    const key = join(home, 'mary_private.key');
    openssl('req', '-x509', '-sha1', '-days', '365', '-key', key, '-subj', '/CN=old style', '-out', at('sha1.crt'));
    configure('bare.pem', 'sha1.crt');
    const report = await check();
    expect([report.exitCode, rules(report)]).toEqual([0, ['note bare-key', 'warning weak-signature']]);
    expect(report.recipients[0]).toMatchObject({ kind: 'public-key', daysLeft: null });
    expect(report.findings[1]!.message).toContain('sha1WithRSAEncryption');
  });

  it('finds private keys on the host: in the certificate file, beside it, encrypted or not', async () => {
    configure('mary.crt');
    copyFileSync(join(home, 'mary_private.key'), at('forgotten.pem'));
    const open = await check();
    expect([open.exitCode, rules(open)]).toEqual([4, ['error private-key']]);
    expect(open.findings[0]!.message).toMatch(
      /forgotten\.pem holds an unencrypted private key that opens these recordings/,
    );

    const relative = await callseal(['config', 'check', '--json', 'client_property.conf'], { cwd: host });
    expect(rules(JSON.parse(relative.stdout.toString()) as Report)).toEqual(['error private-key']);

    const own = makeKeyPair(home, { name: 'web', passphrase: 'secret' });
    copyFileSync(join(home, 'fred_private.key'), at('forgotten.pem'));
    copyFileSync(own.privateKey, at('tls.key'));
    const others = await check();
    expect([others.exitCode, rules(others)]).toEqual([0, ['warning private-key', 'warning private-key']]);
    expect(others.findings[0]!.message).toContain('of another certificate');
    expect(others.findings[1]!.message).toContain('a private key (encrypted), perhaps one that opens');

    bundle(at('both.pem'), at('mary.crt'), join(home, 'mary_private.key'));
    configure('both.pem');
    const inside = await check();
    expect(inside.exitCode).toBe(4);
    expect(inside.findings).toContainEqual(
      expect.objectContaining({
        severity: 'error',
        rule: 'private-key',
        line: 3,
        message: expect.stringContaining('both.pem'),
      }),
    );
  });

  it('finds permissions that let others change what it trusts', async () => {
    configure('mary.crt');
    chmodSync(at('client_property.conf'), 0o666);
    const file = await check();
    expect([file.exitCode, rules(file)]).toEqual([3, ['error permissions']]);
    expect(file.findings[0]!.message).toContain('chmod o-w');
    chmodSync(at('client_property.conf'), 0o644);

    mkdirSync(at('certs'));
    copyFileSync(at('mary.crt'), at('certs/mary.crt'));
    configure('certs/mary.crt');
    chmodSync(at('certs'), 0o777);
    const directory = await check();
    expect([directory.exitCode, rules(directory)]).toEqual([4, ['error permissions']]);
    expect(directory.findings[0]!.message).toContain(`the directory ${at('certs')}`);
    chmodSync(at('certs'), 0o1777);
    expect(rules(await check())).toEqual([]);
  });

  it.runIf(process.getuid?.() === 0)('warns of a group that may write (made by root only)', async () => {
    configure('mary.crt');
    chmodSync(at('mary.crt'), 0o664);
    expect(rules(await check())).toEqual([]);
    chownSync(at('mary.crt'), 0, 65_534);
    const report = await check();
    expect([report.exitCode, rules(report)]).toEqual([0, ['warning permissions']]);
  });

  it('never shows anything else of the file', async () => {
    configure('mary.crt');
    const conf = readFileSync(at('client_property.conf'), 'utf8');
    writeFileSync(
      at('client_property.conf'),
      `${conf}[AUTHENTICATION]\nAUTHENTICATION_PASSWORD = hunter2\nnonsense hunter2\n`,
    );
    const run = await callseal(['config', 'check', at('client_property.conf')]);
    expect(run.stdout.toString()).toContain('line 6');
    expect(run.stdout.toString() + run.stderr).not.toContain('hunter2');
  });

  it('has documented keys', async () => {
    configure('mary.crt');
    const report = await check('--warn-days', '400');
    const documented = readFileSync(new URL('../docs/cli.md', import.meta.url), 'utf8');
    const keys = [report, report.recipients[0]!, report.findings[0]!].flatMap((object) => Object.keys(object));
    for (const key of keys) expect(documented).toContain(`\`${key}\``);
  });
});
