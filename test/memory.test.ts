/** Memory stays flat however many jobs run and handles are made, and what scripts do to buffers and keys meanwhile is safe. */

import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { sparseFile } from './helpers/files.ts';
import { inNode } from './helpers/native-child.ts';
import { tempDir } from './helpers/temp.ts';

/** What a leak of this size would be: far more than the noise of an allocator, far less than what the loops allocate. */
const ALLOWED_MIB = 12;

const SETUP = `
  const n = native();
  const key = await n.PrivateKey.generate(2048);
  const label = new Uint8Array([1]);
  const prelude = new Uint8Array(48);
  const wraps = [{ publicKey: key.publicKey, offset: 0 }];
  const template = new n.EnvelopeTemplate({ recipients: new Uint8Array(256), wraps, bodyLabel: label, macLabel: label });
  const bodyKey = async (sealed) => (await key.unwrap(sealed.subarray(48, 304))).derive('floe', label, prelude);
  const attemptAsync = async (work) => work.then(() => 'done', (error) => error.code);
`;

/** Runs `work(i)` for a while, then many times, and reports by how many MiB the resident set grew in between. */
const growthOf = (times: number, work: string) => `
  ${SETUP}
  const settle = async () => {
    // The least of several looks: the collector works on threads of its own, which a busy machine holds up.
    let least = Infinity;
    for (let i = 0; i < 15; i++) {
      gc();
      await new Promise((resolve) => setTimeout(resolve, 10));
      least = Math.min(least, process.memoryUsage.rss() / 2 ** 20);
    }
    return least;
  };
  const work = async (i) => { ${work} };
  for (let i = 0; i < ${times}; i++) await work(i);
  const before = await settle();
  for (let i = 0; i < ${times} * 3; i++) await work(i);
  report(await settle() - before);
`;
const growth = (times: number, work: string) => inNode<number>(growthOf(times, work), { args: ['--expose-gc'] });

describe('memory does not grow', () => {
  it('with bodies in memory', { timeout: 120_000 }, async () => {
    const work = `
      const sealed = await seal(template, prelude, new Uint8Array(1 << 20), 65536, 1 + (i % 3));
      openBody(await bodyKey(sealed), prelude, sealed.subarray(336), 1 + (i % 3));
    `;
    expect(await growth(100, work)).toBeLessThan(ALLOWED_MIB);
  });

  it('with handles of every class', { timeout: 120_000 }, async () => {
    const work = `
      for (let j = 0; j < 50; j++) {
        n.SecretKey.generate('gcm').encryptGcm(new Uint8Array(1000), label);
        n.Passphrase.fromBytes(new Uint8Array(1000).fill(65));
        key.publicKey.toPem();
        new n.JobControl();
        new n.EnvelopeTemplate({ recipients: new Uint8Array(2560), wraps, bodyLabel: label, macLabel: label });
      }
      const { header, encryptor } = await template.start(prelude, 4096);
      const segment = new Uint8Array(132);
      encryptor.encrypt(NONE, new Uint8Array(100), true, segment, 1, SECOND);
      const decryptor = new n.FloeDecryptor(await bodyKey(header), prelude, encryptor.header);
      decryptor.decrypt(NONE, segment, new Uint8Array(100), 1, SECOND);
      decryptor.decryptSegmentAt(0, segment, true);
      await template.startAhead(prelude, 4096).header;
    `;
    expect(await growth(100, work)).toBeLessThan(ALLOWED_MIB);
  });

  it('with work that fails', { timeout: 120_000 }, async () => {
    const work = `
      const sealed = await seal(template, prelude, new Uint8Array(1 << 18), 65536);
      const body = await bodyKey(sealed);
      sealed[sealed.length - 1] ^= 1;
      const codes = [attempt(() => openBody(body, prelude, sealed.subarray(336), 2)).code];
      codes.push(await attemptAsync(key.unwrap(new Uint8Array(256))));
      codes.push(await attemptAsync(n.PrivateKey.load('/nonexistent', null)));
      for (let j = 0; j < 100; j++) codes.push(attempt(() => key.publicKey.wrap({})).code, attempt(() => new n.SecretKey()).code);
      const expected = ['ERR_TAMPERED', 'ERR_TAMPERED', 'ERR_IO', 'ERR_INVALID_ARGUMENT'];
      if (codes.some((code) => !expected.includes(code))) throw new Error(codes.join());
    `;
    expect(await growth(100, work)).toBeLessThan(ALLOWED_MIB);
  });

  it('with the length of a file', { timeout: 120_000 }, async () => {
    const directory = tempDir();
    const input = sparseFile(join(directory, 'in'), 2 ** 29);
    const peak = await inNode<{ before: number; after: number }>(`
      ${SETUP}
      const output = (name) => ({ path: ${JSON.stringify(directory)} + '/' + name, replace: true, sync: false });
      const run = async (input) => {
        await template.encryptFile(prelude, input, output('sealed'), 65536, new Uint8Array(0), new n.JobControl());
        const { file, head } = await n.InputFile.open(output('sealed').path, output('out'), 336);
        const envelope = {
          wrappedKey: head.subarray(48, 304),
          prelude,
          authenticated: head.subarray(0, 304),
          mac: head.subarray(304),
          bodyLabel: label,
          macLabel: label,
        };
        await file.decrypt(key, envelope, 336, output('out'), new n.JobControl(), false);
        file.destroy();
      };
      await run(${JSON.stringify(sparseFile(join(directory, 'small'), 2 ** 21))});
      const before = process.resourceUsage().maxRSS / 1024;
      await run(${JSON.stringify(input)});
      report({ before, after: process.resourceUsage().maxRSS / 1024 });
    `);
    expect(statSync(join(directory, 'out')).size).toBe(2 ** 29);
    expect(peak.after - peak.before).toBeLessThan(ALLOWED_MIB);
  });
});

