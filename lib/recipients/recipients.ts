/** The recipients of files to come: certificates and public keys, loaded once, judged by a policy. */

import { type ConfigProblem, DEFAULT_CONFIG_PATH, encryptionRecipients } from '../config/index.ts';
import { CallsealError, type ErrorCode } from '../errors.ts';
import {
  describeRecipient,
  type ExaminedFile,
  type ExaminedRecipient,
  examinedAt,
  examineRecipientBytes,
  examineRecipientFile,
  type RecipientFinding,
  type RecipientInfo,
  type RecipientSource,
} from './examine.ts';
import { MAX_RECIPIENTS } from './limits.ts';
import { completePolicy, type PolicyAction, type RecipientPolicy, type RecipientProblemKind } from './policy.ts';
import { assertSources } from './sources.ts';
import { validTime } from './time.ts';

/** A problem, and what the policy made of it. */
export interface RecipientProblem {
  kind: RecipientProblemKind;
  action: PolicyAction;
  code: ErrorCode;
  /** What is wrong with which certificate, and what follows. */
  message: string;
  path: string;
  origin?: string;
  /** Whether the recipient is used all the same. */
  used: boolean;
}

/** Recipients with these problems can still be encrypted for. */
const USABLE: ReadonlySet<RecipientProblemKind> = new Set(['expired', 'notYetValid']);

/**
 * Whom files are encrypted for. Immutable: load it again when a certificate was renewed.
 *
 * @example
 * const recipients = await Recipients.load(['/customer/cert/file.crt', '/etc/lumenvox/www/certs/lumenvox.crt']);
 * for (const warning of recipients.warnings) console.warn(warning.message);
 * await encryptFile('call.callsre', 'call.callsre.sealed', { recipients });
 */
export class Recipients {
  /** The recipients in use, in the order they were named. */
  readonly list: readonly RecipientInfo[];
  /** Problems that the policy lets pass. */
  readonly warnings: readonly RecipientProblem[];
  /** What the reader of client_property.conf remarked, where {@link Recipients.fromConfig} was used. */
  readonly configWarnings: readonly ConfigProblem[];
  /** @internal */
  readonly entries: readonly ExaminedRecipient[];
  /** Every certificate and public key that the files hold, also those left out. @internal */
  readonly examined: readonly RecipientInfo[];
  readonly #files: readonly ExaminedFile[];
  readonly #rules: RecipientPolicy;

  private constructor(
    files: readonly ExaminedFile[],
    rules: RecipientPolicy,
    configWarnings: readonly ConfigProblem[] = [],
  ) {
    const { entries, problems } = judgeAll(files, rules);
    this.#files = files;
    this.#rules = rules;
    this.entries = Object.freeze([...entries]);
    this.examined = files.flatMap((file) => file.entries.map(({ info }) => info));
    this.list = Object.freeze(entries.map((entry) => Object.freeze(entry.info)));
    this.warnings = Object.freeze([...problems]);
    this.configWarnings = Object.freeze([...configWarnings]);
  }

  /**
   * Loads certificate and public-key files. Every certificate and public key of a file becomes a recipient, so a file
   * with a certificate chain makes its authorities recipients, too: name files that hold only the certificates meant.
   *
   * @param sources Paths, or paths with the place they were written at.
   * @param policy What to do about problems; {@link FAIL_CLOSED} where nothing is said.
   * @param now The time that decides what is expired: a valid Date.
   * @throws {CallsealError} The code of the first problem that is refused (`ERR_CERTIFICATE_EXPIRED` …), its message
   *   naming all of them; `ERR_NO_RECIPIENTS`; `ERR_INVALID_ARGUMENT`.
   */
  static async load(
    sources: readonly (string | RecipientSource)[],
    policy: Partial<RecipientPolicy> = {},
    now: Date = new Date(),
  ): Promise<Recipients> {
    assertSources(sources);
    const rules = completePolicy(policy);
    const time = validTime(now);
    const files: ExaminedFile[] = [];
    for (const source of sources) {
      files.push(await examineRecipientFile(typeof source === 'string' ? { path: source } : source, time));
    }
    return new Recipients(files, rules);
  }

  /**
   * Those that were loaded before, perhaps in another process: from the files' contents, by key. No policy is asked again.
   *
   * @param keyIds Lower-case hexadecimal.
   * @throws {CallsealError} `ERR_CERTIFICATE_UNREADABLE` when the files do not have a key, or it cannot be encrypted for;
   *   `ERR_NO_RECIPIENTS`. @internal
   */
  static restore(files: readonly { path: string; bytes: Uint8Array }[], keyIds: readonly string[]): Recipients {
    const now = new Date();
    const found = new Map<string, ExaminedRecipient>();
    for (const entry of files.flatMap(({ path, bytes }) => examineRecipientBytes({ path }, bytes, now).entries)) {
      const usable = entry.findings.every(({ kind }) => USABLE.has(kind));
      if (usable && !found.has(entry.info.keyId)) found.set(entry.info.keyId, entry);
    }
    const entries = keyIds.map((keyId) => {
      const entry = found.get(keyId);
      if (entry !== undefined) return entry;
      throw new CallsealError('ERR_CERTIFICATE_UNREADABLE', `no certificate at hand has a usable key of id ${keyId}`);
    });
    // Whatever was found about them was judged when they were loaded at first.
    const accepted = entries.map((entry) => ({ ...entry, findings: [] }));
    return new Recipients([{ path: '', entries: accepted, findings: [] }], completePolicy({}));
  }

