/**
 * What is known of a FIPS module's validation: an allow-list, because a module cannot be asked.
 *
 * Anything not listed is called not validated. Being listed says that a certificate names this version; whether *this
 * binary* is covered depends on how it was built, and every sentence says so.
 */

/** A CMVP certificate (or a submission) and the module versions it names. Dates are ISO 8601, UTC. */
interface ListedModule {
  readonly name: string;
  readonly versions: readonly string[];
  readonly standard: 'FIPS 140-2' | 'FIPS 140-3';
  /** Certificate number; null while the module is only in review. */
  readonly certificate: number | null;
  /** As read on {@link readOn}. */
  readonly status: 'active' | 'historical' | 'in review';
  /** First day on which the certificate no longer counts as active; null while in review. */
  readonly historicalFrom: string | null;
  readonly readOn: string;
  readonly source: string;
}

const CERTIFICATES = 'https://csrc.nist.gov/projects/cryptographic-module-validation-program/certificate';
const UPSTREAM = 'OpenSSL FIPS Provider';

const LISTED: readonly ListedModule[] = [
  {
    name: UPSTREAM,
    versions: ['3.0.8', '3.0.9'],
    standard: 'FIPS 140-2',
    certificate: 4282,
    status: 'historical',
    historicalFrom: '2026-09-21',
    readOn: '2026-09',
    source: `${CERTIFICATES}/4282`,
  },
  {
    name: UPSTREAM,
    versions: ['3.1.2'],
    standard: 'FIPS 140-3',
    certificate: 4985,
    status: 'active',
    historicalFrom: '2030-03-10',
    readOn: '2026-09',
    source: `${CERTIFICATES}/4985`,
  },
  {
    name: UPSTREAM,
    versions: ['3.5.4'],
    standard: 'FIPS 140-3',
    certificate: null,
    status: 'in review',
    historicalFrom: null,
    readOn: '2026-08',
    source:
      'https://csrc.nist.gov/projects/cryptographic-module-validation-program/modules-in-process/modules-in-process-list',
  },
];

/** What can truthfully be said of a module's validation. */
export interface Validation {
  /** `active`: a certificate in force names this version. Everything else is not a validation in force. */
  readonly status: 'active' | 'historical' | 'in review' | 'not validated';
  readonly standard: 'FIPS 140-2' | 'FIPS 140-3' | null;
  /** CMVP certificate number, or null. */
  readonly certificate: number | null;
  /** ISO date: the certificate is historical from this day on. Null without a certificate. */
  readonly historicalFrom: string | null;
  /** Where to look it up, or null when there is nothing. */
  readonly source: string | null;
  /** One sentence for people. */
  readonly sentence: string;
}

/**
 * Looks a module up.
 *
 * @param name the provider's own `name` parameter, such as `OpenSSL FIPS Provider`; must match to the letter
 * @param version the provider's own `version` parameter, such as `3.1.2`; must match to the letter
 * @param today the day to judge by
 */
export function validationOf(name: string, version: string, today: Date = new Date()): Validation {
  const listed = LISTED.find((entry) => entry.name === name && entry.versions.includes(version));
  if (listed === undefined) {
    return {
      status: 'not validated',
      standard: null,
      certificate: null,
      historicalFrom: null,
      source: null,
      sentence: `${name} ${version}: not CMVP-validated (no certificate known to this release names it).`,
    };
  }
  const { standard, certificate, historicalFrom, source } = listed;
  const status = statusOn(listed, today);
  return { status, standard, certificate, historicalFrom, source, sentence: sentenceOf(listed, status, version) };
}

/** A certificate that was active when it was read grows old by itself; none grows young. */
function statusOn(listed: ListedModule, today: Date): ListedModule['status'] {
  const expired = listed.historicalFrom !== null && today.toISOString().slice(0, 10) >= listed.historicalFrom;
  return listed.status === 'active' && expired ? 'historical' : listed.status;
}

function sentenceOf(listed: ListedModule, status: ListedModule['status'], version: string): string {
  const module = `${listed.name} ${version}`;
  if (status === 'in review') {
    return `${module}: not CMVP-validated (in review for ${listed.standard} in ${listed.readOn}).`;
  }
  const certificate = `${listed.standard} certificate #${listed.certificate}`;
  const covers = 'the certificate covers only a binary built and installed as its security policy demands';
  return status === 'active'
    ? `${module}: ${certificate}, active until ${listed.historicalFrom}; ${covers}.`
    : `${module}: ${certificate}, historical since ${listed.historicalFrom}; ${covers}.`;
}
