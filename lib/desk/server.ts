/**
 * The desk over HTTP: on the loopback interface only, for one browser. There is no TLS, as nothing leaves this host; whoever sits
 * elsewhere takes `ssh -L PORT:127.0.0.1:PORT`.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { CallsealError, hasCode } from '../errors.ts';
import { hostsFor, listenAt } from './address.ts';
import { problemOf, sendBytes, sendJson, sendProblem } from './answer.ts';
import { type Asset, loadAssets } from './assets.ts';
import { readJson } from './body.ts';
import { Connections, type StrangerLimits } from './connections.ts';
import type { Desk } from './desk.ts';
import { type Access, refusalOf } from './gate.ts';
import { matchPath, type Route } from './routes.ts';
import { CONTENT_ROUTES } from './routes-content.ts';
import { DESK_ROUTES } from './routes-desk.ts';
import { FILE_ROUTES } from './routes-files.ts';
import { KEY_ROUTES } from './routes-keys.ts';
import { Session } from './session.ts';

const ROUTES: readonly Route[] = [...FILE_ROUTES, ...KEY_ROUTES, ...CONTENT_ROUTES, ...DESK_ROUTES];
const SESSION_PATH = '/api/session';

/** A large file may take its time; headers may not. */
const LIMITS = { maxHeaderSize: 16 << 10, headersTimeout: 10_000, requestTimeout: 0, keepAliveTimeout: 5_000 };

/** What the server does not wait for. */
export interface ServerLimits extends StrangerLimits {
  /** Seconds without a byte, after which a body that comes or goes is broken off. */
  stallSeconds: number;
}

const PATIENCE: ServerLimits = { strangerSeconds: 10, strangers: 32, stallSeconds: 60 };

export class DeskServer {
  readonly #desk: Desk;
  readonly #assets: ReadonlyMap<string, Asset>;
  readonly #onTrouble: (error: unknown) => void;
  readonly #stallMilliseconds: number;
  readonly #session = new Session();
  readonly #server: Server;
  readonly #connections: Connections;
  /** Answers that are being made. */
  readonly #answers = new Set<Promise<void>>();
  #isClosing = false;
  #host = '';

  private constructor(
    desk: Desk,
    assets: ReadonlyMap<string, Asset>,
    onTrouble: (error: unknown) => void,
    limits: ServerLimits,
  ) {
    this.#desk = desk;
    this.#assets = assets;
    this.#onTrouble = onTrouble;
    this.#stallMilliseconds = limits.stallSeconds * 1000;
    this.#server = createServer(LIMITS, (request, response) => this.#take(request, response));
    this.#connections = new Connections(this.#server, limits);
  }

  /**
   * @param port At 127.0.0.1; 0 takes any that is free, at an address of its own.
   * @param onTrouble Hears of errors that are nobody's fault but ours.
   * @throws {CallsealError} `ERR_IO` when the port is taken, or the page was not built
   */
  static async listen(
    desk: Desk,
    port: number,
    onTrouble: (error: unknown) => void,
    limits: Partial<ServerLimits> = {},
  ): Promise<DeskServer> {
    const server = new DeskServer(desk, await loadAssets(), onTrouble, { ...PATIENCE, ...limits });
    server.#host = await listenAt(server.#server, hostsFor(port), port);
    return server;
  }

  /** For the one who starts the desk: behind the `#`, which no browser sends anywhere, is the one-time token. */
  get address(): string {
    return `http://${this.#host}/#${this.#session.token ?? ''}`;
  }

