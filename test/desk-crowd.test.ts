/** Connections that want nothing, or take forever: they neither crowd out the one with the session nor keep keys open. */

import { once } from 'node:events';
import { Agent, request as httpRequest } from 'node:http';
import { connect, type Socket } from 'node:net';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { FileListing, OpenedView } from '../lib/desk/protocol.ts';
import { Recipients } from '../lib/recipients/recipients.ts';
import { DeskClient, seal, startDesk, type TestDesk } from './helpers/desk.ts';
import { type KeyPair, makeKeyPair } from './helpers/keys.ts';
import { tempDir } from './helpers/temp.ts';

let mary: KeyPair;
let recipients: Recipients;

beforeAll(async () => {
  mary = makeKeyPair(tempDir(), { name: 'mary' });
  recipients = await Recipients.load([mary.certificate]);
});

/** A connection, and when it is over. */
function meet({ origin, port }: TestDesk, first = ''): { socket: Socket; over: Promise<unknown> } {
  const socket = connect(port, new URL(origin).hostname);
  const over = new Promise((resolve) => socket.once('close', resolve));
  socket.on('error', () => undefined);
  socket.write(first);
  return { socket, over };
}

function lines({ host, origin }: TestDesk, method: string, path: string, headers: Record<string, string> = {}): string {
  const all = Object.entries({ Host: host, Origin: origin, ...headers }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  return `${method} ${path} HTTP/1.1\r\n${all.join('')}\r\n`;
}

describe('connections without a session', () => {
  it('do not take the place of the one that has it', async () => {
    const test = await startDesk({}, undefined, { strangerSeconds: 600 });
    const client = await DeskClient.enter(test);
    const crowd = Array.from({ length: 200 }, (_, n) =>
      meet(test, n % 2 === 0 ? '' : `${lines(test, 'POST', '/api/session', { 'Content-Length': '100' })}{`),
    );
    await Promise.all(crowd.slice(0, 100).map(({ over }) => over));
    await client.json('GET', '/api/desk');
    expect((await test.ask({ path: '/' })).status).toBe(200);
    for (const { socket } of crowd) socket.destroy();
  });

  it('are over soon, and those with one stay', async () => {
    const test = await startDesk({}, undefined, { strangerSeconds: 0.2 });
    const agent = new Agent({ keepAlive: true });
    const client = await DeskClient.enter(test);
    const ask = async () => {
      const request = httpRequest(`${test.origin}/api/desk`, { headers: client.headers, agent }).end();
      const [response] = await once(request, 'response');
      response.resume();
      await once(response, 'end');
      return request.reusedSocket;
    };
    await ask();
    const slow = `${lines(test, 'POST', '/api/session', { 'Content-Length': '100' })}{`;
    await Promise.all(['', 'GET', slow].map((first) => meet(test, first).over));
    expect(await ask()).toBe(true);
    agent.destroy();
  });

  it('that ask for what is no address are told so, without a word in the terminal', async () => {
    const test = await startDesk();
    const answerTo = async (text: string) => {
      const { socket, over } = meet(test, text);
      let answer = '';
      socket.on('data', (data) => {
        answer += data;
      });
      await over;
      return answer.split(' ')[1];
    };
    for (const target of ['//[', '//user:pass@:99999/', 'http://[', '*']) {
      expect([target, await answerTo(lines(test, 'GET', target))]).toEqual([target, '400']);
      expect([target, await answerTo(lines(test, 'GET', target, { Host: 'evil.example' }))]).toEqual([target, '421']);
    }
    expect(test.troubles).toEqual([]);
  });
});

describe('a transfer that stands still', () => {
  it('keeps no key open, and no desk', async () => {
    const large = tempDir();
    await seal(large, 'call.sealed', Buffer.alloc(30_000_000, 1), recipients);
    const options = { paths: [large], keys: [mary.privateKey], idleMinutes: 0.01 };
    const test = await startDesk(options, 0.1, { stallSeconds: 0.2 });
    const client = await DeskClient.enter(test);
    const { files } = await client.json<FileListing>('GET', '/api/files');
    const { handle } = await client.json<OpenedView>('POST', `/api/files/${files[0]!.id}/open`, {});
    await client.json('POST', `/api/open/${handle}/verify`);
    const { socket } = meet(test, lines(test, 'GET', `/media/${handle}/save`, { ...client.headers }));
    socket.pause();
    await vi.waitFor(() => expect(test.desk.keys.list()[0]!.locked).toBe(true), { timeout: 5000 });
    expect(await test.desk.ended).toBe('idle');
    socket.destroy();
  });

  it('is broken off when it comes from the page, too', async () => {
    const test = await startDesk({}, undefined, { stallSeconds: 0.2 });
    const client = await DeskClient.enter(test);
    const headers = { ...client.headers, 'Content-Length': '100' };
    for (const path of ['/api/drop?name=a.sealed', '/api/keys']) {
      await meet(test, `${lines(test, 'POST', path, headers)}CALLSEAL`).over;
    }
    expect(test.troubles).toEqual([]);
  });
});
