import { describe, expect, it } from 'vitest';
import { validationOf } from '../lib/fips/validation.ts';

const NAME = 'OpenSSL FIPS Provider';

describe('validationOf', () => {
  it('knows the certificate in force', () => {
    expect(validationOf(NAME, '3.1.2', new Date('2026-10-01'))).toMatchObject({
      status: 'active',
      standard: 'FIPS 140-3',
      certificate: 4985,
      historicalFrom: '2030-03-10',
      sentence: expect.stringContaining('covers only a binary built and installed as its security policy demands'),
    });
  });

  it('lets a certificate grow old by the calendar', () => {
    expect(validationOf(NAME, '3.1.2', new Date('2030-03-09T23:59:59Z')).status).toBe('active');
    const later = validationOf(NAME, '3.1.2', new Date('2030-03-10T00:00:00Z'));
    expect(later.status).toBe('historical');
    expect(later.sentence).toContain('historical since 2030-03-10');
  });

  it.each(['3.0.8', '3.0.9'])('calls %s historical, whatever the clock says', (version) => {
    for (const today of ['2020-01-01', '2026-10-01', '2040-01-01']) {
      const validation = validationOf(NAME, version, new Date(today));
      expect(validation).toMatchObject({ status: 'historical', standard: 'FIPS 140-2', certificate: 4282 });
      expect(validation.sentence).toContain('historical since 2026-09-21');
    }
  });

  it('calls a module in review not validated', () => {
    const validation = validationOf(NAME, '3.5.4');
    expect(validation).toMatchObject({ status: 'in review', certificate: null });
    expect(validation.sentence).toContain('not CMVP-validated');
  });

  it.each([
    [NAME, '3.5.7'],
    [NAME, '3.1.2-dev'],
    [NAME, '3.0.10'],
    ['openssl fips provider', '3.1.2'],
    ['Red Hat Enterprise Linux 9 - OpenSSL FIPS Provider', '3.1.2'],
    ['', ''],
  ])('calls %s %s not validated', (name, version) => {
    expect(validationOf(name, version)).toEqual({
      status: 'not validated',
      standard: null,
      certificate: null,
      historicalFrom: null,
      source: null,
      sentence: `${name} ${version}: not CMVP-validated (no certificate known to this release names it).`,
    });
  });
});
