/** A worker thread that is terminated in the middle of native work takes nobody else with it. */

import { describe, expect, it } from 'vitest';

import { inNode, scriptFile } from './helpers/native-child.ts';

const ROUNDS = 30;

const TEMPLATE = `
    const key = await n.PrivateKey.generate(2048);
    const wraps = [{ publicKey: key.publicKey, offset: 0 }];
    const label = new Uint8Array(1);
    const template = new n.EnvelopeTemplate({ recipients: new Uint8Array(256), wraps, bodyLabel: label, macLabel: label });`;

/** What the worker does for ever, each time in another place when it is stopped. */
const LOOPS = {
  'synchronous calls': `
    const mac = n.SecretKey.generate('content').derive('mac', new Uint8Array(1), new Uint8Array(1));
    for (;;) {
      mac.mac(new Uint8Array(64));
      n.randomBytes(32);
      n.SecretKey.generate('gcm');
      try { mac.encryptGcm(new Uint8Array(1), new Uint8Array(1)); } catch {}
    }`,
  'jobs on pool threads': `
    ${TEMPLATE}
    for (;;) {
      await template.start(new Uint8Array(48), 4096);
      await template.startAhead(new Uint8Array(48), 4096).header;
    }`,
  'large buffers on several threads': `
    ${TEMPLATE}
    const { encryptor } = await template.start(new Uint8Array(48), 4096);
    const input = new Uint8Array(encryptor.plaintextLength * 256);
    const output = new Uint8Array(4096 * 256);
    for (;;) {
      encryptor.encrypt(new Uint8Array(0), input, false, output, 64, 1000000);
      await null;
    }`,
};

describe('terminating a worker', () => {
  it.each(Object.entries(LOOPS))('in %s', { timeout: 120_000 }, async (_what, loop) => {
    const worker = scriptFile(`
      import { parentPort } from 'node:worker_threads';
      const n = native();
      parentPort.postMessage('ready');
      ${loop}`);
    const ended = await inNode<number>(`
      import { Worker } from 'node:worker_threads';
      native();
      let ended = 0;
      for (let round = 0; round < ${ROUNDS}; round++) {
        const worker = new Worker(${JSON.stringify(worker)});
        await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
        await new Promise((resolve) => setTimeout(resolve, (round * 7) % 20));
        await worker.terminate();
        ended++;
      }
      report(ended);
    `);
    expect(ended).toBe(ROUNDS);
  });
});