  /** Forgets the keys, tells the page so, and waits for what is under way. */
  async close(): Promise<void> {
    this.#isClosing = true;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    // Also those whose bytes are still on their way.
    this.#desk.keys.close();
    await this.#desk.forget();
    await this.#desk.listeners.end();
    this.#server.closeAllConnections();
    await closed;
    await Promise.all(this.#answers);
  }

  #take(request: IncomingMessage, response: ServerResponse): void {
    // What is worked on may take its time; what a peer has to send, or to take, may not.
    response.setTimeout(this.#stallMilliseconds, () => {
      if (!request.complete || response.headersSent) response.destroy();
    });
    const answer = this.#answer(request, response).finally(() => this.#answers.delete(answer));
    this.#answers.add(answer);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      if (this.#isClosing) response.destroy();
      if (this.#isClosing || !this.#admits(request, response, 'page')) return;
      const target = targetOf(request);
      if (target === null) {
        response.setHeader('Connection', 'close');
        return sendProblem(response, 400, { code: 'ERR_DESK', message: 'this is no address of the desk' });
      }
      const { pathname, searchParams } = target;
      const asset = this.#assets.get(pathname);
      if (asset !== undefined) return this.#page(request, response, asset);
      if (pathname === SESSION_PATH) return await this.#begin(request, response);
      const found = findRoute(request.method, pathname);
      if (!this.#admits(request, response, found?.route.access ?? 'api')) return;
      if (found === null) return sendProblem(response, 404, { code: 'ERR_DESK', message: 'there is nothing here' });
      const { route, params } = found;
      if (route.listens !== true) this.#watch(response);
      const onTrouble = this.#onTrouble;
      await route.answer({ desk: this.#desk, request, response, params, query: searchParams, onTrouble });
    } catch (error) {
      this.#fail(request, response, error);
    }
  }

  #page(request: IncomingMessage, response: ServerResponse, { type, body }: Asset): void {
    if (request.method === 'GET' || request.method === 'HEAD') sendBytes(response, 200, type, body);
    else sendProblem(response, 405, { code: 'ERR_DESK', message: 'the page can only be read' });
  }

  /** Trades the one-time token for cookie and secret. */
  async #begin(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { token } = request.method === 'POST' ? await readJson(request) : {};
    const session = typeof token === 'string' ? this.#session.redeem(token) : null;
    if (session === null) {
      const message = 'this address was used before; the desk opens once, in one browser. Start callseal desk again';
      return sendProblem(response, 403, { code: 'ERR_DESK', message });
    }
    this.#connections.admit(request.socket);
    this.#watch(response);
    response.setHeader('Set-Cookie', `${session.cookie}; HttpOnly; SameSite=Strict; Path=/`);
    sendJson(response, { secret: session.secret });
  }

  #watch(response: ServerResponse): void {
    this.#desk.requestBegan();
    response.once('close', () => this.#desk.requestEnded());
  }

  #admits(request: IncomingMessage, response: ServerResponse, access: Access): boolean {
    const refusal = refusalOf(request, access, this.#session, this.#host);
    if (refusal === null) {
      if (access !== 'page') this.#connections.admit(request.socket);
      return true;
    }
    // What else it may send is not read.
    response.setHeader('Connection', 'close');
    sendProblem(response, refusal.status, { code: 'ERR_DESK', message: refusal.message });
    return false;
  }

  #fail(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    const isGone = request.socket.destroyed;
    if (!(error instanceof CallsealError) && !isGone) this.#onTrouble(error);
    if (isGone || response.headersSent || hasCode(error, 'ERR_ABORTED')) {
      response.destroy();
      return;
    }
    if (!request.complete) response.setHeader('Connection', 'close');
    sendProblem(response, error instanceof CallsealError ? 422 : 500, problemOf(error));
  }
}

/** Null for what a browser would not ask for. */
function targetOf({ url }: IncomingMessage): URL | null {
  const base = 'http://desk';
  return url?.startsWith('/') && URL.canParse(url, base) ? new URL(url, base) : null;
}

function findRoute(method: string | undefined, path: string): { route: Route; params: string[] } | null {
  for (const route of ROUTES) {
    if (route.method !== (method === 'HEAD' ? 'GET' : method)) continue;
    const params = matchPath(route.path, path);
    if (params !== null) return { route, params };
  }
  return null;
}
