/**
 * The desk over HTTP: on 127.0.0.1 only, for one browser. There is no TLS, as nothing leaves this host; whoever sits
 * elsewhere takes `ssh -L PORT:127.0.0.1:PORT`.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { CallsealError, errnoOf, hasCode } from '../errors.ts';
import { problemOf, sendBytes, sendJson, sendProblem } from './answer.ts';
import { type Asset, loadAssets } from './assets.ts';
import { readJson } from './body.ts';
import type { Desk } from './desk.ts';
import { type Access, refusalOf } from './gate.ts';
import { matchPath, type Route } from './routes.ts';
import { CONTENT_ROUTES } from './routes-content.ts';
import { DESK_ROUTES } from './routes-desk.ts';
import { FILE_ROUTES } from './routes-files.ts';
import { KEY_ROUTES } from './routes-keys.ts';
import { cookieName, Session } from './session.ts';

const HOST = '127.0.0.1';
const ROUTES: readonly Route[] = [...FILE_ROUTES, ...KEY_ROUTES, ...CONTENT_ROUTES, ...DESK_ROUTES];
const SESSION_PATH = '/api/session';

/** A large file may take its time; headers may not. */
const LIMITS = { maxHeaderSize: 16 << 10, headersTimeout: 10_000, requestTimeout: 0, keepAliveTimeout: 5_000 };
const MAX_CONNECTIONS = 64;

export class DeskServer {
  readonly #desk: Desk;
  readonly #assets: ReadonlyMap<string, Asset>;
  readonly #onTrouble: (error: unknown) => void;
  readonly #session = new Session();
  readonly #server: Server;

  private constructor(desk: Desk, assets: ReadonlyMap<string, Asset>, onTrouble: (error: unknown) => void) {
    this.#desk = desk;
    this.#assets = assets;
    this.#onTrouble = onTrouble;
    this.#server = createServer(LIMITS, (request, response) => void this.#answer(request, response));
    this.#server.maxConnections = MAX_CONNECTIONS;
  }

  /**
   * @param port 0 takes any that is free.
   * @param onTrouble Hears of errors that are nobody's fault but ours.
   * @throws {CallsealError} `ERR_IO` when the port is taken, or the page was not built
   */
  static async listen(desk: Desk, port: number, onTrouble: (error: unknown) => void): Promise<DeskServer> {
    const desks = new DeskServer(desk, await loadAssets(), onTrouble);
    await new Promise<void>((resolve, reject) => {
      desks.#server.once('error', (error) => reject(cannotListen(port, error)));
      desks.#server.listen(port, HOST, resolve);
    });
    return desks;
  }

  get port(): number {
    const address = this.#server.address();
    return address !== null && typeof address === 'object' ? address.port : 0;
  }

  /** For the one who starts the desk: behind the `#`, which no browser sends anywhere, is the one-time token. */
  get address(): string {
    return `http://${HOST}:${this.port}/#${this.#session.token ?? ''}`;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const { pathname, searchParams } = new URL(request.url ?? '/', `http://${HOST}`);
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
    if (!this.#admits(request, response, 'page')) return;
    if (request.method === 'GET' || request.method === 'HEAD') sendBytes(response, 200, type, body);
    else sendProblem(response, 405, { code: 'ERR_DESK', message: 'the page can only be read' });
  }

  /** Trades the one-time token for cookie and secret. */
  async #begin(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!this.#admits(request, response, 'page')) return;
    const { token } = request.method === 'POST' ? await readJson(request) : {};
    const session = typeof token === 'string' ? this.#session.redeem(token) : null;
    if (session === null) {
      const message = 'this address was used before; the desk opens once, in one browser. Start callseal desk again';
      return sendProblem(response, 403, { code: 'ERR_DESK', message });
    }
    this.#watch(response);
    const cookie = `${cookieName(this.port)}=${session.cookie}; HttpOnly; SameSite=Strict; Path=/`;
    response.setHeader('Set-Cookie', cookie);
    sendJson(response, { secret: session.secret });
  }

  #watch(response: ServerResponse): void {
    this.#desk.requestBegan();
    response.once('close', () => this.#desk.requestEnded());
  }

  #admits(request: IncomingMessage, response: ServerResponse, access: Access): boolean {
    const refusal = refusalOf(request, access, this.#session, this.port);
    if (refusal === null) return true;
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

function findRoute(method: string | undefined, path: string): { route: Route; params: string[] } | null {
  for (const route of ROUTES) {
    if (route.method !== (method === 'HEAD' ? 'GET' : method)) continue;
    const params = matchPath(route.path, path);
    if (params !== null) return { route, params };
  }
  return null;
}

function cannotListen(port: number, error: Error): CallsealError {
  const errno = errnoOf(error);
  const reason = errno === 'EADDRINUSE' ? 'another process has this port' : (errno ?? error.message);
  const details = { cause: error, ...(errno === undefined ? {} : { errno }) };
  return new CallsealError(
    'ERR_IO',
    `cannot listen on ${HOST}:${port}: ${reason}; choose another with --port`,
    details,
  );
}
