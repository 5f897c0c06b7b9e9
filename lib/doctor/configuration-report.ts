/** Everything that is wrong, or soon will be, with a client_property.conf and the certificates it lists. */

import { type ConfigProblem, encryptionRecipients, type RecipientPath } from '../config/index.ts';
import { hasCode } from '../errors.ts';
import { describeRecipient, examineRecipientFile, type RecipientInfo } from '../recipients/examine.ts';
import { count, daysUntil } from '../wording.ts';
import { findLoosePermissions } from './permissions.ts';
import { findStrayKeys, type StrayKey } from './stray-keys.ts';

/** `error`: encrypting fails or protects less than it seems to. `warning`: soon, or probably. `note`: worth knowing. */
export type Severity = ConfigProblem['severity'];

/** One thing to tell the operator about the configuration. */
export interface ConfigFinding {
  severity: Severity;
  /** Stable, for programs: a rule of the configuration reader, a policy of recipients, or one of this check. */
  rule: string;
  /** What is wrong; of a problem of the file itself also what to write instead. */
  fact: string;
  /** What to do about it; null where the fact says so. */
  remedy: string | null;
  /** The configuration file's line, from 1; null where there is none. */
  line: number | null;
}

/** A recipient and where it is listed. */
export interface CheckedRecipient extends RecipientInfo {
  line: number;
  /** Days until the certificate expires, negative once it has; null for a bare key. */
  daysLeft: number | null;
}

export interface ConfigReport {
  config: string;
  /** What has an error: the file itself, or only certificates and keys that it lists; null when neither has. */
  failed: 'file' | 'keys' | null;
  recipients: CheckedRecipient[];
  findings: ConfigFinding[];
}

export interface CheckOptions {
  /** Certificates with fewer days left get a warning. */
  warnDays: number;
  now: Date;
}

/**
 * Checks a configuration as it will be used on this host.
 *
 * @throws {CallsealError} only for what has nothing to do with it, such as ERR_FIPS_UNAVAILABLE
 */
export async function checkConfiguration(config: string, options: CheckOptions): Promise<ConfigReport> {
  const check = new Check(config, options);
  await check.run();
  return check.report();
}

class Check {
  readonly #config: string;
  readonly #options: CheckOptions;
  readonly #recipients: CheckedRecipient[] = [];
  /** Findings about the file itself, and about what it lists. */
  readonly #ofFile: ConfigFinding[] = [];
  readonly #ofKeys: ConfigFinding[] = [];

  constructor(config: string, options: CheckOptions) {
    this.#config = config;
    this.#options = options;
  }

  report(): ConfigReport {
    const failed = (findings: ConfigFinding[]): boolean => findings.some(({ severity }) => severity === 'error');
    return {
      config: this.#config,
      failed: failed(this.#ofFile) ? 'file' : failed(this.#ofKeys) ? 'keys' : null,
      recipients: this.#recipients,
      findings: [...this.#ofFile, ...this.#ofKeys],
    };
  }

  async run(): Promise<void> {
    const listed = this.#read();
    for (const recipient of listed) await this.#examine(recipient);
    this.#findDuplicates();
    await this.#checkPermissions(listed);
    await this.#checkStrayKeys(listed);
  }

  #read(): readonly RecipientPath[] {
    try {
      const { recipients, problems } = encryptionRecipients(this.#config, { onError: 'report' });
      for (const { severity, rule, line, message } of problems) {
        this.#ofFile.push({ severity, rule, fact: message, remedy: null, line: line || null });
      }
      return recipients;
    } catch (error) {
      if (!hasCode(error, 'ERR_CONFIG')) throw error;
      this.#ofFile.push({ severity: 'error', rule: 'unreadable', fact: error.message, remedy: null, line: null });
      return [];
    }
  }

  async #examine({ path, line }: RecipientPath): Promise<void> {
    const { now } = this.#options;
    const { entries, findings } = await examineRecipientFile({ path }, now);
    const report = (rule: string, fact: string, remedy: string): void => {
      this.#ofKeys.push({ severity: 'error', rule, fact, remedy, line });
    };
    for (const { kind, fact, remedy } of findings) report(kind, fact, remedy);
    for (const { info, findings: ofEntry } of entries) {
      const daysLeft = info.certificate === null ? null : daysUntil(info.certificate.notAfter, now);
      this.#recipients.push({ ...info, line, daysLeft });
      for (const { kind, fact, remedy } of ofEntry) report(kind, fact, remedy);
      this.#advise(info, daysLeft, line);
    }
  }

  /** What the policy lets pass and an operator wants to know. */
  #advise(info: RecipientInfo, daysLeft: number | null, line: number): void {
    const name = describeRecipient(info);
    const add = (severity: Severity, rule: string, fact: string, remedy: string | null): void => {
      this.#ofKeys.push({ severity, rule, fact, remedy, line });
    };
    if (info.certificate === null || daysLeft === null) {
      add('note', 'bare-key', `${name} has no name and never expires; nobody is reminded to replace it`, null);
      return;
    }
    const expired = info.certificate.notAfter < this.#options.now;
    if (!expired && daysLeft < this.#options.warnDays) {
      add('warning', 'expires-soon', `${name} expires in ${count(daysLeft, 'day')}`, 'renew it and replace the file');
    }
    if (/sha1|md5|md2/i.test(info.certificate.signatureAlgorithm)) {
      const algorithm = info.certificate.signatureAlgorithm;
      add(
        'warning',
        'weak-signature',
        `${name} is signed with ${algorithm}, which can be forged`,
        'have it issued anew',
      );
    }
  }

