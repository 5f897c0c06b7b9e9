import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { findFipsModule, findSystemModule, findSystemModuleFile, readFipsDirectory } from '../lib/fips/discover.ts';

const REPOSITORY = join(import.meta.dirname, '..');
const CONFIG = '[fips_sect]\nactivate = 1\nmodule-mac = 00:FF\n';

let scratch: string;

beforeEach(() => {
  scratch = realpathSync(mkdtempSync(join(tmpdir(), 'callseal-test-')));
  vi.stubEnv('CALLSEAL_FIPS_DIR', undefined);
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(scratch, { recursive: true });
});

/** A library of which nothing is special but the name of one section. */
function library(section = '.rodata2'): Buffer {
  const path = join(scratch, 'built.so');
  const source = `extern "C" __attribute__((used, section("${section}"))) const char m[32] = {1};`;
  execFileSync('g++', ['-shared', '-fPIC', '-x', 'c++', '-o', path, '-'], { input: source });
  return readFileSync(path);
}

function put(path: string, text: string | Buffer): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}

/** Discovery looks at names, modes and tables; whether a module works shows when it is loaded. */
function putModule(directory: string, config: string | null = CONFIG): string {
  put(join(directory, 'fips.so'), library());
  if (config !== null) put(join(directory, 'fipsmodule.cnf'), config);
  return directory;
}

describe('CALLSEAL_FIPS_DIR', () => {
  it('is used before anything else', () => {
    const directory = putModule(join(scratch, 'named'));
    vi.stubEnv('CALLSEAL_FIPS_DIR', directory);
    expect(findFipsModule()).toEqual({
      modulePath: join(directory, 'fips.so'),
      moduleConfig: 'module-mac = 00:FF\n',
      configPath: join(directory, 'fipsmodule.cnf'),
      origin: 'environment',
    });
  });

  it('may be relative; what is found is absolute', () => {
    const directory = putModule(join(scratch, 'named'));
    vi.stubEnv('CALLSEAL_FIPS_DIR', relative(process.cwd(), directory));
    expect(findFipsModule().modulePath).toBe(join(directory, 'fips.so'));
  });

  it('is an error, not a hint, when it holds no module', () => {
    vi.stubEnv('CALLSEAL_FIPS_DIR', scratch);
    expect(findFipsModule).toThrow(`CALLSEAL_FIPS_DIR names ${scratch}, which holds no fips.so`);
    expect(findFipsModule).toThrow(expect.objectContaining({ code: 'ERR_FIPS_UNAVAILABLE', path: scratch }));
  });

  it('is an error when it names something below a file', () => {
    vi.stubEnv('CALLSEAL_FIPS_DIR', join(put(join(scratch, 'file'), ''), 'below'));
    expect(findFipsModule).toThrow(/which holds no fips\.so/);
  });

  it('is an error when the module there is not configured', () => {
    vi.stubEnv('CALLSEAL_FIPS_DIR', putModule(scratch, null));
    expect(findFipsModule).toThrow(/holds fips\.so but no fipsmodule\.cnf/);
  });
});

describe('the order of the other places', () => {
  /** The code as a package of its own, because `.fips` is looked for beside the code. */
  async function packaged(): Promise<typeof import('../lib/fips/discover.ts')> {
    const root = join(scratch, 'package');
    cpSync(join(REPOSITORY, 'lib/fips'), join(root, 'lib/fips'), { recursive: true });
    cpSync(join(REPOSITORY, 'lib/errors.ts'), join(root, 'lib/errors.ts'));
    return await import(join(root, 'lib/fips/discover.ts'));
  }

  it("is: the package's, the user's, then the machine's or the system's", async () => {
    const discover = await packaged();
    const beside = putModule(join(scratch, 'package/.fips'));
    const user = putModule(join(scratch, 'data/callseal/fips'));
    vi.stubEnv('XDG_DATA_HOME', join(scratch, 'data'));
    expect(discover.findFipsModule()).toMatchObject({ origin: 'package', modulePath: join(beside, 'fips.so') });

    rmSync(beside, { recursive: true });
    expect(discover.findFipsModule()).toMatchObject({ origin: 'user', modulePath: join(user, 'fips.so') });

    rmSync(user, { recursive: true });
    const rest = readFipsDirectory(discover.MACHINE_FIPS_DIRECTORY, 'machine') ?? findSystemModule();
    if (rest !== null) expect(discover.findFipsModule()).toEqual(rest);
    else expect(discover.findFipsModule).toThrow(/run `callseal fips install`, or set CALLSEAL_FIPS=off/);
  });

  it("finds the user's in ~/.local/share without XDG_DATA_HOME, and with one that is not absolute", async () => {
    const discover = await packaged();
    const user = putModule(join(scratch, 'home/.local/share/callseal/fips'));
    vi.stubEnv('HOME', join(scratch, 'home'));
    for (const data of [undefined, 'data']) {
      vi.stubEnv('XDG_DATA_HOME', data);
      expect(discover.findFipsModule().modulePath).toBe(join(user, 'fips.so'));
    }
  });

  it('does not pass over a module that cannot be used', async () => {
    const discover = await packaged();
    putModule(join(scratch, 'package/.fips'), `${CONFIG}.include /etc/passwd\n`);
    putModule(join(scratch, 'data/callseal/fips'));
    vi.stubEnv('XDG_DATA_HOME', join(scratch, 'data'));
    expect(() => discover.findFipsModule()).toThrow(/fipsmodule\.cnf:4: not a plain/);
  });
});

