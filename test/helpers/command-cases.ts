/**
 * Every command of `callseal` at work on files of one folder: how it is run, and what may be there afterwards, however it
 * ended. Tests that make system calls fail or send signals go through this list.
 */

import { existsSync } from 'node:fs';
import { join } from 'node:path';

import {
  type Check,
  hierarchyWorks,
  isBeginning,
  isCertificateOf,
  isContent,
  isKey,
  isMessage,
  isPkcs12,
  isRecord,
  isText,
  opens,
  SECRET,
  tableOpens,
} from './case-checks.ts';

export interface CommandCase {
  /** With the action: `recipients add`. */
  command: string;
  /** What distinguishes it from other cases of the command. */
  variant?: string;
  args: readonly string[];
  /** The file that is standard input. */
  input?: string;
  /** Files that may appear, each as the check wants it or not at all. */
  outputs?: Record<string, Check>;
  /** Files that may be replaced: as they were, or as the check wants them. */
  changes?: Record<string, Check>;
  /** What else may change or come: the files of a store. */
  loose?: RegExp;
  /** Of everything, afterwards. */
  after?: Check;
  /** Exit code of a run in which nothing fails. Default 0. */
  ends?: number;
  /** Exit codes that a signal may lead to beside those of signals. */
  stops?: readonly number[];
  /** Not one that system calls fail in: nothing is written, or nothing but what another case writes in the same way. */
  signalsOnly?: boolean;
  /** Needs this; `{queue}` in the arguments is the URL of a queue. */
  queue?: boolean;
}

const KEY = ['-k', 'mary.key'];
const MARY = ['-r', 'mary.crt'];
const HOW = ['--passphrase-env', 'SITE_PASSPHRASE'];
const P12 = ['--p12-passphrase-env', 'SITE_PASSPHRASE'];
const RECORD = ['models', '--tenant', 'acme', '--type', 'claimant', '--id', 'c-41', '--field', 'template'];
const STORE = /^(keys\.db(-wal|-shm|-journal)?|state(\/.*)?)$/;
const TABLE = ['--db', 'sqlite:voice.db', '--table', 'voice', '--key', 'id', '--column', 'template'];

/** Of the key hierarchy: the store may change, and must be whole. */
const keys = (command: string, args: readonly string[], more: Partial<CommandCase> = {}): CommandCase => ({
  command,
  args: [...args, ...HOW],
  loose: STORE,
  after: hierarchyWorks,
  ...more,
});

const reads = (command: string, ...args: string[]): CommandCase => ({ command, args, signalsOnly: true });

/** A recording is there, plain or encrypted. */
const oneOf =
  (...paths: string[]): Check =>
  (root) => {
    if (!paths.some((path) => existsSync(join(root, path)))) throw new Error(`none of ${paths.join(', ')} is there`);
  };

const NEW_INSTALLATION = {
  'fresh/installation.key': isKey('fresh/installation.key'),
  'fresh/installation.csr': isText('fresh/installation.csr', /^-----BEGIN CERTIFICATE REQUEST/),
  'fresh/installation.json': isText('fresh/installation.json', /\}\s*$/),
};

