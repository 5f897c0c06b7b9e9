/** `callseal desk` as a command: its address, its keys, its end. */

import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import { ByteSearch } from './helpers/byte-search.ts';
import { callseal, finish, start } from './helpers/cli.ts';
import { makeKeyPair } from './helpers/keys.ts';
import { makeSite, PASSPHRASE } from './helpers/keys-cli.ts';
import { searchProcess } from './helpers/process-memory.ts';
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

/** Headers of the one who has the token. */
async function enter({ origin, hash }: URL): Promise<Record<string, string>> {
  const body = JSON.stringify({ token: hash.slice(1) });
  const entered = await fetch(`${origin}/api/session`, { method: 'POST', body, headers: { Origin: origin } });
  const { secret } = (await entered.json()) as { secret: string };
  const cookie = entered.headers.get('set-cookie')!.split(';')[0]!;
  return { Cookie: cookie, Origin: origin, 'x-callseal-desk': secret };
}

/** What the desk tells of itself to the one with the token. */
async function ask(address: URL, path: string): Promise<unknown> {
  const response = await fetch(address.origin + path, { headers: await enter(address) });
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
    expect(address.host).toMatch(/^127\.\d+\.\d+\.\d+:\d+$/);
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
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    expect(await run('--port', String(port))).toEqual([13, expect.stringContaining('--port')]);
    server.close();
  });

  it('saves nowhere where others could lead it elsewhere', async () => {
    const cwd = tempDir();
    mkdirSync(join(cwd, 'loose/out'), { recursive: true });
    chmodSync(join(cwd, 'loose/out'), 0o1777);
    const refused = async () => {
      const { status, stderr } = await callseal(['desk', '--output-dir', 'loose/out'], { cwd });
      expect([status, stderr]).toEqual([2, expect.stringMatching(/--output-dir: every user may write .*chmod o-w/)]);
    };
    await refused();
    chmodSync(join(cwd, 'loose/out'), 0o700);
    chmodSync(join(cwd, 'loose'), 0o777);
    await refused();
    chmodSync(join(cwd, 'loose'), 0o700);
    const { child, end } = await desk(['--output-dir', 'loose/out'], {}, cwd);
    child.kill('SIGINT');
    expect((await end).stderr).not.toContain('warning');
  });

  it('keeps nothing of a passphrase but in the buffer of Node’s HTTP parser', async () => {
    const passphrase = 'Vb6Ym9Xh2JdK3wZ8rTq1';
    const { privateKey } = makeKeyPair(tempDir(), { name: 'lucy', passphrase });
    const { child, end, address } = await desk(['-k', privateKey]);
    const headers = await enter(address);
    const unlocked = await fetch(`${address.origin}/api/keys/0/unlock`, { method: 'POST', headers, body: passphrase });
    expect(await unlocked.json()).toMatchObject({ locked: false });
    const search = new ByteSearch([{ name: 'passphrase', bytes: Buffer.from(passphrase) }]);
    expect(searchProcess(child.pid!, search).length).toBeLessThanOrEqual(1);
    child.kill('SIGINT');
    await end;
  });

  it('is told about with examples', async () => {
    const { stdout } = await callseal(['desk', '--help']);
    expect(stdout.toString()).toContain('callseal desk /var/lumenvox/responses');
    expect(readFileSync(new URL('../docs/cli.md', import.meta.url), 'utf8')).toContain('| `callseal desk ');
  });
});
