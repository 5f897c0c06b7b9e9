/** The certificate of an installation key. */

import { CallsealError } from '../../errors.ts';
import { hex } from '../../hex.ts';
import type { RecipientFileEntry } from '../../native/binding.ts';
import { native } from '../../native/load.ts';
import { type CertificateInfo, certificateInfo } from '../../recipients/certificate-info.ts';
import { closeRead, openRegularFile, readAt } from '../../recipients/regular-file.ts';

/** A certificate for the installation key. */
export interface InstallationCertificate {
  info: CertificateInfo;
  /** The certificate and, behind it, the others of its file: PEM. */
  pem: string;
}

/** Larger files hold no certificate. */
const MAX_CERTIFICATE_FILE = 1 << 20;

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----\s[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

/**
 * The bytes of a certificate file: PEM or DER.
 *
 * @throws {CallsealError} `ERR_IO`, `ERR_INVALID_ARGUMENT`, `ERR_CERTIFICATE_UNREADABLE` when it is too long.
 */
export async function readCertificateFile(path: string): Promise<Buffer> {
  const { handle, stats } = await openRegularFile(path);
  try {
    if (stats.size > BigInt(MAX_CERTIFICATE_FILE)) {
      const message = `${path} is longer than ${MAX_CERTIFICATE_FILE} bytes, as no certificate is`;
      throw new CallsealError('ERR_CERTIFICATE_UNREADABLE', message, { path });
    }
    const bytes = Buffer.alloc(Number(stats.size));
    return bytes.subarray(0, await readAt(handle, bytes, 0, path));
  } finally {
    await closeRead(handle);
  }
}

/**
 * Finds the certificate for a key, by the hash of its public key, among those of a file. Private keys and whatever else
 * is in the file are left behind.
 *
 * @throws {CallsealError} `ERR_CERTIFICATE_UNREADABLE`; `ERR_WRONG_INSTALLATION` when there are only certificates for
 *   other keys.
 */
export function findCertificate(bytes: Buffer, keyId: string, path: string): InstallationCertificate {
  const blocks = certificateBlocks(bytes);
  const others: string[] = [];
  let own: { info: CertificateInfo; block: string } | null = null;
  for (const block of blocks) {
    const entry = readOne(block, path);
    const info = entry.certificate;
    if (info === null) continue;
    if (own === null && hex(entry.publicKey.spkiSha256) === keyId) own = { info: certificateInfo(info), block };
    else others.push(block);
  }
  if (own !== null) return { info: own.info, pem: [own.block, ...others].map((block) => `${block}\n`).join('') };
  if (others.length === 0) {
    const message = `${path} holds no certificate; give the one that the authority made from installation.csr`;
    throw new CallsealError('ERR_CERTIFICATE_UNREADABLE', message, { path });
  }
  const message =
    `${path} holds a certificate for another key than this installation's (${keyId}); ` +
    'give the one that the authority made from installation.csr';
  throw new CallsealError('ERR_WRONG_INSTALLATION', message, { path });
}

function certificateBlocks(bytes: Buffer): string[] {
  const blocks = bytes.toString('latin1').match(PEM_CERTIFICATE);
  if (blocks !== null) return blocks.map((block) => block.replace(/\r\n?/g, '\n'));
  const isDer = bytes[0] === 0x30;
  return isDer ? [toPem(bytes)] : [];
}

function toPem(der: Buffer): string {
  const lines = der.toString('base64').replace(/.{64}(?=.)/g, '$&\n');
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----`;
}

function readOne(block: string, path: string): RecipientFileEntry {
  try {
    return native().readRecipients(Buffer.from(block))[0]!;
  } catch (error) {
    if (!(error instanceof CallsealError)) throw error;
    throw new CallsealError(error.code, `${path}: ${error.message}`, { path, cause: error });
  }
}
