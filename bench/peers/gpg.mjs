import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { KEYS } from '../harness/paths.mjs';
import { commandVersion } from './command-version.mjs';

const HOME = join(KEYS, 'gnupg');
const env = { GNUPGHOME: HOME };
const version = () => commandVersion('gpg', ['--version'], /GnuPG\) (\S+)/);

/** GnuPG, whose keys are its own: made once and kept. Its agent does the private-key operations. */
export default {
  id: 'gpg',
  name: 'gpg',
  kind: 'command',
  settings:
    'AES-256 in OCB where it can (2.3 on), else CFB with MDC; no compression; RSA (PKCS #1 v1.5) keys of its own',
  version,
  open({ recipients }) {
    mkdirSync(HOME, { recursive: true, mode: 0o700 });
    const users = recipients.map(({ name, bits }) => user(name, bits));
    const agent = Number(/^D (\d+)/.exec(gpgTool('gpg-connect-agent', ['getinfo pid', '/bye']))[1]);
    const common = ['gpg', '--batch', '--quiet', '--no-tty', '--no-auto-check-trustdb', '--trust-model', 'always'];
    const encryption = ['--compress-algo', 'none', '--cipher-algo', 'AES256', ...(hasOcb() ? ['--force-ocb'] : [])];
    const to = users.flatMap((name) => ['--recipient', name]);
    return {
      env,
      encrypt: (input, output) => [...common, ...encryption, ...to, '--output', output, '--encrypt', input],
      decrypt: (input, output) => [...common, '--output', output, '--decrypt', input],
      companions: () => [agent],
      close: () => gpgTool('gpgconf', ['--kill', 'gpg-agent']),
    };
  },
};

function hasOcb() {
  const [major, minor] = version().split('.').map(Number);
  return major > 2 || (major === 2 && minor >= 3);
}

/** The user id of a key, made if it is not there yet. */
function user(name, bits) {
  const id = `=${name}`;
  if (spawnSync('gpg', ['--batch', '--list-secret-keys', id], { env: { ...process.env, ...env } }).status === 0)
    return id;
  const parameters = ['%no-protection', 'Key-Type: RSA', `Key-Length: ${bits}`, 'Key-Usage: encrypt,sign,cert'];
  gpgTool(
    'gpg',
    ['--batch', '--gen-key'],
    [...parameters, `Name-Real: ${name}`, 'Expire-Date: 0', '%commit', ''].join('\n'),
  );
  return id;
}

function gpgTool(command, args, input = '') {
  const { status, stdout, stderr } = spawnSync(command, args, {
    input,
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  if (status !== 0) throw new Error(`${command} failed: ${stderr}`);
  return stdout;
}
