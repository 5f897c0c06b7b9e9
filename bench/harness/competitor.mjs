/** A peer at work: commands and libraries measured through one face. */

import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { emptied } from './files.mjs';
import { timeCommand, timeSuccess } from './programs.mjs';
import { Worker } from './worker.mjs';

/** @typedef {import('../peers/index.mjs').Peer} Peer */
/** @typedef {'encrypt' | 'decrypt'} Operation */

export const SUFFIX = '.sealed';
/** Operations a library is given at once when many files wait. */
const AT_ONCE = 4 * availableParallelism();
const TICKS_PER_SECOND = 100;

/**
 * @param {Peer} peer
 * @param {import('../peers/index.mjs').Settings} settings
 * @param {{ wrapper?: string[] }} [options] for a library's process, as Worker has it
 */
export async function openCompetitor(peer, settings, options) {
  const own = { ...settings, directory: emptied(join(settings.directory, peer.id)) };
  if (peer.kind === 'command') return new Command(peer, await peer.open(own), own.directory);
  const worker = new Worker(new URL('./peer-host.mjs', import.meta.url), options);
  await worker.call('open', peer.id, own);
  return new Library(peer, worker);
}

class Library {
  #worker;

  constructor(peer, worker) {
    this.peer = peer;
    this.#worker = worker;
  }

  /** One run. Fails as the peer fails. */
  async once(operation, input, output) {
    await this.#worker.call('once', operation, input, output);
  }

  /** How one run ends: null when all is well, else its complaint. */
  ending(operation, input, output) {
    return this.once(operation, input, output).then(
      () => null,
      ({ code, message }) => `${code ?? 'error'}: ${message}`,
    );
  }

  /** Runs until `milliseconds` are used up: seconds of each, mean CPU seconds of one, peak memory. */
  sample(operation, input, output, milliseconds) {
    return this.#worker.call('sample', operation, input, output, milliseconds);
  }

  /** All inputs as fast as it can on all cores. @returns {Promise<import('./programs.mjs').Cost>} */
  many(operation, inputs, directory) {
    return this.#worker.call('many', operation, inputs, directory, SUFFIX, AT_ONCE);
  }

  close() {
    return this.#worker.close();
  }
}

class Command {
  #session;
  #directory;

  constructor(peer, session, directory) {
    this.peer = peer;
    this.#session = session;
    this.#directory = directory;
  }

  async once(operation, input, output) {
    await timeSuccess(this.#session[operation](input, output), this.#options());
  }

  async ending(operation, input, output) {
    const { exitCode, signal, stderr } = await timeCommand(this.#session[operation](input, output), this.#options());
    if (exitCode === 0) return null;
    return `${signal === 0 ? `exit code ${exitCode}` : `signal ${signal}`}: ${stderr.trim()}`;
  }

  async sample(operation, input, output, milliseconds) {
    const command = this.#session[operation](input, output);
    const runs = [];
    const companions = this.#companionsCpu();
    do {
      rmSync(output, { force: true });
      runs.push(await timeSuccess(command, this.#options()));
    } while (sum(runs, 'seconds') * 1000 < milliseconds);
    const cpu = sum(runs, 'cpuSeconds') + this.#companionsCpu() - companions;
    return {
      seconds: runs.map(({ seconds }) => seconds),
      cpuSeconds: cpu / runs.length,
      peakRssBytes: Math.max(...runs.map(({ peakRssBytes }) => peakRssBytes)),
    };
  }

  async many(operation, inputs, directory) {
    const companions = this.#companionsCpu();
    const all = this.#session[`${operation}All`];
    const cost =
      all === undefined
        ? await this.#byXargs(operation, inputs, directory)
        : await this.#atOnce(all, inputs, directory);
    return { ...cost, cpuSeconds: cost.cpuSeconds + this.#companionsCpu() - companions };
  }

  #atOnce(all, inputs, directory) {
    return timeSuccess(all(inputs, directory), this.#options());
  }

  /** A process a file, one a core at any time. */
  #byXargs(operation, inputs, directory) {
    const list = join(this.#directory, 'names');
    const names = inputs.map((input) => basename(input, SUFFIX));
    writeFileSync(list, names.join('\n'));
    const [plain, sealed] = [`{}`, `{}${SUFFIX}`];
    const [from, to] = operation === 'encrypt' ? [plain, sealed] : [sealed, plain];
    const command = this.#session[operation](join(dirname(inputs[0]), from), join(directory, to));
    const xargs = ['xargs', '-P', String(availableParallelism()), '-I', '{}'];
    return timeSuccess([...xargs, ...command], { ...this.#options(), input: list });
  }

  #options() {
    return { env: this.#session.env };
  }

  #companionsCpu() {
    const ids = this.#session.companions?.() ?? [];
    return ids.map(cpuSecondsOf).reduce((total, each) => total + each, 0);
  }

  async close() {
    await this.#session.close?.();
  }
}

const sum = (items, key) => items.reduce((total, item) => total + item[key], 0);

/** User and system time of a process so far: fields 14 and 15 of proc(5)'s stat, counted after the name in brackets. */
function cpuSecondsOf(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
    .replace(/^.*\) /s, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}
