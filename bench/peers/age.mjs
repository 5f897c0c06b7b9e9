import { spawnSync } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { commandVersion } from './command-version.mjs';

const version = () => commandVersion('age', ['--version'], /^v?(\S+)/);

function session(recipientsFile, identityFile) {
  return {
    encrypt: (input, output) => ['age', '--encrypt', '-R', recipientsFile, '-o', output, input],
    decrypt: (input, output) => ['age', '--decrypt', '-i', identityFile, '-o', output, input],
  };
}

/** The same RSA keys as everybody's, as SSH recipients. */
export default {
  id: 'age-rsa',
  name: 'age, ssh-rsa',
  kind: 'command',
  settings: 'ChaCha20-Poly1305, RSA-OAEP-SHA256 (ssh-rsa recipients)',
  version,
  open({ directory, recipients }) {
    const recipientsFile = join(directory, 'recipients');
    writeFileSync(recipientsFile, recipients.map(({ publicKey }) => `${sshRsa(publicKey)}\n`).join(''));
    return session(recipientsFile, recipients[0].privateKey);
  },
};

/** Its native keys, which are its fastest. */
export const ageX25519 = {
  id: 'age',
  name: 'age, X25519',
  kind: 'command',
  settings: 'ChaCha20-Poly1305, X25519: its native keys instead of RSA',
  ownKeys: true,
  version,
  open({ directory, recipients }) {
    const recipientsFile = join(directory, 'recipients');
    const keys = recipients.map(({ name }) => join(directory, `${name}.key`));
    writeFileSync(recipientsFile, keys.map((key) => `${generate(key)}\n`).join(''));
    return session(recipientsFile, keys[0]);
  },
};

function generate(path) {
  const { status, stderr } = spawnSync('age-keygen', ['-o', path], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`age-keygen failed: ${stderr}`);
  return /public key: (\S+)/.exec(readFileSync(path, 'utf8'))[1];
}

/** RFC 4253 section 6.6: the name, the exponent, the modulus, each after its length. */
function sshRsa(pemPath) {
  const { e, n } = createPublicKey(readFileSync(pemPath)).export({ format: 'jwk' });
  const fields = [Buffer.from('ssh-rsa'), integer(e), integer(n)];
  return `ssh-rsa ${Buffer.concat(fields.flatMap((field) => [length(field), field])).toString('base64')}`;
}

/** A leading zero keeps the number positive. */
function integer(base64url) {
  const bytes = Buffer.from(base64url, 'base64url');
  return bytes[0] < 0x80 ? bytes : Buffer.concat([Buffer.of(0), bytes]);
}

function length({ length: bytes }) {
  const field = Buffer.alloc(4);
  field.writeUInt32BE(bytes);
  return field;
}
