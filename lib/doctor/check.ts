/** What the checks of the doctor have in common. A check looks, and never changes anything. */

import type { PassphraseSource } from '../recipients/passphrases.ts';

/**
 * `ok`: looked at, nothing to do. `note`: worth knowing, or not looked at. `warning`: works, but protects less than it
 * could, or not for long. `error`: something fails, or protects less than it seems to.
 */
export const SEVERITIES = ['ok', 'note', 'warning', 'error'] as const;

export type Severity = (typeof SEVERITIES)[number];

/** One thing that was found. */
export interface Finding {
  readonly severity: Severity;
  /** Stable within its check, for programs: `expired`, `no-space`. */
  readonly rule: string;
  /** What is there, or what is wrong. Holds no secret. */
  readonly message: string;
  /** A file (with `:LINE`), directory, URL, variable or program; null for the host as a whole. */
  readonly where: string | null;
  /** What to do, as a command where one does it; null when there is nothing to do. */
  readonly remedy: string | null;
}

/** What the operator named, or what stands in its place. */
export interface Patient {
  /** Null: there is none. */
  readonly config: string | null;
  /** Certificates with fewer days left get a warning. */
  readonly warnDays: number;
  /** Directories whose files are to be encrypted. */
  readonly directories: readonly string[];
  /** Where encrypted files go, when that is elsewhere. */
  readonly outputDirectory: string | null;
  /** Files that hold private keys. */
  readonly keys: readonly string[];
  /** Files that hold passphrases. */
  readonly passphraseFiles: readonly string[];
  /** `sqlite:PATH` or `postgres://…`; null: no key hierarchy is used here. */
  readonly store: string | null;
  readonly stateDirectory: string;
  readonly installationFolder: string;
  /** A directory for copies; whoever made it removes it with all that is in it. Null: none could be made. */
  readonly scratch: string | null;
  /** Of the installation key; left out, nobody is asked. */
  readonly passphrase?: PassphraseSource;
  /** Where the agent listens. */
  readonly agent: URL;
  /** Whether the operator said that an agent is there. */
  readonly agentExpected: boolean;
  readonly now: Date;
}

/** One kind of thing to look at, in a file of its own. */
export interface Check {
  /** Stable, in lower case: `fips`, `disk`. */
  readonly name: string;
  /** Whether it works with keys or certificates; it is left out when the native module does not work. */
  readonly needsModule?: boolean;
  /** What it throws becomes an error of the check. */
  examine(patient: Patient): Promise<readonly Finding[]>;
}

/** The worse of two. */
export function worst(severities: readonly Severity[]): Severity {
  return SEVERITIES[Math.max(0, ...severities.map((severity) => SEVERITIES.indexOf(severity)))]!;
}

/** Makes findings of one severity. */
const maker =
  (severity: Severity) =>
  (rule: string, message: string, where: string | null = null, remedy: string | null = null): Finding => ({
    severity,
    rule,
    message,
    where,
    remedy,
  });

export const ok = maker('ok');
export const note = maker('note');
export const warning = maker('warning');
export const error = maker('error');
