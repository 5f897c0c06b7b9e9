/** What a service manager hears: a real socket for sd_notify(3), read by perl, as Node has no datagrams of that kind. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll } from 'vitest';
import { tempDir } from './temp.ts';

/** One line a datagram. */
const LISTENER = `
  use Socket; $| = 1;
  socket(my $socket, AF_UNIX, SOCK_DGRAM, 0) or die "socket: $!";
  bind($socket, pack_sockaddr_un($ARGV[0])) or die "bind: $!";
  print "listening\\n";
  while (defined recv($socket, my $datagram, 65536, 0)) { $datagram =~ s/\\n/;/g; print "$datagram\\n"; }
`;

const running: ChildProcess[] = [];

afterAll(() => {
  for (const child of running) child.kill();
});

export interface ServiceManager {
  /** For NOTIFY_SOCKET. */
  readonly socket: string;
  /** Datagrams so far, with `;` for line ends. */
  readonly heard: string[];
}

export async function startServiceManager(): Promise<ServiceManager> {
  const socket = join(tempDir(), 'notify');
  const child = spawn('perl', ['-e', LISTENER, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
  running.push(child);
  const heard: string[] = [];
  const lines = createInterface({ input: child.stdout });
  await once(lines, 'line');
  lines.on('line', (line) => heard.push(line));
  return { socket, heard };
}
