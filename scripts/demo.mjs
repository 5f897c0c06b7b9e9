#!/usr/bin/env node
/**
 * The whole story on real recordings: two people get key pairs, a host encrypts every recording for both, all at once and as
 * each is produced, either of them opens all of it, and nobody else does. Run by `npm run demo`, which sets everything up first.
 *
 * Ends with 0 only if everything was as it must be. Every figure printed is measured or counted in this run.
 *
 *   node scripts/demo.mjs [--keep]     --keep leaves the files in .cache/demo for a closer look
 */

import { spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { filesBelow } from './files-below.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SOUNDS = join(ROOT, '.cache/sounds');
const WORK = join(ROOT, '.cache/demo');
const SUBJECT = '/C=US/ST=CA/L=San Diego/O=MyCompany/OU=MySoftware/CN=MyCompany/emailAddress=support@mycompany.com';
const PASSPHRASE = 'mypass';
/** Recordings that the agent is shown with, and the milliseconds between two of them. */
const AS_PRODUCED = 40;
const PAUSE = 25;
const AT_ONCE = Math.min(availableParallelism(), 8);

/** Something that must be true was not. */
class DemoError extends Error {}

function must(condition, what) {
  if (!condition) throw new DemoError(what);
}

const keep = process.argv.includes('--keep');
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    cleanUp();
    process.exit(signal === 'SIGINT' ? 130 : 143);
  });
}
try {
  must(existsSync(join(ROOT, 'dist/index.js')), 'dist/ is missing: run `npm run compile` or `npm run demo`');
  const callseal = await import('../dist/index.js');
  const { default: colors } = await import('picocolors');
  await demo(callseal, colors);
} catch (error) {
  console.error(`\ndemo: ${error instanceof DemoError ? error.message : (error.stack ?? error)}`);
  process.exitCode = 1;
} finally {
  cleanUp();
}

function cleanUp() {
  if (!keep) rmSync(WORK, { recursive: true, force: true });
}

async function demo(callseal, colors) {
  const say = narrator(colors);
  const sounds = findRecordings();
  rmSync(WORK, { recursive: true, force: true });

  say.title('Callseal: recordings that two people can open, and nobody else');
  say.step('Mary and Fred each make a key pair, Fred’s with a passphrase');
  const mary = makeKeyPair(say, 'mary', ['-nodes']);
  const fred = makeKeyPair(say, 'fred', ['-passout', `pass:${PASSPHRASE}`]);

  say.step('The recording host gets their certificates, and no private key');
  const config = configureHost(say, [mary, fred]);

  say.step(`It encrypts ${sounds.files.length} real recordings: the IVR prompts of ${sounds.origin}`);
  const recipients = await callseal.Recipients.load([mary.hostCert, fred.hostCert]);
  const sealed = await encryptAll(callseal, say, sounds, recipients);

  say.step(`Or as each is produced: the agent watches a folder that a recorder fills with ${AS_PRODUCED} of them`);
  await encryptAsProduced(callseal, say, sounds, [mary, fred]);

  say.step('Who can open one of them? No key is needed to ask');
  inspectOne(say, sealed.files[0]);

  say.step('Either key opens all of them');
  const opened = [];
  for (const person of [mary, fred]) opened.push(await openAll(callseal, say, person, sounds, sealed));

  say.step('What must not work, does not');
  showRefusals(say, { sealed: sealed.files[0], mary, fred, config });

  say.step('In short');
  table(callseal, say, sounds, sealed, opened);
}

/** What a person reads. */
function narrator(colors) {
  let number = 0;
  const print = (line) => process.stdout.write(`${line}\n`);
  return {
    colors,
    title: (text) => print(`\n${colors.bold(text)}`),
    step: (text) => print(`\n${colors.bold(colors.cyan(`${++number}.`))} ${colors.bold(text)}`),
    line: (text) => print(`   ${text}`),
    command: (text) => print(`   ${colors.dim('$')} ${colors.dim(text)}`),
    good: (text) => print(`   ${colors.green('✓')} ${text}`),
  };
}

