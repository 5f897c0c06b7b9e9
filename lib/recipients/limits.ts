/**
 * What a recipient of a call file can be (`docs/format.md`, section 2). Writers refuse what lies outside before they
 * encrypt; readers refuse a file that claims it.
 */

/** Shortest RSA modulus in bits: SP 800-131A disallows shorter keys. */
export const MIN_RSA_BITS = 2048;
/** Longest RSA modulus in bits: longer ones cost a recipient seconds per file. */
export const MAX_RSA_BITS = 8192;
/** Most recipients of one file. */
export const MAX_RECIPIENTS = 4096;
/** Longest subject or issuer, in bytes of UTF-8. */
export const MAX_NAME_BYTES = 8192;
/** Longest certificate serial number in bytes; RFC 5280 allows 20, older certificates have more. */
export const MAX_SERIAL_BYTES = 255;
/** 0000-01-01T00:00:00Z in seconds since 1970, the earliest time an X.509 certificate can name. */
export const MIN_CERTIFICATE_TIME = -62_167_219_200;
/** 9999-12-31T23:59:59Z in seconds since 1970, the latest. */
export const MAX_CERTIFICATE_TIME = 253_402_300_799;
