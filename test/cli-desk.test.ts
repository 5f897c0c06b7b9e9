/** `callseal desk` as a command: its address, its keys, its end. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import { callseal, finish, start } from './helpers/cli.ts';
import { makeKeyPair } from './helpers/keys.ts';
import { makeSite, PASSPHRASE } from './helpers/keys-cli.ts';
import { tempDir } from './helpers/temp.ts';

/** Starts a desk; the address is the first line that it prints. */
async function desk(args: readonly string[], env: NodeJS.ProcessEnv = {}, cwd = tempDir()) {
  const child = start(['desk', ...args], { env, cwd });
  const lines = createInterface({ input: child.stdout });
  const address = new Promise<string>((resolve) => lines.once('line', resolve));
  const end = finish(child);
  const first = await Promise.race([address, end.then(({ stderr }) => Promise.reject(new Error(stderr)))]);
  return { child, end, address: new URL(first) };
}

/** What the desk tells of itself to the one with the token. */
async function ask(address: URL, path: string): Promise<unknown> {
  const { origin, hash } = address;
  const body = JSON.stringify({ token: hash.slice(1) });
  const entered = await fetch(`${origin}/api/session`, { method: 'POST', body, headers: { Origin: origin } });
  const { secret } = (await entered.json()) as { secret: string };
  const cookie = entered.headers.get('set-cookie')!.split(';')[0]!;
  const response = await fetch(origin + path, { headers: { Cookie: cookie, 'x-callseal-desk': secret } });
  return response.json();
}

describe('callseal desk', () => {
  it('prints an address that works once, and ends with Ctrl-C', async () => {
    const cwd = tempDir();
    const { certificate, privateKey } = makeKeyPair(cwd, { name: 'lucy', passphrase: 'secret' });
    writeFileSync(join(cwd, 'call.txt'), 'hello');
    expect((await callseal(['encrypt', '-r', certificate, 'call.txt'], { cwd })).status).toBe(0);
    const args = ['.', '-k', privateKey, '--passphrase-env', 'P', '--output-dir', 'out'];
    const { child, end, address } = await desk(args, { P: 'secret' }, cwd);
    expect(address.host).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(await ask(address, '/api/keys')).toMatchObject([{ locked: false, bits: 2048 }]);
    child.kill('SIGINT');
    const { status, stderr } = await end;
    expect([status, stderr]).toEqual([0, expect.stringContaining('keys are forgotten')]);
  });

  it('shows the key hierarchy of a store that is named', async () => {
    const site = await makeSite();
    await site.ok('master create');
    const { child, end, address } = await desk(
      ['--installation-passphrase-env', 'SITE_PASSPHRASE', '-q'],
      { ...site.env, SITE_PASSPHRASE: PASSPHRASE },
      site.cwd,
    );
    expect(await ask(address, '/api/hierarchy')).toMatchObject({
      masters: [{ current: true, suite: 'aes/aes/sha256' }],
    });
    child.kill('SIGTERM');
    expect(await end).toMatchObject({ status: 0, stderr: '' });
  });

  it('says what is wrong before it opens', async () => {
    const cwd = tempDir();
    const { privateKey } = makeKeyPair(cwd, { name: 'lucy', passphrase: 'secret' });
    const run = async (...args: string[]) => {
      const { status, stderr } = await callseal(['desk', ...args], { cwd, env: { P: 'wrong' } });
      return [status, stderr];
    };
    expect(await run('nothing-here')).toEqual([13, expect.stringContaining('nothing-here')]);
    expect(await run('-k', privateKey, '--passphrase-env', 'P')).toEqual([
      6,
      expect.stringContaining('lucy_private.key'),
    ]);
    expect(await run('--port', '99999')).toEqual([2, expect.stringContaining('--port')]);
    expect(await run('--passphrase', 'x')).toEqual([2, expect.stringContaining('not taken from the command line')]);
    const { child, end, address } = await desk([]);
    expect(await run('--port', address.port)).toEqual([13, expect.stringContaining('--port')]);
    child.kill('SIGINT');
    await end;
  });

  it('is told about with examples', async () => {
    const { stdout } = await callseal(['desk', '--help']);
    expect(stdout.toString()).toContain('callseal desk /var/lumenvox/responses');
    expect(readFileSync(new URL('../docs/cli.md', import.meta.url), 'utf8')).toContain('| `callseal desk ');
  });
});