describe('a module that must not be loaded', () => {
  it.each(['fips.so', 'fipsmodule.cnf', '.'])('is one that every user may write: %s', (writable) => {
    const directory = putModule(join(scratch, 'open'));
    chmodSync(join(directory, writable), 0o777);
    vi.stubEnv('CALLSEAL_FIPS_DIR', directory);
    expect(findFipsModule).toThrow(/every user may write it, .*; run `chmod g?o-w /);
  });

  it.each([
    ['cut short', (bytes: Buffer) => bytes.subarray(0, bytes.length - 1)],
    ['cut short', (bytes: Buffer) => bytes.subarray(0, 10)],
    ['cut short', () => Buffer.alloc(0)],
    ['not a 64-bit ELF file', () => Buffer.alloc(100, 'text')],
    ['no sound table of sections', (bytes: Buffer) => bytes.fill(0xff, 0x3e, 0x40)],
  ])('is one that is %s', (why, damage) => {
    const directory = putModule(join(scratch, 'damaged'));
    put(join(directory, 'fips.so'), damage(library()));
    vi.stubEnv('CALLSEAL_FIPS_DIR', directory);
    expect(findFipsModule).toThrow(why);
    expect(findFipsModule).toThrow(expect.objectContaining({ code: 'ERR_FIPS_UNAVAILABLE' }));
  });
});

describe("the system's module", () => {
  const system = (path: string) => join(scratch, path);

  it('is found with its configuration beside it, or where systems keep theirs', () => {
    put(system('usr/lib64/ossl-modules/fips.so'), library());
    expect(findSystemModule(scratch)).toBeNull();
    for (const config of ['etc/pki/tls', 'usr/lib/ssl', 'etc/ssl', 'usr/lib64/ossl-modules']) {
      const configPath = put(system(`${config}/fipsmodule.cnf`), CONFIG);
      expect(findSystemModule(scratch)).toMatchObject({ configPath, origin: 'system' });
    }
  });

  it("pairs a locally built OpenSSL's module with its own configuration only", () => {
    put(system('usr/local/lib64/ossl-modules/fips.so'), library());
    put(system('etc/ssl/fipsmodule.cnf'), CONFIG);
    expect(findSystemModule(scratch)).toBeNull();
    const configPath = put(system('usr/local/ssl/fipsmodule.cnf'), CONFIG);
    expect(findSystemModule(scratch)).toMatchObject({ configPath });
  });

  it('is known as a file to copy when it has no configuration', () => {
    expect(findSystemModuleFile(scratch)).toBeNull();
    const file = put(system('usr/lib/ossl-modules/fips.so'), library());
    expect(findSystemModuleFile(scratch)).toBe(file);
  });

  it('needs no configuration when it carries its own MAC, as in the Red Hat family', () => {
    put(system('usr/lib64/ossl-modules/fips.so'), library('.rodata2'));
    expect(findSystemModule(scratch)).toBeNull();
    put(system('usr/lib64/ossl-modules/fips.so'), library('.rodata1'));
    expect(findSystemModule(scratch)).toMatchObject({ moduleConfig: '', configPath: null });
    expect(readFipsDirectory(system('usr/lib64/ossl-modules'), 'environment')).toMatchObject({ moduleConfig: '' });
  });
});
