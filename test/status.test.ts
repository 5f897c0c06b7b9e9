/** What `status()` says is evidence: checked here against other sources than the module that says it. */

import { execFileSync } from 'node:child_process';
import { readFileSync, realpathSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { findFipsModule } from '../lib/fips/discover.ts';
import { validationOf } from '../lib/fips/validation.ts';
import { native } from '../lib/native/load.ts';
import { type AlgorithmReport, RULES, type Status, status } from '../lib/status.ts';
import { inNode } from './helpers/native-child.ts';

const found = status();
const FIPS = findFipsModule();

/** Files mapped into this process whose name matches. */
function mapped(name: RegExp): string[] {
  const paths = readFileSync('/proc/self/maps', 'utf8').match(/\/.*$/gm) ?? [];
  return [...new Set(paths.filter((path) => name.test(path)))];
}

function row(name: string, operation: string): AlgorithmReport {
  const rows = found.algorithms.filter((each) => each.name === name && each.operation === operation);
  expect(rows).toHaveLength(1);
  return rows[0] as AlgorithmReport;
}

describe('status', () => {
  it('names the libcrypto that is in this process', () => {
    expect(mapped(/\/libcrypto\.so/)).toContain(realpathSync(found.libcrypto.path));
    expect(found.isolation).toEqual({
      isolated: true,
      addonResolvesTo: found.libcrypto.path,
      libcryptoResolvesTo: found.libcrypto.path,
    });
    expect(found.libcrypto.version).toMatch(/^OpenSSL 3\.\d+\.\d+/);
    expect(readFileSync(found.libcrypto.path).includes(found.libcrypto.version)).toBe(true);
    expect(found.nodeOpenssl).toBe(process.versions.openssl);
  });

  it('names the FIPS module that is in this process', () => {
    expect(found.mode).toBe('required');
    expect(mapped(/\/fips\.so$/)).toEqual([realpathSync(found.provider.path)]);
    expect(found.provider).toMatchObject({ path: FIPS.modulePath, origin: FIPS.origin, running: true, selfTest: true });
    const [sha256] = execFileSync('sha256sum', [found.provider.path], { encoding: 'utf8' }).split(' ');
    expect(found.provider.sha256).toBe(sha256);
  });

  it('names provider and version as the file itself does', () => {
    const file = readFileSync(found.provider.path);
    expect(found.provider.name).toMatch(/FIPS/);
    for (const text of [found.provider.name, found.provider.version, found.provider.buildInfo]) {
      expect(file.includes(text)).toBe(true);
    }
  });

  it('claims a validation for listed modules only', () => {
    expect(found.validation).toEqual(validationOf(found.provider.name, found.provider.version));
    const debian = validationOf('OpenSSL FIPS Provider', '3.5.7');
    expect(debian).toMatchObject({ status: 'not validated', certificate: null, source: null });
    expect(debian.sentence).toContain('not CMVP-validated');
    if (found.provider.version === '3.5.7') expect(found.validation).toEqual(debian);
  });

  it('has a rule for every operation the module tried, and tries every operation it has a rule for', () => {
    const rules = Object.keys(RULES);
    expect(rules.length).toBeGreaterThan(0);
    const rows = native()
      .status()
      .algorithms.map((each) => `${each.name}/${each.operation}`);
    expect([...rows].sort()).toEqual([...rules].sort());
    expect(found.algorithms.map((each) => `${each.name}/${each.operation}`)).toEqual(rows);
  });

  it('calls nothing approved that is not', () => {
    for (const [name, operation] of [
      ['DES-EDE3-CBC', 'encrypt'],
      ['RSA-PKCS1-v1.5-SHA-1', 'sign'],
    ] as const) {
      expect(row(name, operation)).toMatchObject({
        approved: false,
        basis: expect.stringMatching(/disallowed|not offer/),
      });
      expect(row(name, operation).indicator).not.toBe(1);
    }
    for (const each of found.algorithms) {
      if (each.approved) expect(each).toMatchObject({ provider: 'fips' });
      if (each.indicator === 0) expect(each.approved).toBe(false);
    }
  });

  it('calls approved what every call file needs', () => {
    for (const [name, operation] of [
      ['AES-256-GCM', 'encrypt, IV made in the module'],
      ['AES-256-GCM', 'decrypt'],
      ['HKDF-Expand-SHA-384', 'derive FLOE keys'],
      ['KBKDF-HMAC-SHA-256', "derive a file's keys"],
      ['HMAC-SHA-256', 'authenticate the recipients'],
      ['RSA-OAEP-SHA-256', 'wrap a content key'],
      ['RSA-OAEP-SHA-256', 'open a content key'],
    ] as const) {
      expect(row(name, operation)).toMatchObject({
        approved: true,
        provider: 'fips',
        basis: expect.stringMatching(/SP|FIPS/),
      });
    }
  });

  it('saw the module make the IV itself', () => {
    expect(row('AES-256-GCM', 'encrypt, IV made in the module').indicator).not.toBe(0);
  });

  it('says the same when it is asked again', () => {
    expect(status()).toEqual(found);
  });
});

describe('status with FIPS off', () => {
  it('approves of nothing and claims no validation', async () => {
    const off = await inNode<Status>('report(status());', { env: { CALLSEAL_FIPS: 'off' } });
    expect(off.mode).toBe('off');
    expect(off.algorithms).toHaveLength(found.algorithms.length);
    for (const each of off.algorithms) {
      expect(each).toMatchObject({ approved: false, basis: 'FIPS is off: no FIPS module did it' });
    }
    expect(off.validation).toMatchObject({ status: 'not validated', certificate: null });
    expect(off.provider).toMatchObject({ origin: 'libcrypto', path: off.libcrypto.path });
    expect(off.isolation.isolated).toBe(true);
  });
});
