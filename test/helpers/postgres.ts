/** A real PostgreSQL server, in a data directory of its own, for one test file. It ends when the tests do, however they do. */

import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll } from 'vitest';

export interface PostgresOptions {
  /** Lines of pg_hba.conf. Everybody is trusted without. */
  readonly access?: readonly string[];
  /** PEM; switches TLS on. */
  readonly tls?: { readonly certificate: string; readonly key: string };
  /** Of postgresql.conf. */
  readonly settings?: Readonly<Record<string, string>>;
}

const SUPERUSER = 'postgres';

/** Speed counts more than what is left after a power cut. */
const SETTINGS: Readonly<Record<string, string>> = {
  fsync: 'off',
  full_page_writes: 'off',
  jit: 'off',
  shared_buffers: '16MB',
  max_connections: '60',
  listen_addresses: '127.0.0.1',
};

/** Runs the server until its own input ends, which it does with the process of the tests; `keep` comes before a restart. */
const KEEPER = `
  directory=$1; shift
  "$@" </dev/null & server=$!
  read -r word
  kill -INT $server; wait $server
  [ "$word" = keep ] || rm -rf "$directory"
`;

/** The directory with `initdb` and `postgres`, newest version first; Debian keeps it out of the PATH. */
function programs(): string {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const places = [...versions.map((version) => join(debian, version, 'bin')), ...(process.env.PATH ?? '').split(':')];
  const found = places.find((place) => existsSync(join(place, 'initdb')) && existsSync(join(place, 'postgres')));
  if (found === undefined) throw new Error('no PostgreSQL server: run `node scripts/setup.mjs test`');
  return found;
}

/** PostgreSQL does not run as root. */
function serverUser(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string, user: string) =>
    Number(execFileSync('id', [flag, user], { stdio: ['ignore', 'pipe', 'ignore'] }));
  try {
    return { uid: id('-u', 'postgres'), gid: id('-g', 'postgres') };
  } catch {
    return { uid: id('-u', 'nobody'), gid: id('-g', 'nobody') };
  }
}

/** Starts a server that the tests of this file share. */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const server = new PostgresServer(options);
  afterAll(() => server.end());
  await server.start();
  return server;
}

export class PostgresServer {
  /** Of its socket, and of everything else. */
  readonly directory = mkdtempSync(join(tmpdir(), 'callseal-pg-'));
  readonly #options: PostgresOptions;
  readonly #user = serverUser();
  readonly #programs = programs();
  #port = 0;
  #keeper: ChildProcessWithoutNullStreams | undefined;
  #databases = 0;

  constructor(options: PostgresOptions) {
    this.#options = options;
    const { uid, gid } = this.#user;
    if (uid !== undefined && gid !== undefined) chownSync(this.directory, uid, gid);
    chmodSync(this.directory, 0o755);
    const initdb = ['-D', this.#data, '-U', SUPERUSER, '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'];
    execFileSync(join(this.#programs, 'initdb'), initdb, { ...this.#user, cwd: this.directory, stdio: 'pipe' });
    const { access, tls } = options;
    if (access !== undefined) this.#write('data/pg_hba.conf', `${access.join('\n')}\n`);
    if (tls !== undefined) {
      this.#write('server.crt', tls.certificate);
      this.#write('server.key', tls.key);
    }
  }

  get port(): number {
    return this.#port;
  }

  /** On the loopback interface. */
  url(
    database: string,
    { user = SUPERUSER, password = '', host = '127.0.0.1', port = this.#port, query = '' } = {},
  ): string {
    const credentials = password === '' ? user : `${user}:${encodeURIComponent(password)}`;
    return `postgres://${credentials}@${host}:${port}/${database}${query === '' ? '' : `?${query}`}`;
  }

  /** By its socket. */
  socketUrl(database: string, query = ''): string {
    return `postgres://${SUPERUSER}@:${this.#port}/${database}?host=${this.directory}${query === '' ? '' : `&${query}`}`;
  }

  /** Makes an empty database and returns its name. */
  async createDatabase(): Promise<string> {
    this.#databases += 1;
    const name = `test_${this.#databases}`;
    await this.query('postgres', `create database ${name}`);
    return name;
  }

  /** Runs statements as the superuser. */
  async query(database: string, statements: string): Promise<Record<string, unknown>[]> {
    const client = new pg.Client({ host: this.directory, port: this.#port, user: SUPERUSER, database });
    await client.connect();
    try {
      return (await client.query(statements)).rows;
    } finally {
      await client.end();
    }
  }

  /** Also starts it again, on the same port. */
  async start(): Promise<void> {
    if (this.#port === 0) this.#port = await freePort();
    const settings = {
      ...SETTINGS,
      ...this.#options.settings,
      port: String(this.#port),
      unix_socket_directories: this.directory,
    };
    const tls = this.#options.tls && {
      ssl: 'on',
      ssl_cert_file: join(this.directory, 'server.crt'),
      ssl_key_file: join(this.directory, 'server.key'),
    };
    const args = Object.entries({ ...settings, ...tls }).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const command = [join(this.#programs, 'postgres'), '-D', this.#data, ...args];
    // In a session of its own, so that Ctrl-C comes to the tests first.
    this.#keeper = spawn('sh', ['-c', KEEPER, 'sh', this.directory, ...command], {
      ...this.#user,
      cwd: this.directory,
      detached: true,
    });
    await ready(this.#keeper);
  }

  /** Ends its connections, too, and keeps the data. */
  stop(): Promise<void> {
    return this.#tell('keep\n');
  }

  /** For good. */
  async end(): Promise<void> {
    await this.#tell('end\n');
    rmSync(this.directory, { recursive: true, force: true });
  }

  async #tell(word: string): Promise<void> {
    const keeper = this.#keeper;
    this.#keeper = undefined;
    if (keeper === undefined) return;
    const ended = new Promise((resolve) => keeper.once('close', resolve));
    keeper.stdin.end(word);
    await ended;
  }

  get #data(): string {
    return join(this.directory, 'data');
  }

  #write(name: string, text: string): void {
    const path = join(this.directory, name);
    writeFileSync(path, text, { mode: 0o600 });
    const { uid, gid } = this.#user;
    if (uid !== undefined && gid !== undefined) chownSync(path, uid, gid);
  }
}

/** Resolves when the server says that it takes connections; what it says instead is the error. */
function ready(keeper: ChildProcessWithoutNullStreams): Promise<void> {
  return new Promise((resolve, reject) => {
    let log = '';
    keeper.stderr.setEncoding('utf8').on('data', (text: string) => {
      log = `${log}${text}`.slice(-10_000);
      if (log.includes('ready to accept connections')) resolve();
    });
    keeper.once('error', reject);
    keeper.once('close', () => reject(new Error(`PostgreSQL ended:\n${log}`)));
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
