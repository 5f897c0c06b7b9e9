/** `manifest.json` of a folder of golden files. */

import { readFileSync } from 'node:fs';

export interface GoldenKey {
  file: string;
  /** Null for a key that is not encrypted. */
  passphrase: string | null;
}

export interface GoldenRecipient {
  /** SHA-256 of the SubjectPublicKeyInfo, hexadecimal. */
  keyId: string;
  /** Null for a bare public key. */
  certificate: { sha256: string; serial: string; subject: string; issuer: string } | null;
}

export interface GoldenFile {
  file: string;
  /** SHA-256 of the file. */
  sha256: string;
  plaintextBytes: number;
  plaintextSha256: string;
  segmentLength: number;
  segments: number;
  recipients: GoldenRecipient[];
  /** Names of the keys that open it. */
  opens: string[];
}

export interface Manifest {
  /** Which release wrote the files. */
  writtenBy: string;
  keys: Record<string, GoldenKey>;
  files: GoldenFile[];
  /** SHA-256 of keys.db. */
  keysSha256: string;
}

export function readManifest(version: string): Manifest {
  return JSON.parse(readFileSync(new URL(`${version}/manifest.json`, import.meta.url), 'utf8')) as Manifest;
}
