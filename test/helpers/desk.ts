/** A desk for tests, and whoever asks it: with a session, or with requests that no browser would send. */

import { writeFileSync } from 'node:fs';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll } from 'vitest';
import { encrypt } from '../../lib/callfile/encrypt-buffer.ts';
import { Desk, type DeskOptions } from '../../lib/desk/desk.ts';
import { type DeskEvent, SECRET_HEADER } from '../../lib/desk/protocol.ts';
import { DeskServer, type ServerLimits } from '../../lib/desk/server.ts';
import { CallsealError } from '../../lib/errors.ts';
import type { Recipients } from '../../lib/recipients/recipients.ts';

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

export interface Question {
  method?: string;
  path: string;
  headers?: Record<string, string>;
  body?: string | Uint8Array;
}

export interface TestDesk {
  desk: Desk;
  server: DeskServer;
  /** Its address, as `Host` has it. */
  host: string;
  port: number;
  origin: string;
  /** What went wrong that should not. */
  troubles: unknown[];
  /** As it comes: `Host` is right unless `headers` say otherwise. */
  ask(question: Question): Promise<Answer>;
}

const OPTIONS: DeskOptions = {
  paths: [],
  keys: [],
  passphrases: [],
  suffix: '.sealed',
  outputDir: null,
  hierarchy: null,
  idleMinutes: 30,
};

const open = new Set<TestDesk>();

afterAll(async () => {
  for (const each of open) await closeDesk(each);
});

export async function startDesk(
  options: Partial<DeskOptions> = {},
  forgetSeconds?: number,
  { port = 0, ...limits }: Partial<ServerLimits> & { port?: number } = {},
): Promise<TestDesk> {
  const desk = await Desk.open({ ...OPTIONS, ...options }, forgetSeconds);
  const troubles: unknown[] = [];
  const server = await DeskServer.listen(desk, port, (error) => troubles.push(error), limits);
  await desk.shelf.scan();
  const { host, port: taken, origin } = new URL(server.address);
  const ask = (question: Question): Promise<Answer> => askAt(origin, question);
  const made = { desk, server, host, port: Number(taken), origin, troubles, ask };
  open.add(made);
  return made;
}

export async function closeDesk(test: TestDesk): Promise<void> {
  open.delete(test);
  await test.server.close();
  await test.desk.close();
}

function askAt(origin: string, { method = 'GET', path, headers = {}, body }: Question): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(origin, { method, path, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(chunks) }),
      );
    });
    request.on('error', reject);
    request.end(body);
  });
}

/** One who has the session. */
export class DeskClient {
  readonly #test: TestDesk;
  readonly headers: Readonly<Record<string, string>>;

  private constructor(test: TestDesk, cookie: string, secret: string) {
    this.#test = test;
    this.headers = { Cookie: cookie, Origin: test.origin, [SECRET_HEADER]: secret };
  }

  static async enter(test: TestDesk): Promise<DeskClient> {
    const token = new URL(test.server.address).hash.slice(1);
    const { status, headers, body } = await redeem(test, token);
    if (status !== 200) throw new Error(`no session: ${status} ${body}`);
    return new DeskClient(test, headers['set-cookie']![0]!.split(';')[0]!, JSON.parse(body.toString()).secret);
  }

  /** The answer as it comes. */
  ask(method: string, path: string, body?: string | Uint8Array, headers: Record<string, string> = {}): Promise<Answer> {
    const length = { 'Content-Length': String(body === undefined ? 0 : Buffer.byteLength(body)) };
    const question = { method, path, headers: { ...this.headers, ...length, ...headers } };
    return this.#test.ask(body === undefined ? question : { ...question, body });
  }

  /** JSON in and out; whatever is no success is an error with the problem's code. */
  async json<T>(method: string, path: string, body?: object): Promise<T> {
    const answer = await this.ask(method, path, body === undefined ? undefined : JSON.stringify(body));
    return this.#result(answer);
  }

  /** Gives a key as the page does. */
  async giveKey<T>(name: string, key: Uint8Array, passphrase = ''): Promise<T> {
    const secret = Buffer.from(passphrase);
    const length = Buffer.from([secret.length >> 8, secret.length & 0xff]);
    const body = Buffer.concat([length, secret, key]);
    return this.#result(await this.ask('POST', `/api/keys?name=${encodeURIComponent(name)}`, body));
  }

  async drop<T>(name: string, bytes: Uint8Array): Promise<T> {
    return this.#result(await this.ask('POST', `/api/drop?name=${encodeURIComponent(name)}`, bytes));
  }

  /** What the desk tells, from now on. */
  listen(): Promise<DeskEvent[]> {
    const told: DeskEvent[] = [];
    return new Promise((resolve, reject) => {
      const where = new URL('/api/events', this.#test.origin);
      const request = httpRequest(where, { agent: false, headers: this.headers }, (response) => {
        const lines = createInterface({ input: response });
        lines.on('line', (line) => told.push(JSON.parse(line)));
        lines.once('line', () => resolve(told));
        for (const each of [lines, response]) each.on('error', () => undefined); // the desk has ended
      });
      request.once('error', reject);
      request.end();
    });
  }

  #result<T>({ status, body }: Answer): T {
    const value = body.length === 0 ? undefined : JSON.parse(body.toString());
    if (status >= 300) throw new CallsealError(value.problem.code, value.problem.message);
    return value as T;
  }
}

export function redeem(test: TestDesk, token: string): Promise<Answer> {
  const body = JSON.stringify({ token });
  const headers = { Origin: test.origin, 'Content-Length': String(Buffer.byteLength(body)) };
  return test.ask({ method: 'POST', path: '/api/session', headers, body });
}

/** Encrypts bytes into a file. */
export async function seal(
  directory: string,
  name: string,
  bytes: Uint8Array,
  recipients: Recipients,
  segmentLength?: number,
): Promise<string> {
  const path = join(directory, name);
  writeFileSync(path, await encrypt(bytes, { recipients, ...(segmentLength !== undefined && { segmentLength }) }));
  return path;
}
