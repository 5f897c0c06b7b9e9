/** Who may ask the desk: only the page that was given the one-time token, at its own address, on this host. */

import { existsSync, readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { beforeAll, describe, expect, it } from 'vitest';
import { hostsFor, listenAt } from '../lib/desk/address.ts';
import { SECRET_HEADER } from '../lib/desk/protocol.ts';
import { parseRange } from '../lib/desk/range.ts';
import { DeskClient, redeem, startDesk, type TestDesk } from './helpers/desk.ts';
import { codeOf } from './helpers/errors.ts';

let test: TestDesk;
let client: DeskClient;

beforeAll(async () => {
  test = await startDesk();
  client = await DeskClient.enter(test);
});

const without = (name: string) => Object.fromEntries(Object.entries(client.headers).filter(([key]) => key !== name));

describe('the one-time token', () => {
  it('is dead once it was used, and no other is accepted', async () => {
    const fresh = await startDesk();
    const token = new URL(fresh.server.address).hash.slice(1);
    expect(token).toMatch(/^[\w-]{43}$/);
    expect((await redeem(fresh, 'x'.repeat(43))).status).toBe(403);
    expect((await redeem(fresh, '')).status).toBe(403);
    expect((await redeem(fresh, token)).status).toBe(200);
    expect((await redeem(fresh, token)).status).toBe(403);
    expect(fresh.server.address).toMatch(/#$/);
  });

  it('is not taken from another page', async () => {
    const fresh = await startDesk();
    const body = JSON.stringify({ token: new URL(fresh.server.address).hash.slice(1) });
    const headers = { Origin: 'http://evil.example', 'Content-Length': String(body.length) };
    expect((await fresh.ask({ method: 'POST', path: '/api/session', headers, body })).status).toBe(403);
    await DeskClient.enter(fresh);
  });

  it('gives a cookie that scripts and other sites never see', async () => {
    const fresh = await startDesk();
    const { headers } = await redeem(fresh, new URL(fresh.server.address).hash.slice(1));
    const [cookie] = headers['set-cookie']!;
    expect(cookie).toMatch(/^callseal-desk-[\w-]{12}=[\w-]{43}; HttpOnly; SameSite=Strict; Path=\/$/);
  });

  it('gives a cookie whose name no other server on this host can have taken', async () => {
    const names = [];
    for (const desk of [await startDesk(), await startDesk()]) {
      names.push((await DeskClient.enter(desk)).headers.Cookie!.split('=')[0]);
    }
    expect(names[0]).not.toBe(names[1]);
    const others = [`callseal-desk-${test.port}=x`, `${names[0]}=x`, 'sid=x'];
    const headers = { ...client.headers, Cookie: [...others, client.headers.Cookie].join('; ') };
    expect((await test.ask({ path: '/api/desk', headers })).status).toBe(200);
  });
});

describe('a request without a right to it', () => {
  const refused = async (headers: Record<string, string>, method = 'GET', path = '/api/desk') =>
    (await test.ask({ method, path, headers: { ...headers, 'Content-Length': '0' } })).status;

  it('is refused without cookie, without secret, and with wrong ones', async () => {
    expect(await refused({ ...client.headers })).toBe(200);
    expect(await refused({})).toBe(403);
    expect(await refused(without('Cookie'))).toBe(403);
    expect(await refused(without(SECRET_HEADER))).toBe(403);
    expect(await refused({ ...client.headers, [SECRET_HEADER]: 'A'.repeat(43) })).toBe(403);
    expect(
      await refused({ ...client.headers, Cookie: `${client.headers.Cookie!.split('=')[0]}=${'A'.repeat(43)}` }),
    ).toBe(403);
  });

  it('is refused under any other name of this host (DNS rebinding)', async () => {
    for (const host of [
      'evil.example',
      `localhost:${test.port}`,
      '127.0.0.1',
      `127.0.0.1:${test.port}`,
      `${test.host}1`,
    ]) {
      expect([host, await refused({ ...client.headers, Host: host })]).toEqual([host, 421]);
      expect([host, await refused({ Host: host }, 'GET', '/')]).toEqual([host, 421]);
    }
  });

  it('is refused from another origin, and without one when it changes something', async () => {
    for (const origin of ['http://evil.example', 'null', `http://127.0.0.1:${test.port}`]) {
      expect([origin, await refused({ ...client.headers, Origin: origin })]).toEqual([origin, 403]);
    }
    expect(await refused({ ...without('Origin'), 'Sec-Fetch-Site': 'cross-site' })).toBe(403);
    expect(await refused({ ...without('Origin'), 'Sec-Fetch-Site': 'same-site' })).toBe(403);
    expect(await refused(without('Origin'))).toBe(200);
    expect(await refused(without('Origin'), 'POST', '/api/rescan')).toBe(403);
    expect(await refused({ ...client.headers }, 'POST', '/api/rescan')).toBe(204);
  });

  it('never reaches a file of this host by its path', async () => {
    for (const path of [
      '/../package.json',
      '/..%2fpackage.json',
      '/assets/../../server.js',
      '//etc/passwd',
      '/server.js',
    ]) {
      const { status, body } = await test.ask({ path, headers: { ...client.headers } });
      expect([path, status]).toEqual([path, 404]);
      expect(body.toString()).toContain('there is nothing here');
    }
  });

  it('never gets more than a number as the name of a file or a key', async () => {
    for (const id of ['..', '..%2f..%2fetc%2fpasswd', '-1', '1.5', 'x', '999']) {
      await expect(client.json('POST', `/api/files/${id}/open`, {})).rejects.toThrow();
      await expect(client.json('DELETE', `/api/keys/${id}`)).rejects.toThrow();
    }
    expect(test.troubles).toEqual([]);
  });
});

describe('every answer', () => {
  it('forbids what is not the page’s own', async () => {
    for (const path of ['/', '/keys', '/api/desk', '/api/nothing', '/media/x/save']) {
      const { headers } = await test.ask({ path, headers: { ...client.headers } });
      expect(headers['content-security-policy']).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self'; /);
      expect(headers['content-security-policy']).not.toMatch(/unsafe|\*|https?:|blob:|data:/);
      expect(headers['cache-control']).toBe('no-store');
      expect(headers['x-content-type-options']).toBe('nosniff');
      expect(headers['referrer-policy']).toBe('no-referrer');
      expect(headers['cross-origin-resource-policy']).toBe('same-origin');
      expect(headers['cross-origin-opener-policy']).toBe('same-origin');
      expect(headers['access-control-allow-origin']).toBeUndefined();
    }
  });

  it('gives the page without anything inline or from outside', async () => {
    const page = (await test.ask({ path: '/' })).body.toString();
    expect(page).not.toMatch(/https?:\/\/|<style|style=| on\w+=/);
    const addresses = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address]) => address!);
    expect(addresses).toHaveLength(3);
    for (const path of addresses) {
      const { status, body } = await test.ask({ path });
      expect([path, status]).toEqual([path, 200]);
      expect(body.toString().replaceAll('http://www.w3.org/', '')).not.toMatch(
        /https?:\/\/(?!127)[\w.]+\/\S*\.(js|css)/,
      );
    }
  });
});

