/** Tokens of SoftHSM 2 in a temporary folder, and a module in front of it that fails as tokens fail. */

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { tempDir } from './temp.ts';

const MODULES = [
  '/usr/lib/softhsm/libsofthsm2.so',
  '/usr/lib64/pkcs11/libsofthsm2.so',
  '/usr/lib64/softhsm/libsofthsm2.so',
  '/usr/local/lib/softhsm/libsofthsm2.so',
];

/** The module's path, or null where SoftHSM is not installed. */
export const SOFTHSM_MODULE = MODULES.find((path) => existsSync(path)) ?? null;

export const PIN = '7431-installation';

/**
 * A token store of this process's own. The module reads its configuration once, and lists its tokens once: make them all
 * before the first one is used.
 */
export class SoftHsm {
  readonly module: string;
  readonly configuration: string;

  constructor() {
    if (SOFTHSM_MODULE === null) throw new Error('SoftHSM is not installed (Debian: softhsm2)');
    this.module = SOFTHSM_MODULE;
    const folder = tempDir();
    mkdirSync(join(folder, 'tokens'));
    this.configuration = join(folder, 'softhsm2.conf');
    writeFileSync(this.configuration, `directories.tokendir = ${join(folder, 'tokens')}\nlog.level = ERROR\n`);
    process.env.SOFTHSM2_CONF = this.configuration;
  }

  addToken(label: string, pin = PIN): void {
    this.#util('--init-token', '--free', '--label', label, '--so-pin', '12345678', '--pin', pin);
  }

  /** Puts an RSA key made elsewhere into a token. */
  importKey(token: string, label: string, id: string, pkcs8: string): void {
    this.#util('--import', pkcs8, '--token', token, '--label', label, '--id', id, '--pin', PIN);
  }

  uri(token: string, object: string, module = this.module): string {
    return `pkcs11:token=${token};object=${object}?module-path=${module}`;
  }

  #util(...args: string[]): void {
    execFileSync('softhsm2-util', args, {
      env: { ...process.env, SOFTHSM2_CONF: this.configuration },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }
}

/** What `token-proxy.cc` can be told to do. */
export const FAULTS = [
  'close-sessions',
  'remove-token',
  'lock-pin',
  'host-memory',
  'left-errno',
  'final-try',
  'give-out-keys',
  'oaep-sha256',
] as const;
export type Fault = (typeof FAULTS)[number];

/** A PKCS#11 module that hands everything on to SoftHSM, apart from the faults that are switched on. */
export class FaultyToken {
  readonly module: string;
  readonly #faults: string;

  constructor(behind: string) {
    const folder = tempDir();
    this.module = join(folder, 'proxy.so');
    this.#faults = join(folder, 'faults');
    mkdirSync(this.#faults);
    const project = join(import.meta.dirname, '../..');
    const source = join(import.meta.dirname, 'token-proxy.cc');
    const names = [`-DREAL_MODULE="${behind}"`, `-DFAULTS="${this.#faults}/"`];
    const flags = ['-std=c++17', '-shared', '-fPIC', '-Wall', '-Werror', `-I${join(project, 'native/core')}`];
    execFileSync('g++', [...flags, ...names, source, '-o', this.module, '-lcrypto', '-ldl'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  switchOn(fault: Fault): void {
    writeFileSync(join(this.#faults, fault), '');
  }

  switchOff(fault: Fault): void {
    rmSync(join(this.#faults, fault));
  }

  /** `close-sessions` happens once and goes off by itself. */
  isOn(fault: Fault): boolean {
    return existsSync(join(this.#faults, fault));
  }
}
