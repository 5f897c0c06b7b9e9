/** Agents in processes of their own, which can be other users', and can be killed. They run from `dist/`. */

import { DIST } from './native-child.ts';
import { startTalkingChild, type TalkingChild } from './talking-child.ts';

export interface AgentChildOptions {
  directories: string[];
  certificate: string;
  /** Who it becomes before it starts. */
  uid?: number;
  quietFor?: number;
  rescan?: number;
  maxQueue?: number;
  concurrency?: number;
  /** A command that runs it. */
  wrapper?: string[];
  /** Says nothing of files that were sealed. */
  quiet?: boolean;
  env?: NodeJS.ProcessEnv;
}

/** What an agent told. */
export type ChildEvent = { what: string } & Record<string, unknown>;

export interface AgentChild {
  child: TalkingChild;
  /** All that it told so far. */
  seen: ChildEvent[];
  /** The next event that is wanted, of those that were not waited for yet. */
  until(isWanted: (event: ChildEvent) => boolean): Promise<ChildEvent>;
  wake(): void;
  /** Its state. */
  state(): Promise<ChildEvent>;
  /** Stops it, and checks that it ends well. */
  stop(): Promise<void>;
}

const SCRIPT = `
  import { Agent } from '${DIST}agent/agent.js';
  import { Recipients } from '${DIST}recipients/recipients.js';
  const { certificate, uid, quiet, ...options } = JSON.parse(process.argv[2]);
  const say = (what, more) => process.stdout.write(JSON.stringify({ what, ...more }) + '\\n');
  const recipients = await Recipients.load([certificate]);
  if (uid !== undefined) {
    process.setgroups([]);
    process.setgid(uid);
    process.setuid(uid);
  }
  const state = { recipients, kind: 'configured' };
  const supply = { current: () => state, onChange: () => () => {} };
  const listener = {
    sealed: (file) => quiet || say('sealed', file),
    failed: ({ path, error, attempt, retryIn }) =>
      say('failed', { path, attempt, retryIn, code: error.code, errno: error.errno, message: error.message }),
    vanished: (path) => say('vanished', { path }),
    raised: (alarm) => say('raised', alarm),
    cleared: (alarm) => say('cleared', alarm),
    watching: () => {},
  };
  const agent = new Agent({ ...options, supply, listener });
  process.on('SIGUSR2', () => agent.wake());
  process.on('SIGHUP', () => say('state', { ...agent.state(), rss: process.memoryUsage.rss() }));
  process.on('SIGTERM', () => void agent.stop().then(() => process.exit(0)));
  agent.start();
  say('started');
`;

export function startAgentChild({ env = {}, wrapper = [], ...options }: AgentChildOptions): AgentChild {
  const child = startTalkingChild(SCRIPT, [JSON.stringify(options)], { UV_THREADPOOL_SIZE: '10', ...env }, wrapper);
  const seen: ChildEvent[] = [];
  const waiting: ChildEvent[] = [];
  const until = async (isWanted: (event: ChildEvent) => boolean): Promise<ChildEvent> => {
    for (;;) {
      const index = waiting.findIndex(isWanted);
      if (index >= 0) return waiting.splice(index, 1)[0]!;
      const line = await child.next();
      if (line === null) throw new Error(`the agent ended: ${(await child.end()).stderr}`);
      const event = JSON.parse(line) as ChildEvent;
      seen.push(event);
      waiting.push(event);
    }
  };
  const stop = async (): Promise<void> => {
    child.process.kill('SIGTERM');
    const { status, stderr } = await child.end();
    if (status !== 0) throw new Error(`the agent ended with ${status}: ${stderr}`);
  };
  const state = async (): Promise<ChildEvent> => {
    child.process.kill('SIGHUP');
    return until((event) => event.what === 'state');
  };
  return { child, seen, until, wake: () => child.process.kill('SIGUSR2'), state, stop };
}
