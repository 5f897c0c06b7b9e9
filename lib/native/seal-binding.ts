/** The part of the native module's surface that serves the agent: sealing files, cleaning up, and the service manager. */

import type { FileJobResult, NativeEnvelopeTemplate, NativeJobControl } from './binding.ts';

/** Which file is sealed, and when it counts as finished. */
export interface SealRequest {
  input: string;
  output: string;
  /** Below these no symbolic link is followed; null: they are. */
  inputRoot: string | null;
  outputRoot: string | null;
  /** Without a lease: `ERR_IO`. */
  requireLease: boolean;
  /** Milliseconds since the last change, where there is no lease. */
  quietFor: number;
  /** A file that still is this is quiet whatever its times say. */
  observed: { ino: bigint; size: bigint; mtimeNs: bigint; ctimeNs: bigint } | null;
}

export interface SealJobResult extends FileJobResult {
  leased: boolean;
}

export interface NativeSealFunctions {
  /** Encrypts as `encryptFile` of the template does, then removes the input, in one job on a pool thread. */
  sealFile(
    template: NativeEnvelopeTemplate,
    prelude: Uint8Array,
    request: SealRequest,
    segmentLength: number,
    refusedPrefix: Uint8Array,
    control: NativeJobControl | null,
  ): Promise<SealJobResult>;
  /**
   * Removes the input, if `output` is its encryption by a job that was cut short: marked as such, of the same time, and
   * of these lengths, which the caller has found in it. `ERR_OUTPUT_EXISTS` otherwise.
   */
  finishSealing(request: SealRequest, found: FileJobResult): Promise<SealJobResult>;
  /** What dead processes have left behind. */
  cleanDirectory(directory: string): Promise<{ removed: number; restored: number }>;
  /**
   * Locks an open file (flock) for as long as it is open, so that {@link cleanDirectory} knows that somebody writes it. False
   * when another descriptor has locked it.
   */
  lockFile(descriptor: number): boolean;
  /**
   * Tells the service manager a state, such as `READY=1`; lines are assignments as sd_notify(3) has them. False when none
   * listens (`NOTIFY_SOCKET` is not set). `ERR_IO`.
   */
  notifyService(state: string): boolean;
}
