import { commandVersion } from './command-version.mjs';

/** CMS: AuthEnvelopedData with GCM, EnvelopedData (which authenticates nothing) with CBC. */
function opensslCms({ id, name, cipher, settings }) {
  return {
    id,
    name,
    kind: 'command',
    settings,
    version: () => commandVersion('openssl', ['version'], /OpenSSL (\S+)/),
    open({ recipients }) {
      const wraps = recipients.flatMap(({ certificate }) => [
        ...['-recip', certificate, '-keyopt', 'rsa_padding_mode:oaep', '-keyopt', 'rsa_oaep_md:sha256'],
      ]);
      const [{ certificate, privateKey }] = recipients;
      return {
        encrypt: (input, output) => [
          ...['openssl', 'cms', '-encrypt', '-binary', '-stream', '-outform', 'DER', cipher],
          ...['-in', input, '-out', output, ...wraps],
        ],
        decrypt: (input, output) => [
          ...['openssl', 'cms', '-decrypt', '-binary', '-inform', 'DER'],
          ...['-in', input, '-out', output, '-recip', certificate, '-inkey', privateKey],
        ],
      };
    },
  };
}

export default opensslCms({
  id: 'openssl-cms',
  name: 'openssl cms, GCM',
  cipher: '-aes-256-gcm',
  settings: 'AES-256-GCM, RSA-OAEP-SHA256, DER, streamed',
});

export const opensslCmsCbc = opensslCms({
  id: 'openssl-cms-cbc',
  name: 'openssl cms, CBC',
  cipher: '-aes-256-cbc',
  settings: 'AES-256-CBC (not authenticated), RSA-OAEP-SHA256, DER, streamed',
});
