/** A live writer one of whose system calls fails, and what must hold of its file. */

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { decrypt, inspect } from '../../lib/index.ts';
import { FaultHost, type Hosted } from './fault-host.ts';
import type { Fault, Launched } from './fault-launcher.ts';
import { DIST } from './native-child.ts';
import type { Parties } from './parties.ts';
import { tempDir } from './temp.ts';

const SEGMENT = 1024;
/** Plaintext of a segment. */
const FULL = SEGMENT - 32;
const CHUNK = 700;
const CHUNKS = 6;
const NAME = 'call.sealed';
/** Byte `at` of the call. */
const byteOf = (at: number): number => (at * 31 + (at >> 8) * 17) & 0xff;

/** Writes a call in chunks, stops at the first error, and tells it and what was certain before. */
const PROGRAM = `
  import { createCallFileWriter, Recipients } from '${DIST}index.js';
  export async function run([certificate]) {
    const told = { began: false, written: 0, durable: 0, closed: false };
    const recipients = await Recipients.load([certificate]);
    let writer;
    try {
      writer = await createCallFileWriter(process.cwd() + '/${NAME}', { recipients, segmentLength: ${SEGMENT} });
      told.began = true;
      for (let chunk = 0; chunk < ${CHUNKS}; chunk++) {
        const bytes = Uint8Array.from({ length: ${CHUNK} }, (_, i) => {
          const at = chunk * ${CHUNK} + i;
          return (at * 31 + (at >> 8) * 17) & 0xff;
        });
        await writer.write(bytes);
        told.written += bytes.length;
        if (chunk % 2 === 1) await writer.flush();
        told.durable = writer.durableBytes;
      }
      await writer.close();
      told.closed = true;
    } catch (error) {
      told.error = { name: error.name, code: error.code, message: error.message };
      await writer?.abort().catch((again) => { told.again = { code: again.code, message: again.message }; });
    }
    process.stdout.write(JSON.stringify(told));
  }
`;

interface Told {
  began: boolean;
  written: number;
  durable: number;
  closed: boolean;
  error?: { code?: string; message: string };
}

export class LiveWriterRuns {
  readonly #parties: Parties;
  readonly #dir = tempDir();
  readonly #host: FaultHost;
  #runs = 0;

  constructor(parties: Parties) {
    this.#parties = parties;
    const program = join(this.#dir, 'program.mjs');
    writeFileSync(program, PROGRAM);
    this.#host = new FaultHost(program);
  }

  /** The calls of a writer for which nothing fails. */
  async count(): Promise<Launched['calls']> {
    const { calls, problems } = await this.run();
    if (problems.length > 0) throw new Error(problems.join('; '));
    return calls;
  }

  /** What fails to hold; nothing, if all is well. */
  async run(fault?: Fault): Promise<Hosted & { problems: string[]; told: Told }> {
    const root = join(this.#dir, String(++this.#runs));
    mkdirSync(root);
    const args = [this.#parties.mary.certificate];
    const outcome = await this.#host.run({ root, args, env: {}, fault });
    const told = JSON.parse(outcome.stdout) as Told;
    const problems = [...(await this.#problemsOfFile(root, told)), ...problemsOfError(told, fault)];
    if (fault?.call !== 'close') problems.push(...outcome.open.map((path) => `${path} stays open`));
    rmSync(root, { recursive: true });
    return { ...outcome, problems, told };
  }

  async #problemsOfFile(root: string, told: Told): Promise<string[]> {
    const problems = readdirSync(root)
      .filter((name) => name !== NAME)
      .map((name) => `${name} was left behind`);
    const path = join(root, NAME);
    if (!existsSync(path)) return told.began ? [...problems, 'the file is gone'] : problems;
    if (!told.began) return [...problems, 'a file that was not begun was left behind'];
    const file = readFileSync(path);
    const { plaintext, complete } = await decrypt(file, { keys: this.#parties.keys, recover: true }).then(
      (result) => ({ plaintext: result.plaintext, complete: result.complete }),
      (error: Error) => {
        problems.push(`it cannot be recovered: ${error.message}`);
        return { plaintext: new Uint8Array(0), complete: false };
      },
    );
    if (!plaintext.every((byte, at) => byte === byteOf(at))) problems.push('other bytes are recovered');
    if (plaintext.length < told.durable)
      problems.push(`${plaintext.length} bytes are left, ${told.durable} were durable`);
    // What a chunk that was taken finds wrong is told by the next call.
    const handed = told.error === undefined ? told.written : told.written - CHUNK;
    const whole = Math.floor(handed / FULL) * FULL;
    if (plaintext.length < whole) problems.push(`${plaintext.length} bytes are left of ${whole} that were written`);
    if (complete && plaintext.length !== CHUNK * CHUNKS) problems.push('a part of the call claims to be complete');
    if (complete !== (await inspect(path)).complete) problems.push('inspect says otherwise');
    if (told.closed && !complete) problems.push('close resolved, and the file is incomplete');
    return problems;
  }
}

function problemsOfError({ closed, error }: Told, fault: Fault | undefined): string[] {
  if (error === undefined) return closed ? [] : ['it neither ended nor failed'];
  const problems: string[] = [];
  if (error.code !== 'ERR_IO') problems.push(`it failed with ${error.code}`);
  if (!error.message.includes(fault?.how ?? 'nothing')) problems.push(`does not say ${fault?.how}`);
  if (!error.message.includes(NAME)) problems.push('does not name the file');
  return problems.map((text) => `${text}: ${error.message}`);
}
