/** PKCS#11 URIs: what RFC 7512 allows and Callseal needs, and a clear refusal of everything else. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { formatPkcs11Uri, type Pkcs11Uri, parsePkcs11Uri } from '../lib/keys/installation/index.ts';
import { refusalOf } from './helpers/errors.ts';

const MODULE = '/usr/lib/softhsm/libsofthsm2.so';
const NONE: NodeJS.ProcessEnv = {};
const refusal = async (uri: string) => {
  const { code, message } = await refusalOf(() => parsePkcs11Uri(uri, NONE));
  expect(code).toBe('ERR_INVALID_ARGUMENT');
  return message;
};

describe('a PKCS#11 URI', () => {
  it('gives token, key, module and the file of the PIN', () => {
    const uri =
      'pkcs11:token=The%20Software%20PKCS%2311%20Softtoken;serial=0b2f;object=my-key;type=private;id=%69%95%3E%5C' +
      `?module-path=${MODULE}&pin-source=file:/etc/token%20pin`;
    expect(parsePkcs11Uri(uri, NONE)).toEqual({
      address: {
        modulePath: MODULE,
        tokenLabel: 'The Software PKCS#11 Softtoken',
        serial: '0b2f',
        objectLabel: 'my-key',
        objectId: new Uint8Array([0x69, 0x95, 0x3e, 0x5c]),
      },
      pinSource: '/etc/token pin',
    });
  });

  it('leaves out what it leaves open, and takes the module from the environment', () => {
    expect(parsePkcs11Uri('pkcs11:object=key', { CALLSEAL_PKCS11_MODULE: MODULE })).toEqual({
      address: { modulePath: MODULE, tokenLabel: null, serial: null, objectLabel: 'key', objectId: null },
      pinSource: null,
    });
    const own = `pkcs11:?module-path=${MODULE}`;
    expect(parsePkcs11Uri(own, { CALLSEAL_PKCS11_MODULE: '/other.so' }).address.modulePath).toBe(MODULE);
  });

  it('names the file of the PIN in any of the usual ways', () => {
    for (const source of ['file:/run/pin', 'file:///run/pin', '/run/pin', 'file:%2Frun%2Fpin']) {
      expect(parsePkcs11Uri(`pkcs11:?module-path=${MODULE}&pin-source=${source}`, NONE).pinSource).toBe('/run/pin');
    }
  });

  it('holds no PIN, and an error does not repeat one', async () => {
    for (const uri of [`pkcs11:token=a?pin-value=1234&module-path=${MODULE}`, 'pkcs11:pin-value=1234;token=a']) {
      const message = await refusal(uri);
      expect(message).toMatch(/pin-source/);
      expect(message).not.toContain('1234');
    }
  });

  it('is refused for whatever is not understood, with what to do instead', async () => {
    const after = `?module-path=${MODULE}`;
    const wrong: [uri: string, says: RegExp][] = [
      ['token=a', /begin with "pkcs11:"/],
      ['PKCS11:token=a', /begin with/],
      ['pkcs11:token=a', /names no PKCS#11 module.*CALLSEAL_PKCS11_MODULE/],
      ['pkcs11:?module-path=softhsm2.so', /not an absolute path/],
      ['pkcs11:?module-path=/a%00b', /zero byte/],
      [`pkcs11:token=a;token=b${after}`, /token is given twice/],
      [`pkcs11:token=${after}`, /token has no value/],
      [`pkcs11:token${after}`, /"token" is not NAME=VALUE/],
      [`pkcs11:token=a;${after}`, /"" is not NAME=VALUE/],
      [`pkcs11:token=a b${after}`, /%20/],
      [`pkcs11:token=a%2${after}`, /must be escaped/],
      [`pkcs11:token=%FF${after}`, /token is not UTF-8/],
      [`pkcs11:token=${'x'.repeat(33)}${after}`, /longer than the 32 bytes/],
      [`pkcs11:serial=${'1'.repeat(17)}${after}`, /longer than the 16 bytes/],
      [`pkcs11:model=x${after}`, /model is not supported: token and serial/],
      [`pkcs11:slot-id=1${after}`, /slots change their numbers/],
      [`pkcs11:type=public${after}`, /a private key is needed/],
      [`pkcs11:constructor=x${after}`, /constructor is not supported: known here are/],
      ['pkcs11:token=a?module-name=softhsm2', /module-path/],
      [`pkcs11:token=a${after}&pin-source=%7Ccat%20/run/pin`, /program, which is not run/],
      [`pkcs11:token=a${after}&pin-source=file://host/pin`, /absolute path/],
      [`pkcs11:token=a${after}&pin-source=run/pin`, /absolute path/],
      [`pkcs11:token=${'%41'.repeat(2000)}${after}`, /longer than 4096/],
    ];
    for (const [uri, says] of wrong) expect([uri, await refusal(uri)]).toEqual([uri, expect.stringMatching(says)]);
  });

  it('comes back the same from its text, whatever characters are in it', () => {
    const text = (maxLength: number) =>
      fc.string({ unit: 'grapheme', minLength: 1, maxLength }).filter((each) => !each.includes('\0'));
    const fitting = (limit: number) => text(limit).filter((each) => Buffer.byteLength(each) <= limit);
    const path = text(40).map((each) => `/${each.replace(/^\/+/, '')}`);
    const uris: fc.Arbitrary<Pkcs11Uri> = fc.record({
      address: fc.record({
        modulePath: path,
        tokenLabel: fc.option(fitting(32)),
        serial: fc.option(fitting(16)),
        objectLabel: fc.option(text(40)),
        objectId: fc.option(fc.uint8Array({ minLength: 1, maxLength: 32 })),
      }),
      pinSource: fc.option(path),
    });
    fc.assert(
      fc.property(uris, (uri) => {
        expect(parsePkcs11Uri(formatPkcs11Uri(uri), NONE)).toEqual(uri);
      }),
    );
  });

  it('never fails in any other way', () => {
    const pieces = fc.constantFrom(
      'pkcs11:',
      'token=',
      'id=',
      '%',
      '%41',
      ';',
      '?',
      '&',
      '=',
      'module-path=/m',
      'x',
      '\n',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
        try {
          const uri = parsePkcs11Uri(parts.join(''), NONE);
          expect(parsePkcs11Uri(formatPkcs11Uri(uri), NONE)).toEqual(uri);
        } catch (error) {
          expect(error).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' });
        }
      }),
    );
  });
});
