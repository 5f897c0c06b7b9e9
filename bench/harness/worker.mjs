/**
 * A process of its own for work inside Node, kept between calls: competitors do not share a heap, a thread pool or a
 * crypto module, and can still take turns.
 */

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const HOST = fileURLToPath(new URL('./worker-host.mjs', import.meta.url));

export class Worker {
  #child;
  #pending = null;

  /**
   * @param {URL} module whose exported functions can be called
   * @param {{ wrapper?: string[] }} [options] `wrapper`: a command that runs a command, such as taskset(1)
   */
  constructor(module, { wrapper = [] } = {}) {
    const [program, ...args] = [...wrapper, process.execPath, '--expose-gc', HOST, module.href];
    this.#child = spawn(program, args, {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      serialization: 'advanced',
    });
    this.#child.on('message', ({ error, value }) => {
      const { resolve, reject } = this.#pending;
      this.#pending = null;
      if (error === undefined) resolve(value);
      else reject(Object.assign(new Error(error.message), error));
    });
    this.#child.once('exit', (code, signal) =>
      this.#pending?.reject(new Error(`the worker ended with ${code ?? signal}`)),
    );
  }

  /** The worker's process id. */
  get pid() {
    return this.#child.pid;
  }

  /** Calls a function of the module; one call at a time. */
  call(name, ...args) {
    return new Promise((resolve, reject) => {
      this.#pending = { resolve, reject };
      this.#child.send({ name, args }, (error) => error && reject(error));
    });
  }

  async close() {
    if (this.#child.exitCode !== null || !this.#child.connected) return;
    const exited = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.disconnect();
    await exited;
  }
}