  /**
   * Loads the recipients that `LOGGING_ENCRYPTION_KEY` in client_property.conf lists.
   *
   * @param path The configuration file.
   * @throws {CallsealError} `ERR_CONFIG`, and what {@link Recipients.load} throws.
   *
   * @example
   * const recipients = await Recipients.fromConfig('/etc/lumenvox/client_property.conf', { expired: 'warn' });
   */
  static async fromConfig(
    path: string = DEFAULT_CONFIG_PATH,
    policy: Partial<RecipientPolicy> = {},
  ): Promise<Recipients> {
    // Whether a listed file can be read is for the policy to judge, so the reader of the configuration does not.
    const { recipients: listed, problems } = encryptionRecipients(path, { checkFiles: false });
    const sources = listed.map((item) => ({ path: item.path, origin: `${path}:${item.line}` }));
    const loaded = await Recipients.load(sources, policy);
    return new Recipients(loaded.#files, loaded.#rules, problems);
  }

  /**
   * The same files, as they were loaded, under the same policy at another time: certificates expire, and others become
   * valid. Nothing is read.
   *
   * @throws {CallsealError} What {@link Recipients.load} throws.
   */
  judgedAt(now: Date): Recipients {
    const time = validTime(now);
    const files = this.#files.map((file) => examinedAt(file, time));
    return new Recipients(files, this.#rules, this.configWarnings);
  }
}

/** Everything that a list of recipients must pass. */
function judgeAll(files: readonly ExaminedFile[], rules: RecipientPolicy): Selection {
  const selection = select(files, rules);
  const { entries, problems } = selection;
  refuse(problems);
  if (entries.length > MAX_RECIPIENTS) {
    const message = `${entries.length} recipients are more than the ${MAX_RECIPIENTS} a file has room for`;
    throw new CallsealError('ERR_INVALID_ARGUMENT', message);
  }
  if (entries.length < rules.minimum) throw tooFew(entries.length, rules.minimum, problems);
  return selection;
}

interface Selection {
  entries: ExaminedRecipient[];
  problems: RecipientProblem[];
}

function select(files: readonly ExaminedFile[], rules: RecipientPolicy): Selection {
  const byKey = new Map<string, ExaminedRecipient>();
  const problems: RecipientProblem[] = [];
  for (const file of files) {
    for (const finding of file.findings) problems.push(judge(finding, rules, false));
    for (const entry of file.entries) {
      const findings = [...entry.findings];
      let used = findings.every(({ kind }) => USABLE.has(kind) && rules[kind] !== 'skip');
      const first = used ? byKey.get(entry.info.keyId) : undefined;
      if (first !== undefined) {
        findings.push(duplicate(entry, first, file));
        used = false;
      }
      if (used) byKey.set(entry.info.keyId, entry);
      for (const finding of findings) problems.push(judge(finding, rules, used));
    }
  }
  return { entries: [...byKey.values()], problems };
}

function judge(finding: RecipientFinding, rules: RecipientPolicy, used: boolean): RecipientProblem {
  const { kind, code, fact, remedy, path, origin } = finding;
  const action = rules[kind];
  const consequence = action === 'refuse' ? remedy : used ? 'it is used all the same' : 'it is left out';
  const message = `${fact}; ${consequence}`;
  return { kind, action, code, message, path, used, ...(origin === undefined ? {} : { origin }) };
}

function duplicate(entry: ExaminedRecipient, first: ExaminedRecipient, file: ExaminedFile): RecipientFinding {
  const { path, origin } = file;
  const name = describeRecipient(entry.info);
  const earlier = describeRecipient(first.info);
  const identical = entry.info.certificate?.sha256 === first.info.certificate?.sha256;
  const fact = identical
    ? `${name} is listed twice: ${earlier} is the same`
    : `${name} has the same key as ${earlier}, so it is the same recipient; a renewed certificate with the old key is, too`;
  return {
    kind: 'duplicate',
    code: 'ERR_CERTIFICATE_DUPLICATE',
    fact: origin === undefined ? fact : `${origin}: ${fact}`,
    remedy: 'list each key once',
    path,
    ...(origin === undefined ? {} : { origin }),
  };
}

function refuse(problems: RecipientProblem[]): void {
  const refused = problems.filter(({ action }) => action === 'refuse');
  const [first] = refused;
  if (first === undefined) return;
  const message = refused.map((problem) => problem.message).join('. Also: ');
  throw new CallsealError(first.code, message, { path: first.path });
}

function tooFew(count: number, minimum: number, problems: RecipientProblem[]): CallsealError {
  const leftOut = problems.filter(({ used }) => !used).map(({ message }) => message);
  const what =
    count === 0 ? 'there is no recipient to encrypt for' : `${count} recipients remain of at least ${minimum}`;
  const why = leftOut.length === 0 ? 'name more certificates' : leftOut.join('. Also: ');
  return new CallsealError('ERR_NO_RECIPIENTS', `${what}: ${why}`);
}