describe('while a job runs', () => {
  it('its keys may be destroyed', async () => {
    const found = await inNode<string[]>(`
      ${SETUP}
      const { header } = await template.start(prelude, 65536);
      const jobs = [];
      for (let i = 0; i < 4; i++) {
        jobs.push(attemptAsync(template.start(prelude, 65536)), attemptAsync(key.unwrap(header.subarray(48, 304))));
        jobs.push(attemptAsync(template.startAhead(prelude, 65536).header));
      }
      const content = n.SecretKey.generate('content');
      jobs.push(attemptAsync(key.publicKey.wrap(content)), attemptAsync(key.sign('pss-sha256', header)));
      content.destroy();
      key.destroy();
      report([...(await Promise.all(jobs)), attempt(() => key.bits).code]);
    `);
    expect(found).toEqual([...new Array(14).fill('done'), 'ERR_KEY_USE']);
  });

  it('its handles may be collected', async () => {
    const found = await inNode<boolean>(
      `
        const start = async () => {
          ${SETUP}
          const { header } = await template.start(prelude, 65536);
          return Promise.all([header, template.startAhead(prelude, 65536).header, key.publicKey.wrap(await key.unwrap(header.subarray(48, 304)))]);
        };
        const jobs = [start(), start(), start()];
        const collecting = setInterval(gc, 1);
        const lengths = (await Promise.all(jobs)).flat().map(({ length }) => length);
        clearInterval(collecting);
        report(lengths.every((length, index) => length === [336, 336, 256][index % 3]));
      `,
      { args: ['--expose-gc'] },
    );
    expect(found).toBe(true);
  });

  it('its buffers may be transferred, shrunk and overwritten', async () => {
    const found = await inNode<boolean[]>(
      `
        ${SETUP}
        const content = () => Buffer.alloc(4 << 20, 'a call');
        const results = [];
        const ways = [
          (array) => structuredClone(array.buffer, { transfer: [array.buffer] }),
          (array) => array.buffer.resize(0),
          (array) => array.fill(0),
        ];
        for (const disturb of ways) {
          const input = new Uint8Array(new ArrayBuffer(4 << 20, { maxByteLength: 4 << 20 }));
          input.set(content());
          const signing = key.sign('pss-sha256', input);
          disturb(input);
          gc();
          results.push(await key.publicKey.verify('pss-sha256', content(), await signing));
        }
        report(results);
      `,
      { args: ['--expose-gc'] },
    );
    expect(found).toEqual([true, true, true]);
  });

  it('it may be cancelled, and leaves nothing', async () => {
    const directory = tempDir();
    const input = sparseFile(join(directory, 'in'), 2 ** 32);
    const found = await inNode<{ code: string; progress: number; before: number }>(`
      ${SETUP}
      const control = new n.JobControl();
      const before = control.progress;
      const output = { path: ${JSON.stringify(join(directory, 'out'))}, replace: false, sync: true };
      const job = attemptAsync(template.encryptFile(prelude, ${JSON.stringify(input)}, output, 65536, new Uint8Array(0), control));
      while (control.progress === 0) await new Promise((resolve) => setImmediate(resolve));
      control.cancel();
      report({ code: await job, progress: control.progress, before });
    `);
    expect(found).toMatchObject({ code: 'ERR_ABORTED', before: 0 });
    expect(found.progress).toBeGreaterThan(0);
    expect(found.progress).toBeLessThan(2 ** 32);
    expect(readdirSync(directory)).toEqual(['in']);
    expect(existsSync(join(directory, 'out'))).toBe(false);
  });
});
