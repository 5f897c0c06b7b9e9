/** µ-law and A-law as 16-bit samples (ITU-T G.711), by table. */

/** Table 2a: eight bits, inverted, of sign, exponent and mantissa, with a bias of 33 in 14 bits. */
const ULAW = Int16Array.from({ length: 256 }, (_, code) => {
  const bits = ~code & 0xff;
  const magnitude = ((((bits & 0x0f) << 3) + 0x84) << ((bits >> 4) & 7)) - 0x84;
  return bits & 0x80 ? -magnitude : magnitude;
});

/** Table 1a: even bits inverted. */
const ALAW = Int16Array.from({ length: 256 }, (_, code) => {
  const bits = code ^ 0x55;
  const exponent = (bits >> 4) & 7;
  const base = ((bits & 0x0f) << 4) + 8;
  const magnitude = exponent === 0 ? base : (base + 0x100) << (exponent - 1);
  return bits & 0x80 ? magnitude : -magnitude;
});

/** 16-bit little-endian samples, one for each byte. */
export function expand(law: 'ulaw' | 'alaw', bytes: Uint8Array): Uint8Array {
  const table = law === 'ulaw' ? ULAW : ALAW;
  const out = new Uint8Array(bytes.length * 2);
  const view = new DataView(out.buffer);
  for (let at = 0; at < bytes.length; at++) view.setInt16(at * 2, table[bytes[at]!]!, true);
  return out;
}
