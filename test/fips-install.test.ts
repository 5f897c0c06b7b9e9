import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { findFipsModule, findSystemModuleFile, readFipsDirectory } from '../lib/fips/discover.ts';
import { installFips, verifyFipsModule } from '../lib/fips/install.ts';

/** The real module that set-up found or installed; copies of it are what is installed here, by the real openssl. */
const { modulePath: realModule } = findFipsModule();

let scratch: string;
let dir: string;

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'callseal-test-'));
  dir = join(scratch, 'below/fips');
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(scratch, { recursive: true });
});

const mode = (path: string) => statSync(path).mode & 0o777;

describe('installFips with a module given', () => {
  it('copies the module and writes the configuration it was self-tested with', async () => {
    const log: string[] = [];
    const { outcome, module } = await installFips({ dir, module: realModule, log: (line) => log.push(line) });

    expect(outcome).toBe('installed');
    expect(module).toEqual(readFipsDirectory(dir, 'environment'));
    expect(readFileSync(module.modulePath).equals(readFileSync(realModule))).toBe(true);
    expect(statSync(module.modulePath).ino).not.toBe(statSync(realModule).ino);
    expect(module.moduleConfig).toMatch(/^module-mac = ([0-9A-F]{2}:){31}[0-9A-F]{2}$/m);
    expect(await verifyFipsModule(module)).toBe(true);
    expect(log.join('\n')).toContain(`CALLSEAL_FIPS_DIR=${dir}`);
  });

  it('records no earlier self test, so that every load runs them', async () => {
    const { module } = await installFips({ dir, module: realModule });
    expect(module.moduleConfig).not.toContain('install-status');
  });

  it('lets everybody read and only the owner write', async () => {
    await installFips({ dir, module: realModule });
    expect(mode(dir)).toBe(0o755);
    for (const file of readdirSync(dir)) expect(mode(join(dir, file))).toBe(0o644);
  });

  it('changes nothing the second time', async () => {
    await installFips({ dir, module: realModule });
    const before = statSync(join(dir, 'fips.so'));
    const again = await installFips({ dir, module: realModule });
    expect(again.outcome).toBe('present');
    expect(statSync(join(dir, 'fips.so')).ino).toBe(before.ino);
  });

  it('replaces an installation whose module is not the configured one, and leaves nothing behind', async () => {
    const { module } = await installFips({ dir, module: realModule });
    const bytes = readFileSync(module.modulePath);
    bytes[bytes.length >> 1]! ^= 1;
    writeFileSync(module.modulePath, bytes);
    expect(await verifyFipsModule(module)).toBe(false);

    const again = await installFips({ dir, module: realModule });
    expect(again.outcome).toBe('installed');
    expect(await verifyFipsModule(again.module)).toBe(true);
    expect(readdirSync(dirname(dir))).toEqual(['fips']);
  });

  it('refuses a library that is no provider, says what openssl said, and leaves what was there', async () => {
    await installFips({ dir, module: realModule });
    const library = join(scratch, 'library.so');
    execFileSync('g++', ['-shared', '-fPIC', '-x', 'c++', '-o', library, '-'], { input: 'int nothing;' });

    const failure = installFips({ dir, module: library });
    await expect(failure).rejects.toMatchObject({ code: 'ERR_FIPS_UNAVAILABLE' });
    await expect(failure).rejects.toThrow(/library\.so is not a FIPS provider that works on this machine:\n.*fips/s);
    expect(await verifyFipsModule(readFipsDirectory(dir, 'environment')!)).toBe(true);
    expect(readdirSync(dirname(dir))).toEqual(['fips']);
  });

  it('refuses a module that was cut short, and creates no directory', async () => {
    const cut = join(scratch, 'cut.so');
    copyFileSync(realModule, cut);
    truncateSync(cut, statSync(cut).size - 1);
    const failure = installFips({ dir, module: cut });
    await expect(failure).rejects.toMatchObject({ code: 'ERR_FIPS_UNAVAILABLE' });
    await expect(failure).rejects.toThrow(/cut\.so: is cut short/);
    expect(readdirSync(scratch)).toEqual(['cut.so']);
  });

  it('refuses a file that is no library', async () => {
    const text = join(scratch, 'notes.txt');
    writeFileSync(text, 'Sixty-four bytes or more of text are long enough for an ELF header.\n');
    await expect(installFips({ dir, module: text })).rejects.toThrow(/notes\.txt: is not a 64-bit ELF file/);
  });

  it('refuses a module that is not there', async () => {
    const failure = installFips({ dir, module: join(scratch, 'missing.so') });
    await expect(failure).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' });
    await expect(failure).rejects.toThrow(/missing\.so: cannot be read \(ENOENT\)/);
  });

  it('names openssl when it cannot be run', async () => {
    vi.stubEnv('PATH', scratch);
    const failure = installFips({ dir, module: realModule });
    await expect(failure).rejects.toMatchObject({ code: 'ERR_FIPS_UNAVAILABLE' });
    await expect(failure).rejects.toThrow(/^openssl cannot be run/);
  });

  it('takes nothing over from the OpenSSL configuration of its environment', async () => {
    const hostile = join(scratch, 'openssl.cnf');
    writeFileSync(hostile, 'openssl_conf = init\n[init]\nproviders = list\n[list]\nnone = none\n[none]\n');
    vi.stubEnv('OPENSSL_CONF', hostile);
    vi.stubEnv('OPENSSL_MODULES', scratch);
    expect((await installFips({ dir, module: realModule })).outcome).toBe('installed');
  });
});

