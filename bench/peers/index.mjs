/**
 * Everybody who encrypts a file for the holders of RSA keys, each in a file of its own with the same face.
 *
 * @typedef {import('../harness/identities.mjs').Identity} Identity
 *
 * @typedef {object} Peer
 * @property {string} id for `--only`
 * @property {string} name for people
 * @property {'command' | 'library'} kind a process a file, or calls inside one Node process
 * @property {string} settings what was chosen among its settings, for the report
 * @property {boolean} [copies] it only copies: shown as a limit, not as a peer
 * @property {boolean} [ownKeys] its keys are not RSA: more bits change nothing
 * @property {boolean} [syncs] it can wait until a file is on the disk (`settings.sync`)
 * @property {() => string | null | Promise<string | null>} version null when it is not installed
 * @property {(settings: Settings) => Session | Promise<Session>} open
 *
 * @typedef {object} Settings
 * @property {string} directory for whatever it must write, there and empty
 * @property {Identity[]} recipients the first one decrypts
 * @property {boolean} sync
 *
 * A session's output never exists beforehand, but for a command's directory in `encryptAll` and `decryptAll`, which is empty.
 *
 * @typedef {object} Session
 * @property {(input: string, output: string) => any} encrypt a command's argument vector; a library's promise
 * @property {(input: string, output: string) => any} decrypt
 * @property {(inputs: string[], directory: string) => string[]} [encryptAll] one command for many files, each becoming
 *   `NAME.sealed`; by default xargs runs a process a file on every core
 * @property {(inputs: string[], directory: string) => string[]} [decryptAll] and back, to `NAME`
 * @property {Record<string, string>} [env] for its commands
 * @property {() => number[]} [companions] processes that work for it and whose CPU time is its own
 * @property {() => void} [close]
 */

import age, { ageX25519 } from './age.mjs';
import awsEncryptionSdk from './aws-encryption-sdk.mjs';
import callseal from './callseal.mjs';
import callsealCommand from './callseal-command.mjs';
import cp from './cp.mjs';
import gpg from './gpg.mjs';
import nodeCrypto from './node-crypto.mjs';
import openpgp from './openpgp.mjs';
import opensslCms, { opensslCmsCbc } from './openssl-cms.mjs';

/** @type {Peer[]} */
export const PEERS = [
  callseal,
  nodeCrypto,
  awsEncryptionSdk,
  openpgp,
  callsealCommand,
  opensslCms,
  opensslCmsCbc,
  age,
  ageX25519,
  gpg,
  cp,
];

export function peerById(id) {
  return PEERS.find((peer) => peer.id === id);
}