/** The recordings and what they were unpacked from. */
function findRecordings() {
  must(existsSync(SOUNDS), `${relative(ROOT, SOUNDS)} is missing: \`npm run demo\` fetches the recordings first`);
  const files = filesBelow(SOUNDS).filter((path) => path.endsWith('.gsm'));
  must(
    files.length > 0,
    `there is no .gsm file in ${relative(ROOT, SOUNDS)}; remove it and run \`npm run demo\` again`,
  );
  const bytes = files.reduce((sum, file) => sum + statSync(file).size, 0);
  return { files, bytes, origin: 'Debian’s asterisk-core-sounds-en-gsm' };
}

/** One of the two openssl commands of the documents, word for word. */
function makeKeyPair(say, name, protection) {
  const directory = join(WORK, name);
  mkdirSync(directory, { recursive: true });
  const dates = ['-days', '365', '-newkey', 'rsa:2048'];
  const files = ['-keyout', 'my_private.key', '-out', 'my_cert.crt'];
  const withPassphrase = protection[0] === '-passout';
  const args = withPassphrase
    ? ['req', '-x509', ...dates, ...protection, '-subj', SUBJECT, ...files]
    : ['req', '-x509', ...protection, ...dates, '-subj', SUBJECT, ...files];
  say.command(`openssl ${args.map((arg) => (arg.includes(' ') ? `"${arg}"` : arg)).join(' ')}`);
  const { status, stderr, error } = spawnSync('openssl', args, { cwd: directory, encoding: 'utf8' });
  must(status === 0, `openssl failed: ${error?.message ?? stderr}`);
  const person = name[0].toUpperCase() + name.slice(1);
  return { name, person, key: join(directory, 'my_private.key'), cert: join(directory, 'my_cert.crt'), withPassphrase };
}

function configureHost(say, people) {
  const host = join(WORK, 'recording-host');
  mkdirSync(host, { recursive: true });
  for (const person of people) {
    person.hostCert = join(host, `${person.name}.crt`);
    cpSync(person.cert, person.hostCert);
  }
  const config = join(host, 'client_property.conf');
  const setting = `LOGGING_ENCRYPTION_KEY = ${people.map(({ hostCert }) => hostCert).join(',')}`;
  writeFileSync(config, `[GLOBAL]\n# Mary and Fred may open the recordings.\n${setting}\n`);
  say.line(say.colors.dim(relative(ROOT, config)));
  say.line(setting.replaceAll(`${WORK}/`, '…/'));
  const checked = runCallseal(['config', 'check', '--json', config]);
  must(checked.status !== null && checked.stdout !== '', `callseal config check failed: ${checked.stderr}`);
  const report = JSON.parse(checked.stdout);
  must(report.recipients.length === people.length, 'callseal config check does not see both certificates');
  say.good(
    `callseal config check: ${report.recipients.length} recipients, RSA ${report.recipients.map(({ bits }) => bits).join(' and ')} bits`,
  );
  for (const { severity, message } of report.findings) say.line(`  ${severity}: ${message}`);
  return config;
}

async function encryptAll({ encryptFile }, say, sounds, recipients) {
  const target = join(WORK, 'sealed');
  const files = sounds.files.map((file) => join(target, `${relative(SOUNDS, file)}.sealed`));
  for (const directory of new Set(files.map(dirname))) mkdirSync(directory, { recursive: true });
  const seconds = await timed(say, 'encrypting', sounds.files, (file, index) =>
    encryptFile(file, files[index], { recipients }),
  );
  const bytes = files.reduce((sum, file) => sum + statSync(file).size, 0);
  say.good(
    `${files.length} files encrypted, each with a key of its own, synced to disk: ${rate(files.length, seconds)}`,
  );
  return { files, bytes, seconds };
}