export const COMMAND_CASES: readonly CommandCase[] = [
  {
    command: 'keygen',
    args: ['--subject', '/CN=a', '--key', 'new.key', '--cert', 'new.crt', '--bits', '2048', ...HOW],
    outputs: { 'new.key': isKey('new.key'), 'new.crt': isCertificateOf('new.key', 'new.crt') },
  },
  {
    command: 'encrypt',
    args: [...MARY, 'call'],
    outputs: { 'call.sealed': opens('call.sealed') },
  },
  {
    command: 'encrypt',
    variant: 'in place',
    args: [...MARY, '--in-place', 'call'],
    changes: { call: opens('call') },
  },
  {
    command: 'encrypt',
    variant: 'stream',
    args: [...MARY, '-o', 'streamed.sealed', '-'],
    input: 'call',
    outputs: { 'streamed.sealed': opens('streamed.sealed') },
  },
  {
    command: 'decrypt',
    args: [...KEY, '-o', 'opened', 'sealed/call.sealed'],
    outputs: { opened: isContent('opened') },
  },
  {
    command: 'decrypt',
    variant: 'recover',
    args: [...KEY, '--recover', '-o', 'recovered', 'sealed/cut.sealed'],
    outputs: { recovered: isBeginning('recovered') },
    ends: 22,
  },
  { command: 'inspect', args: ['--json', 'sealed/call.sealed'] },
  reads('tail', ...KEY, 'sealed/call.sealed'),
  reads('verify', ...KEY, 'sealed/call.sealed'),
  reads('which-key', ...KEY, 'sealed/call.sealed'),
  {
    command: 'report',
    args: ['--html', 'report.html', 'sealed'],
    outputs: { 'report.html': isText('report.html', /<\/html>\s*$/) },
  },
  {
    command: 'agent',
    variant: 'once',
    args: ['--once', ...MARY, '--watch', 'recordings'],
    outputs: { 'recordings/one.sealed': opens('recordings/one.sealed') },
    changes: { 'recordings/one': isContent('recordings/one') },
    after: oneOf('recordings/one', 'recordings/one.sealed'),
  },
  {
    command: 'agent',
    args: [...MARY, '--watch', 'recordings'],
    outputs: { 'recordings/one.sealed': opens('recordings/one.sealed') },
    changes: { 'recordings/one': isContent('recordings/one') },
    after: oneOf('recordings/one', 'recordings/one.sealed'),
    stops: [0],
    signalsOnly: true,
  },
  {
    command: 'export-cms',
    args: [...KEY, ...MARY, '-o', 'out.cms', 'sealed/call.sealed'],
    outputs: { 'out.cms': isMessage('out.cms') },
  },
  {
    command: 'import-cms',
    args: [...KEY, ...MARY, '-o', 'in.sealed', 'call.cms'],
    outputs: { 'in.sealed': opens('in.sealed') },
  },
  {
    command: 'recipients add',
    args: [...KEY, '-r', 'fred.crt', 'sealed/call.sealed'],
    changes: { 'sealed/call.sealed': opens('sealed/call.sealed', 2) },
  },
  {
    command: 'recipients replace',
    args: [...KEY, '--old', 'fred.crt', '--new', 'mary.crt', 'sealed/both.sealed'],
    changes: { 'sealed/both.sealed': opens('sealed/both.sealed', 1) },
    signalsOnly: true,
  },
  {
    command: 'recipients remove',
    args: [...KEY, '--cert', 'fred.crt', 'sealed/both.sealed'],
    changes: { 'sealed/both.sealed': opens('sealed/both.sealed', 1) },
    signalsOnly: true,
  },
  reads('recipients list', 'sealed/call.sealed'),
  {
    command: 'rekey',
    args: [...KEY, ...MARY, '-r', 'fred.crt', 'sealed/call.sealed'],
    changes: { 'sealed/call.sealed': opens('sealed/call.sealed', 2) },
  },
  { ...reads('worker', '--queue', '{queue}', ...KEY), queue: true, stops: [0] },
  { ...reads('worker status', '--queue', '{queue}'), queue: true },
  reads('config check', 'host/client_property.conf'),
  {
    command: 'installation request',
    args: ['--installation', 'fresh', '--subject', '/CN=voice', '--out', 'license.csr', ...HOW],
    outputs: {
      ...NEW_INSTALLATION,
      'license.csr': isText(
        'license.csr',
        /^-----BEGIN CERTIFICATE REQUEST[\s\S]*-----END CERTIFICATE REQUEST-----\s*$/,
      ),
    },
    loose: /^fresh$/,
  },
  {
    command: 'installation install',
    args: ['--cert', 'license.crt'],
    outputs: { 'installation/installation.crt': isText('installation/installation.crt', /END CERTIFICATE-----\s*$/) },
  },
  { ...reads('installation show') },
  {
    command: 'installation export',
    args: ['--out', 'out.p12', ...HOW, ...P12],
    outputs: { 'out.p12': isPkcs12('out.p12') },
  },
  {
    command: 'installation import',
    args: ['--installation', 'fresh', ...HOW, ...P12, 'backup.p12'],
    outputs: {
      'fresh/installation.key': isKey('fresh/installation.key'),
      'fresh/installation.json': isText('fresh/installation.json', /\}\s*$/),
    },
    loose: /^fresh$/,
  },
  keys('installation verify-backup', ['backup.p12'], { signalsOnly: true }),
  keys('master list', [], { signalsOnly: true }),
  keys('master create', []),
  keys('master rotate', []),
  keys('master disable', ['{spare}', '--yes'], { signalsOnly: true }),
  keys('master enable', ['{disabled}'], { signalsOnly: true }),
  keys('master remove', ['{disabled}', '--yes'], { signalsOnly: true }),
  keys('working list', [], { signalsOnly: true }),
  keys('working rotate', ['models']),
  keys('working remove', ['credentials', '1', '--yes'], { signalsOnly: true }),
  keys('audit list', [], { signalsOnly: true }),
  keys('audit verify', [], { signalsOnly: true }),
  keys('store accept-restore', ['--yes'], { signalsOnly: true }),
  keys('protect', [...RECORD, '--in', 'template', '--out', 'new.record'], {
    outputs: { 'new.record': isRecord('new.record') },
  }),
  keys('unprotect', [...RECORD, '--in', 'record', '--out', 'opened.template'], {
    outputs: { 'opened.template': isText('opened.template', new RegExp(`^${SECRET}$`)) },
  }),
  keys('reencrypt', [...TABLE, '--area', 'models', '--entity', 'type=claimant,id=claimant,field=template'], {
    loose: new RegExp(`${STORE.source}|^voice\\.db(-wal|-shm|-journal)?$`),
    after: async (root) => {
      await hierarchyWorks(root);
      await tableOpens(root);
    },
  }),
  reads('status'),
  { ...reads('doctor'), stops: [23, 24] },
  reads('completion', 'bash'),
  { ...reads('desk', '--installation-passphrase-env', 'SITE_PASSPHRASE', 'sealed'), loose: STORE, stops: [0] },
  { command: 'bench', args: ['--seconds', '2', '--dir', '.'], signalsOnly: true },
  {
    command: 'fips install',
    args: ['--dir', 'module', '--module', '{module}'],
    loose: /^module(\/.*)?$/,
    signalsOnly: true,
  },
];