  #findDuplicates(): void {
    const seen = new Map<string, CheckedRecipient>();
    for (const recipient of this.#recipients) {
      const first = seen.get(recipient.keyId);
      if (first === undefined) {
        seen.set(recipient.keyId, recipient);
        continue;
      }
      const fact = `${describeRecipient(recipient)} has the same key as ${describeRecipient(first)} on line ${first.line}`;
      const remedy = 'list each key once';
      this.#ofKeys.push({ severity: 'error', rule: 'duplicate', fact, remedy, line: recipient.line });
    }
  }

  async #checkPermissions(listed: readonly RecipientPath[]): Promise<void> {
    const reported = new Set<string>();
    const check = async (path: string, findings: ConfigFinding[], line: number | null): Promise<void> => {
      for (const { path: place, who, fact, command } of await findLoosePermissions(path)) {
        if (reported.has(place)) continue;
        reported.add(place);
        const meant = who === 'group' ? ' unless that is meant' : '';
        const severity = who === 'everyone' ? 'error' : 'warning';
        findings.push({ severity, rule: 'permissions', fact, remedy: `${command}${meant}`, line });
      }
    };
    await check(this.#config, this.#ofFile, null);
    for (const { path, line } of listed) await check(path, this.#ofKeys, line);
  }

  async #checkStrayKeys(listed: readonly RecipientPath[]): Promise<void> {
    const ids = new Set(this.#recipients.map(({ keyId }) => keyId));
    // Without a recipient nothing can be said of other keys that happen to lie there.
    if (ids.size === 0 && listed.length === 0) return;
    const keys = await findStrayKeys([this.#config, ...listed.map(({ path }) => path)], ids);
    for (const key of keys) {
      const line = listed.find(({ path }) => path === key.path)?.line ?? null;
      const severity = line !== null || key.opensRecordings === true ? 'error' : 'warning';
      this.#ofKeys.push({ severity, rule: 'private-key', ...strayKeyAdvice(key, line !== null), line });
    }
  }
}

function strayKeyAdvice(
  { path, encrypted, opensRecordings }: StrayKey,
  listed: boolean,
): {
  fact: string;
  remedy: string;
} {
  const kind = encrypted ? 'a private key (encrypted)' : 'an unencrypted private key';
  if (opensRecordings === true || listed) {
    const where = opensRecordings === true ? 'that opens these recordings' : 'where a certificate should be';
    const remedy = 'move it away from this host, which needs the certificate only';
    return { fact: `${path} holds ${kind} ${where}`, remedy };
  }
  const what = opensRecordings === null ? ', perhaps one that opens these recordings' : ' of another certificate';
  return { fact: `${path} holds ${kind}${what}`, remedy: 'keep it on this host only if something else needs it here' };
}