/** Where something listens on a port, as the system says. */
function listeningAt(port: number): string[] {
  const digits = port.toString(16).toUpperCase().padStart(4, '0');
  const rows = readFileSync('/proc/net/tcp', 'utf8').matchAll(
    new RegExp(`([0-9A-F]{8}):${digits} 00000000:0000 0A`, 'g'),
  );
  return [...rows].map(([, address]) => Buffer.from(address!, 'hex').reverse().join('.'));
}

it('listens at an address of its own on the loopback interface, and nowhere else', async () => {
  const host = new URL(test.origin).hostname;
  expect(host).toMatch(/^127\.[1-9]\d*\.[1-9]\d*\.[1-9]\d*$/);
  expect(new URL((await startDesk()).origin).hostname).not.toBe(host);
  const others = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  for (const elsewhere of [...others.map(({ address }) => address), '::1', '127.0.0.2']) {
    const outcome = await new Promise((resolve) => {
      const socket = connect(test.port, elsewhere);
      socket.once('connect', () => resolve('connected'));
      socket.once('error', () => resolve('refused'));
    });
    expect([elsewhere, outcome]).toEqual([elsewhere, 'refused']);
  }
  if (existsSync('/proc/net/tcp')) expect(listeningAt(test.port)).toEqual([host]);
});

it('listens at 127.0.0.1 where a port is named, or the host has no other address', async () => {
  expect(hostsFor(8321)).toEqual(['127.0.0.1']);
  const server = createServer();
  expect(await listenAt(server, ['192.0.2.1', '127.0.0.1'], 0)).toMatch(/^127\.0\.0\.1:\d+$/);
  const { port } = server.address() as AddressInfo;
  expect(await codeOf(() => listenAt(createServer(), ['127.0.0.1'], port))).toBe('ERR_IO');
  server.close();
});

it('takes one range of a body, as RFC 9110 has it', () => {
  const part = (header: string | undefined, size = 1000) => parseRange(header, size);
  expect(part(undefined)).toEqual({ start: 0, end: 1000, whole: true });
  expect(part('bytes=0-99')).toEqual({ start: 0, end: 100, whole: false });
  expect(part('bytes=900-')).toEqual({ start: 900, end: 1000, whole: false });
  expect(part('bytes=-10')).toEqual({ start: 990, end: 1000, whole: false });
  expect(part('bytes=-5000')).toEqual({ start: 0, end: 1000, whole: false });
  expect(part('bytes=500-9999')).toEqual({ start: 500, end: 1000, whole: false });
  expect(part('bytes=1000-')).toBeNull();
  expect(part('bytes=0-', 0)).toBeNull();
  expect(part('bytes=-0')).toBeNull();
  for (const odd of ['bytes=5-2', 'bytes=0-1,5-6', 'lines=1-2', 'bytes=-', 'bytes=0x1-2']) {
    expect(part(odd)).toMatchObject({ whole: true });
  }
});