/** Copies recordings into a folder one after the other; `callseal agent` encrypts each and removes its plaintext. */
async function encryptAsProduced({ decryptFile, KeyRing }, say, sounds, people) {
  const folder = join(WORK, 'responses');
  mkdirSync(folder);
  const args = ['agent', '--watch', folder, ...people.flatMap(({ hostCert }) => ['-r', hostCert]), '--listen', 'none'];
  say.command(`callseal ${args.join(' ').replaceAll(`${WORK}/`, '')}`);
  const agent = spawn(process.execPath, [join(ROOT, 'bin/callseal'), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => agent.once('close', resolve));
  process.once('exit', () => agent.kill());
  try {
    await new Promise((resolve, reject) => {
      agent.stdout.on('data', (text) => String(text).includes('"event":"started"') && resolve());
      ended.then((status) => reject(new DemoError(`callseal agent ended with ${status}`)));
    });
    const produced = sounds.files.slice(0, AS_PRODUCED);
    for (const [index, file] of produced.entries()) {
      cpSync(file, join(folder, `call-${index}.gsm`));
      await sleep(PAUSE);
    }
    const last = Date.now();
    const plain = () => readdirSync(folder).filter((name) => name.endsWith('.gsm')).length;
    while (plain() > 0 && Date.now() - last < 30_000) await sleep(5);
    const waited = Date.now() - last;
    must(plain() === 0, `${plain()} recordings are still in clear`);
    const keys = new KeyRing([people[0].key]);
    for (const [index, file] of produced.entries()) {
      const output = join(folder, `opened-${index}`);
      await decryptFile(join(folder, `call-${index}.gsm.sealed`), output, { keys });
      must(readFileSync(output).equals(readFileSync(file)), `the agent made something else of ${file}`);
    }
    keys.destroy();
    say.good(`${produced.length} recordings encrypted as they came, none left in clear ${waited} ms after the last`);
  } finally {
    agent.kill('SIGTERM');
    await ended;
  }
}

/** Runs a task over all files, a few at a time, with a progress bar on a terminal. Returns the seconds it took. */
async function timed(say, label, files, task) {
  const bar = await progressBar(say, label, files.length);
  const start = process.hrtime.bigint();
  let next = 0;
  const worker = async () => {
    while (next < files.length) {
      const index = next++;
      await task(files[index], index);
      bar?.increment();
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  } finally {
    bar?.stop();
  }
  return Number(process.hrtime.bigint() - start) / 1e9;
}

async function progressBar({ colors }, label, total) {
  if (process.stderr.isTTY !== true) return null;
  const { default: progress } = await import('cli-progress');
  const bar = new progress.SingleBar({
    stream: process.stderr,
    format: `   ${colors.cyan('{bar}')} {value} of {total} ${label}`,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 30,
    clearOnComplete: true,
    hideCursor: true,
  });
  bar.start(total, 0);
  return bar;
}

function inspectOne(say, file) {
  say.command(`callseal inspect ${shortPath(file)}`);
  const { status, stdout, stderr } = runCallseal(['inspect', file]);
  must(status === 0, `callseal inspect ended with ${status}: ${stderr}`);
  for (const line of stdout.trimEnd().split('\n')) say.line(line.replace(`${WORK}/`, ''));
}

/** Opens every file with one person's key and compares every byte with the recording. */
async function openAll({ decryptFile, KeyRing, Passphrase }, say, person, sounds, sealed) {
  const passphrases = person.withPassphrase ? [Passphrase.fromBytes(Buffer.from(PASSPHRASE))] : [];
  const keys = new KeyRing([person.key], { passphrases });
  const target = join(WORK, `opened-by-${person.name}`);
  const outputs = sounds.files.map((file) => join(target, relative(SOUNDS, file)));
  for (const directory of new Set(outputs.map(dirname))) mkdirSync(directory, { recursive: true });
  try {
    const seconds = await timed(say, `opening with ${person.person}’s key`, sealed.files, (file, index) =>
      decryptFile(file, outputs[index], { keys }),
    );
    const same = sounds.files.filter((file, index) => readFileSync(file).equals(readFileSync(outputs[index]))).length;
    must(
      same === sounds.files.length,
      `${person.person}’s key gave other bytes for ${sounds.files.length - same} files`,
    );
    const passphrase = person.withPassphrase ? ' and passphrase' : '';
    say.good(`${person.person}’s key${passphrase}: ${same} of ${same} the same, byte for byte: ${rate(same, seconds)}`);
    for (const note of keys.notes) say.line(`  note: ${note.replace(`${WORK}/`, '')}`);
    return { person, seconds };
  } finally {
    keys.destroy();
    for (const passphrase of passphrases) passphrase.destroy();
  }
}

/** A wrong key, a wrong passphrase, a flipped bit and a cut-off file: each is refused, and told apart. */
function showRefusals(say, { sealed, mary, fred }) {
  const stranger = makeKeyPair({ command: () => {} }, 'stranger', ['-nodes']);
  const cases = [
    { what: 'a stranger’s key', file: sealed, key: stranger.key, status: 5 },
    {
      what: 'Fred’s key, wrong passphrase',
      file: sealed,
      key: fred.key,
      env: { DEMO_PASSPHRASE: 'not it' },
      status: 6,
    },
    { what: 'one bit flipped', file: damaged(sealed, flipOneBit), key: mary.key, status: 7 },
    {
      what: 'the last byte cut off',
      file: damaged(sealed, (bytes) => bytes.subarray(0, -1)),
      key: mary.key,
      status: 8,
    },
  ];
  const output = join(WORK, 'refused.gsm');
  for (const { what, file, key, env, status } of cases) {
    const passphrase = env === undefined ? [] : ['--passphrase-env', 'DEMO_PASSPHRASE'];
    const run = runCallseal(['decrypt', '-k', key, ...passphrase, '-o', output, file], env);
    must(run.status === status, `${what}: exit code ${run.status} instead of ${status}: ${run.stderr}`);
    must(!existsSync(output), `${what}: something was written`);
    say.good(`${what.padEnd(29)} exit code ${run.status}`);
    say.line(say.colors.dim(`  ${run.stderr.split('\n')[0].replaceAll(`${WORK}/`, '')}`));
  }
  const left = readdirSync(WORK).filter((name) => name.includes('refused'));
  must(left.length === 0, `left behind: ${left.join(', ')}`);
  say.good('and nothing of it was left on the disk');
}

function damaged(file, change) {
  const bytes = change(readFileSync(file));
  const path = join(WORK, `damaged-${bytes.length}.sealed`);
  writeFileSync(path, bytes);
  return path;
}

function flipOneBit(bytes) {
  bytes[bytes.length - 100] ^= 1;
  return bytes;
}

function table({ status }, say, sounds, sealed, opened) {
  const found = status();
  must(found.mode === 'off' || found.provider.running, 'the FIPS module is not running');
  const overhead = (sealed.bytes - sounds.bytes) / sounds.files.length;
  const rows = [
    ['files', `${sounds.files.length}`],
    [
      'size',
      `${megabytes(sounds.bytes)}, ${megabytes(sealed.bytes)} encrypted (${Math.round(overhead)} bytes a file more)`,
    ],
    ['encrypted', `${rate(sounds.files.length, sealed.seconds)}, for two recipients, ${AT_ONCE} at a time`],
    ...opened.map(({ person, seconds }) => [
      `opened`,
      `${rate(sounds.files.length, seconds)}, with ${person.person}’s key`,
    ]),
    ['module', `${found.provider.name} ${found.provider.version}`],
    ['', found.provider.path],
    [
      'FIPS',
      found.mode === 'off'
        ? 'OFF (CALLSEAL_FIPS=off)'
        : `required; self-tests ${found.provider.selfTest ? 'passed' : 'FAILED'}`,
    ],
    ['validation', found.validation.sentence],
    ['libcrypto', `${found.libcrypto.version}, ${found.libcrypto.path}; node’s own is not used`],
  ];
  for (const [name, value] of rows) say.line(`${name.padEnd(11)} ${value}`);
  process.stdout.write('\n');
}

/** The real command, as anyone would run it. */
function runCallseal(args, env = {}) {
  const command = [join(ROOT, 'bin/callseal'), ...args];
  return spawnSync(process.execPath, command, { encoding: 'utf8', env: { ...process.env, ...env } });
}

function shortPath(path) {
  return relative(WORK, path);
}

function rate(files, seconds) {
  return `${(files / seconds).toFixed(0)} files/s`;
}

function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
