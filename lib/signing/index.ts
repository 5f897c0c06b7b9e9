/** Writers' signatures: who signs ({@link Signer}), and whose signature is accepted ({@link SignerCertificates}). */

export type { FileSigner, SignerInfo } from './info.ts';
export { Signer, type SignerOptions } from './signer.ts';
export { loadSigners, SignerCertificates } from './signer-certificates.ts';