describe('installFips with a directory that may not be used', () => {
  const refused = async (why: RegExp) => {
    const failure = installFips({ dir, module: realModule });
    await expect(failure).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' });
    await expect(failure).rejects.toThrow(why);
  };

  it('refuses one that every user may write', async () => {
    mkdirSync(dir, { recursive: true });
    chmodSync(dir, 0o777);
    await refused(/fips: every user may write it/);
  });

  it('refuses one that every user may swap for another', async () => {
    mkdirSync(dir, { recursive: true });
    chmodSync(dirname(dir), 0o777);
    await refused(/others may replace it, because of .*below: every user may write it; run `chmod g?o-w .*below`;/);
  });

  it.skipIf(process.geteuid?.() !== 0)(
    'refuses one below the directory of another user (missed unless run by root, who alone may give files away)',
    async () => {
      mkdirSync(dirname(dir), { recursive: true });
      chownSync(dirname(dir), 65534, 65534);
      await refused(/others may replace it, because of .*below: it belongs to user 65534.*run `chown root .*below`;/);
    },
  );

  it('makes the directories above so that the group of the user may not write them, whatever the umask', async () => {
    const before = process.umask(0o002);
    try {
      await installFips({ dir, module: realModule });
    } finally {
      process.umask(before);
    }
    expect(mode(dirname(dir))).toBe(0o755);
  });

  it('refuses one that holds anything else, since it is replaced as a whole', async () => {
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, 'passwd'), '');
    await refused(/holds other files \(passwd\)/);
    expect(readdirSync(dir)).toEqual(['passwd']);
  });

  it('refuses a file', async () => {
    dir = join(scratch, 'file');
    writeFileSync(dir, '');
    await refused(/is not a directory/);
  });

  it('names the directory and the error of the system when it cannot be made', async () => {
    writeFileSync(join(scratch, 'below'), '');
    await expect(installFips({ dir, module: realModule })).rejects.toMatchObject({ code: 'ERR_IO', path: dir });
  });
});

it.skipIf(findSystemModuleFile() !== null)(
  'says what to do when no module can be fetched (missed where the system has a FIPS module of its own)',
  async () => {
    vi.stubEnv('PATH', scratch);
    const failure = installFips({ dir });
    await expect(failure).rejects.toMatchObject({ code: 'ERR_FIPS_UNAVAILABLE' });
    await expect(failure).rejects.toThrow(/--module FILE\. apt-get cannot be run/);
  },
);
