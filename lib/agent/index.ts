/**
 * The agent: encrypts the files of directories as they are finished, and removes their plaintext.
 *
 * {@link Agent} is the engine, {@link CertificateSupply} says for whom; `callseal agent` is both as a service. {@link sealFile}
 * does the same for one file.
 *
 * @example
 * const supply = await CertificateSupply.open({ files: { config: '/etc/lumenvox/client_property.conf' } });
 * const agent = new Agent({ directories: ['/var/lumenvox/responses'], supply });
 * agent.start();
 * // …
 * await agent.stop();
 * supply.close();
 *
 * @module callseal/agent
 */

export { type FileStamp, type SealOptions, type SealResult, sealFile } from '../callfile/seal.ts';
export { Agent, type PassResult } from './agent.ts';
export type { AlarmListener } from './alarms.ts';
export type { CertificateExpiry } from './expiry.ts';
export type { Include } from './names.ts';
export type { AgentOptions } from './options.ts';
export type { RecipientFiles } from './recipient-files.ts';
export { CertificateSupply, type CertificateSupplyOptions, type SupplyListener } from './supply.ts';
export type {
  AgentListener,
  AgentState,
  Alarm,
  FailedFile,
  RecipientSupply,
  SealedFile,
  SupplyState,
} from './types.ts';
