/** Byte helpers of the vectors runner. */

/** Bytes of hexadecimal text. Strict: a vector file that is cut or mistyped must not be read as something shorter. */
export function hex(text) {
  if (typeof text !== 'string' || text.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(text)) {
    throw new Error(`not hexadecimal: ${String(text).slice(0, 40)}`);
  }
  return new Uint8Array(Buffer.from(text, 'hex'));
}

/** Bytes of a number in hexadecimal; some files leave out a leading zero digit. */
export const hexNumber = (text) => hex(text.length % 2 === 0 ? text : `0${text}`);

export const utf8 = (text) => new Uint8Array(Buffer.from(text, 'utf8'));

export const concat = (...parts) => new Uint8Array(Buffer.concat(parts));

export const equal = (a, b) => Buffer.compare(a, b) === 0;

/** DER from PEM: the first block. */
export function derOfPem(pem) {
  const block = /-----BEGIN [^-]+-----([^-]*)-----END/.exec(pem);
  if (block === null) throw new Error('no PEM block');
  return new Uint8Array(Buffer.from(block[1], 'base64'));
}
