/** Looks for many byte strings at once, in one pass. */

export interface Needle {
  /** What it is, for reports. */
  readonly name: string;
  /** At least 8 bytes. */
  readonly bytes: Uint8Array;
}

export interface Find {
  readonly name: string;
  readonly offset: number;
}

const SHORTEST = 8;

/** Needles, arranged by their first two bytes. */
export class ByteSearch {
  /** 1 for each beginning that some needle has. */
  readonly #begins = new Uint8Array(1 << 16);
  readonly #byBeginning = new Map<number, Needle[]>();
  /** Of the longest needle: by how many bytes two pieces of a haystack have to overlap. */
  readonly longest: number;

  constructor(needles: readonly Needle[]) {
    for (const needle of needles) {
      const { bytes } = needle;
      if (bytes.length < SHORTEST) throw new Error(`${needle.name} is too short to be looked for`);
      const beginning = (bytes[0]! << 8) | bytes[1]!;
      this.#begins[beginning] = 1;
      this.#byBeginning.set(beginning, [...(this.#byBeginning.get(beginning) ?? []), needle]);
    }
    this.longest = Math.max(...needles.map(({ bytes }) => bytes.length));
  }

  in(haystack: Uint8Array): Find[] {
    const finds: Find[] = [];
    const begins = this.#begins;
    const last = haystack.length - SHORTEST;
    for (let offset = 0; offset <= last; offset++) {
      const beginning = (haystack[offset]! << 8) | haystack[offset + 1]!;
      if (begins[beginning] === 0) continue;
      for (const { name, bytes } of this.#byBeginning.get(beginning)!) {
        if (beginsWith(haystack, offset, bytes)) finds.push({ name, offset });
      }
    }
    return finds;
  }
}

function beginsWith(haystack: Uint8Array, offset: number, bytes: Uint8Array): boolean {
  for (let index = bytes.length - 1; index >= 0; index--) {
    if (haystack[offset + index] !== bytes[index]) return false;
  }
  return true;
}
