/**
 * Everybody who protects a record for the entity that it belongs to, with keys at hand, each in a file of its own with the
 * same face.
 *
 * @typedef {{ tenant: string, type: string, id: string, field: string }} Entity
 *
 * @typedef {object} RecordPeer
 * @property {string} id for `--only`
 * @property {string} name for people
 * @property {'record'} kind
 * @property {string} settings what was chosen among its settings, for the report
 * @property {() => string | null} version null when it is not installed
 * @property {(settings: RecordSettings) => Promise<RecordSession>} open
 *
 * @typedef {object} RecordSettings
 * @property {string} directory for whatever it must write, there and empty
 * @property {string} installationKey path of an RSA-4096 key, unencrypted PKCS#8 PEM
 * @property {string} [suite] Callseal's
 *
 * A session calls one record's operation again and again, or is given many at once; without a form for many, 64 calls
 * are under way at once.
 *
 * @typedef {object} RecordSession
 * @property {(entity: Entity, bytes: Uint8Array) => Uint8Array | Promise<Uint8Array>} protect
 * @property {(entity: Entity, sealed: Uint8Array) => Uint8Array | Promise<Uint8Array>} unprotect
 * @property {(items: { entity: Entity, bytes: Uint8Array }[]) => Promise<Uint8Array[]>} [protectMany]
 * @property {(items: { entity: Entity, bytes: Uint8Array }[]) => Promise<Uint8Array[]>} [unprotectMany] `bytes` are sealed
 * @property {() => Promise<number>} [keysMade] working keys so far
 * @property {() => Promise<void>} [close]
 */

import awsEncryptionSdk from './aws-encryption-sdk.mjs';
import callseal from './callseal.mjs';
import mongodb from './mongodb.mjs';
import nodeCrypto, { nodeCryptoAad } from './node-crypto.mjs';

/** @type {RecordPeer[]} */
export const RECORD_PEERS = [callseal, nodeCrypto, nodeCryptoAad, awsEncryptionSdk, mongodb];

/** Callseal's own among them. */
export const OWN_RECORDS = callseal.id;

export function recordPeerById(id) {
  return RECORD_PEERS.find((peer) => peer.id === id);
}
