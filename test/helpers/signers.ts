/** Hosts that sign what they write. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { loadSigners, Signer, type SignerCertificates } from '../../lib/index.ts';
import { openssl } from './keys.ts';
import { tempDir } from './temp.ts';

/** What openssl calls each kind of key. */
const KINDS = {
  'P-256': ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  'P-384': ['ec', '-pkeyopt', 'ec_paramgen_curve:P-384'],
  'RSA-2048': ['rsa:2048'],
} as const;

export type SignerKind = keyof typeof KINDS;
export const SIGNER_KINDS = Object.keys(KINDS) as SignerKind[];

export interface SigningHost {
  kind: SignerKind;
  /** Paths. */
  privateKey: string;
  certificate: string;
  /** PEM. */
  privatePem: string;
  /** With its certificate. */
  signer: Signer;
  /** Requires this host. */
  required: SignerCertificates;
}

export async function makeHost(kind: SignerKind, name = `host ${kind}`): Promise<SigningHost> {
  const dir = tempDir();
  const [privateKey, certificate] = [join(dir, 'host.key'), join(dir, 'host.crt')];
  const key = ['-newkey', ...KINDS[kind], '-nodes', '-keyout', privateKey];
  openssl('req', '-x509', ...key, '-subj', `/O=MyCompany/CN=${name}`, '-days', '30', '-out', certificate);
  return {
    kind,
    privateKey,
    certificate,
    privatePem: readFileSync(privateKey, 'utf8'),
    signer: await Signer.load(privateKey, { certificate }),
    required: await loadSigners([certificate]),
  };
}
