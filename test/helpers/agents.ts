/** Agents in the process of the test, whose every event can be waited for. */

import { accessSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach } from 'vitest';
import { Agent } from '../../lib/agent/agent.ts';
import type { AgentOptions } from '../../lib/agent/options.ts';
import type {
  AgentListener,
  Alarm,
  FailedFile,
  RecipientSupply,
  SealedFile,
  SupplyState,
} from '../../lib/agent/types.ts';
import { decrypt } from '../../lib/callfile/index.ts';
import type { KeyRing } from '../../lib/recipients/keyring.ts';
import type { Recipients } from '../../lib/recipients/recipients.ts';

const started = new Set<Agent>();

afterEach(async () => {
  for (const agent of started) await agent.stop();
  started.clear();
});

const made: string[] = [];

afterAll(() => {
  for (const path of made.splice(0)) rmSync(path, { recursive: true, force: true });
});

/** A fresh directory in memory, where there is such a file system: what a disk takes to sync is not what is tested. */
export function quickDir(): string {
  let parent = '/dev/shm';
  try {
    accessSync(parent, 2);
  } catch {
    parent = tmpdir();
  }
  const path = mkdtempSync(join(parent, 'callseal-test-'));
  made.push(path);
  return path;
}

/** Keeps what an agent tells. */
export class Recorder implements AgentListener {
  readonly sealedFiles: SealedFile[] = [];
  readonly failures: FailedFile[] = [];
  readonly vanishedPaths: string[] = [];
  readonly alarms = new Map<string, Alarm>();
  /** Keys of all alarms there were. */
  readonly raisedKeys: string[] = [];
  readonly directories = new Set<string>();
  #news: () => void = () => {};

  sealed(file: SealedFile): void {
    this.sealedFiles.push(file);
    this.#news();
  }

  failed(file: FailedFile): void {
    this.failures.push(file);
    this.#news();
  }

  vanished(path: string): void {
    this.vanishedPaths.push(path);
    this.#news();
  }

  raised(alarm: Alarm): void {
    if (this.alarms.has(alarm.key)) throw new Error(`${alarm.key} was raised twice`);
    this.alarms.set(alarm.key, alarm);
    this.raisedKeys.push(alarm.key);
    this.#news();
  }

  cleared(alarm: Alarm): void {
    if (!this.alarms.delete(alarm.key)) throw new Error(`${alarm.key} was cleared and had not been raised`);
    this.#news();
  }

  watching(directory: string, yes: boolean): void {
    if (yes) this.directories.add(directory);
    else this.directories.delete(directory);
    this.#news();
  }

  get sealedPaths(): string[] {
    return this.sealedFiles.map(({ path }) => path);
  }

  /** Waits until it is so; asks whenever the agent tells something, and now and then. */
  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 50);
        this.#news = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
}

/** A supply that the test holds in its hands. */
class Supply implements RecipientSupply {
  #state: SupplyState | null;
  readonly #listeners = new Set<() => void>();

  constructor(recipients: Recipients | null) {
    this.#state = recipients === null ? null : { recipients, kind: 'configured' };
  }

  current(): SupplyState | null {
    return this.#state;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  set(recipients: Recipients | null): void {
    this.#state = recipients === null ? null : { recipients, kind: 'configured' };
    for (const listener of this.#listeners) listener();
  }
}

export type TestAgentOptions = Omit<AgentOptions, 'supply' | 'listener'>;

export interface TestAgent {
  agent: Agent;
  recorder: Recorder;
  supply: Supply;
}

/** An agent that is not started. It is stopped after the test. */
export function makeAgent(recipients: Recipients | null, options: TestAgentOptions): TestAgent {
  const recorder = new Recorder();
  const supply = new Supply(recipients);
  const agent = new Agent({ ...options, supply, listener: recorder });
  started.add(agent);
  return { agent, recorder, supply };
}

export function startAgent(recipients: Recipients | null, options: TestAgentOptions): TestAgent {
  const test = makeAgent(recipients, options);
  test.agent.start();
  return test;
}

/** Writes `count` files of different contents, one after the other; returns their paths. */
export function writeFiles(directory: string, count: number, prefix = 'call'): string[] {
  return Array.from({ length: count }, (_, index) => {
    const path = join(directory, `${prefix}-${String(index).padStart(6, '0')}.callsre`);
    writeFileSync(path, contentOf(path));
    return path;
  });
}

/** What {@link writeFiles} writes. */
export function contentOf(path: string): string {
  return `what was said in ${path}`;
}

export async function opened(path: string, keys: KeyRing): Promise<string> {
  return Buffer.from(await decrypt(readFileSync(path), { keys })).toString();
}
