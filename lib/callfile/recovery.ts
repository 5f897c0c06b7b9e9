/** What a recovering reader says of a file that is cut or damaged (`docs/format.md`, section 6). */

/** The end of a file that cannot be used. */
export interface Loss {
  /**
   * Why:
   * - `truncated`: the file ends before the segment does. Its writer died or has not finished, or the file was cut.
   * - `damaged`: the segment is not authentic: it was altered, or never reached the disk. What follows it is not looked at.
   * - `trailing`: nothing is lost, as the last segment was there, but something follows it that does not belong there.
   */
  reason: 'truncated' | 'damaged' | 'trailing';
  /** Number of the first segment that is lost, from 0; with `trailing`, how many segments there are. */
  segment: number;
  /** Where that begins in the file. */
  offset: number;
  /** From there to the end of the file: encrypted bytes that gave nothing. */
  bytes: number;
  /**
   * With `truncated`, of a signed file: its content is all there, and only the end of its writer's signature is missing.
   * `segment` is then how many segments there are.
   */
  signatureOnly?: true;
}

/** How much of a call file was opened. */
export interface Extent {
  /** Whether it was all of a file that is complete and authentic. Only with `recover` can it be false. */
  complete: boolean;
  /** What could not be used; null when {@link complete}. */
  loss: Loss | null;
}

/** Why a file is not complete, for messages: `it ends inside segment 3; its last 100 bytes cannot be used`. */
export function describeLoss({ reason, segment, offset, bytes, signatureOnly }: Loss): string {
  switch (reason) {
    case 'truncated':
      if (signatureOnly) return 'all of its content is there, but the end of the signature of its writer is not';
      if (bytes === 0) return `it ends before segment ${segment}`;
      return `it ends inside segment ${segment}, of which ${bytes} bytes cannot be used`;
    case 'damaged':
      return `segment ${segment}, at byte ${offset}, was altered or damaged; nothing from there on was used (${bytes} bytes)`;
    case 'trailing':
      return `${bytes} bytes follow its last segment, which is not how a call file ends`;
  }
}
