/** Streams: back-pressure, cancellation, an event loop that turns, and what a dying writer leaves. */

import { randomBytes } from 'node:crypto';
import { getEventListeners, once } from 'node:events';
import { PassThrough, Readable, type Transform, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';

import {
  type CallsealError,
  createDecryptStream,
  createEncryptStream,
  decrypt,
  encrypt,
  inspect,
  KeyRing,
  Recipients,
} from '../lib/index.ts';
import { codeOf, refusalOf } from './helpers/errors.ts';
import { makeParties, type Parties } from './helpers/parties.ts';
import { flow, through } from './helpers/streams.ts';

const MIB = 1 << 20;
const plaintext = randomBytes(16 * MIB);
let parties: Parties;
let sealed: Uint8Array;

beforeAll(async () => {
  parties = await makeParties();
  sealed = await encrypt(plaintext, { recipients: parties.recipients, segmentLength: 65_536 });
});

type Direction = 'createEncryptStream' | 'createDecryptStream';
const DIRECTIONS: Direction[] = ['createEncryptStream', 'createDecryptStream'];

function create(direction: Direction, signal?: AbortSignal): { stream: Transform; input: Uint8Array } {
  return direction === 'createEncryptStream'
    ? { stream: createEncryptStream({ recipients: parties.recipients, signal }), input: plaintext }
    : { stream: createDecryptStream({ keys: parties.keys, signal }), input: sealed };
}

async function turns(count: number): Promise<void> {
  for (let index = 0; index < count; index++) await nextTurn();
}

/** Waits until output is there, then some turns more, in which a stream without back-pressure would go on. */
async function settle(stream: Transform): Promise<void> {
  while (stream.readableLength === 0) await nextTurn();
  await turns(200);
}

describe.each(DIRECTIONS)('%s', (direction) => {
  it('works off one huge chunk no faster than it is read', async () => {
    const { stream, input } = create(direction);
    stream.end(input);
    await settle(stream);
    const limit = stream.readableHighWaterMark + 65_536;
    expect(stream.readableLength).toBeGreaterThan(0);
    expect(stream.readableLength).toBeLessThanOrEqual(limit);
    let total = 0;
    for await (const chunk of stream) {
      total += chunk.length;
      expect(stream.readableLength).toBeLessThanOrEqual(limit);
    }
    const { length } = direction === 'createEncryptStream' ? await through(create(direction).stream, input) : plaintext;
    expect(total).toBe(length);
  });

  it('holds back a writer whose reader is slow', async () => {
    const { stream, input } = create(direction);
    let taken = 0;
    const source = new Readable({
      read() {
        const chunk = input.subarray(taken, taken + 16_384);
        taken += chunk.length;
        this.push(chunk.length > 0 ? chunk : null);
      },
    });
    source.pipe(stream);
    await settle(stream);
    const held = stream.readableHighWaterMark + stream.writableHighWaterMark + source.readableHighWaterMark;
    expect(taken).toBeLessThan(held + 4 * 65_536);
    const slow = new Writable({ highWaterMark: 1, write: (_chunk, _encoding, done) => setImmediate(done) });
    await pipeline(stream, slow);
    expect(taken).toBe(input.length);
  });

  it('lets the event loop turn while it works through one huge chunk', async () => {
    const { stream, input } = create(direction);
    let done = false;
    let count = 0;
    const counting = (async () => {
      while (!done) {
        await nextTurn();
        count++;
      }
    })();
    await through(stream, input, 1 << 30);
    done = true;
    await counting;
    expect(count).toBeGreaterThan(plaintext.length / 262_144 / 2);
  });

  it('lets the event loop turn while it is fed from memory', async () => {
    const { stream, input } = create(direction);
    let count = 0;
    const timer = setInterval(() => count++, 0);
    await through(stream, input, 4096);
    clearInterval(timer);
    expect(count).toBeGreaterThan(0);
  });

  it('fails with ERR_ABORTED and the reason when the signal was raised before', async () => {
    const reason = new Error('shutting down');
    const { stream, input } = create(direction, AbortSignal.abort(reason));
    const { error, released } = await flow(stream, input, 60_000);
    expect(error).toMatchObject({ code: 'ERR_ABORTED', cause: reason });
    expect(released).toHaveLength(0);
  });

  it('fails with ERR_ABORTED and the reason when the signal is raised meanwhile, and listens no longer', async () => {
    const controller = new AbortController();
    const reason = new Error('call was answered');
    const { stream, input } = create(direction, controller.signal);
    stream.once('data', () => controller.abort(reason));
    const { error, released } = await flow(stream, input, 60_000);
    expect(error).toMatchObject({ code: 'ERR_ABORTED', cause: reason });
    expect(released.length).toBeLessThan(input.length);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });

  it('listens to the signal once, and not after its end', async () => {
    const controller = new AbortController();
    const { stream, input } = create(direction, controller.signal);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1);
    await through(stream, input, 60_000);
    if (!stream.closed) await once(stream, 'close');
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });

  it('stops quietly when it is destroyed in the middle of a chunk', async () => {
    const { stream, input } = create(direction);
    stream.write(input);
    await settle(stream);
    stream.destroy();
    await once(stream, 'close');
    await turns(50);
    expect(stream.errored).toBeNull();
  });

  it('stops when it is destroyed before its first output', async () => {
    const { stream, input } = create(direction);
    stream.write(input);
    stream.destroy();
    await once(stream, 'close');
    await turns(50);
    expect(stream.errored).toBeNull();
  });
});

describe('streams in a pipeline', () => {
  it('give back what went in', async () => {
    const output = new PassThrough();
    const gathered = output.toArray();
    const encryptStream = createEncryptStream({ recipients: parties.recipients, segmentLength: 4096 });
    await pipeline(Readable.from([plaintext]), encryptStream, createDecryptStream(parties), output);
    expect(Buffer.concat(await gathered).equals(plaintext)).toBe(true);
  });

  it('take text', async () => {
    const stream = createEncryptStream({ recipients: parties.recipients });
    stream.end('größer');
    const bytes = Buffer.concat(await stream.toArray());
    expect(Buffer.from(await decrypt(bytes, parties)).toString()).toBe('größer');
  });
});

describe('a writer that dies', () => {
  it('leaves every segment that was full, and a file that everybody sees is incomplete', async () => {
    const segmentLength = 4096;
    const stream = createEncryptStream({ recipients: parties.recipients, segmentLength });
    const written: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => written.push(chunk));
    const spoken = plaintext.subarray(0, 3 * (segmentLength - 32) + 100);
    for (let at = 0; at < spoken.length; at += 160) stream.write(spoken.subarray(at, at + 160));
    // Header, FLOE header and three segments.
    while (written.length < 5) await nextTurn();
    await turns(20);
    stream.destroy();
    const left = Buffer.concat(written);
    expect(await inspect(left)).toMatchObject({ state: 'truncated', segments: 3, plaintextBytes: null });
    const { released, error } = await flow(createDecryptStream(parties), left, 1000);
    expect(error).toMatchObject({ code: 'ERR_TRUNCATED' });
    expect(released.equals(spoken.subarray(0, 3 * (segmentLength - 32)))).toBe(true);
  });
});

describe('a decrypt stream', () => {
  it.each([
    ['nothing', new Uint8Array(0), 'ERR_NOT_CALLSEAL'],
    ['seven bytes', Buffer.from('CALLSEA'), 'ERR_NOT_CALLSEAL'],
    ['another file', Buffer.from('%PDF-1.7'), 'ERR_NOT_CALLSEAL'],
    ['the magic alone', Buffer.from('CALLSEAL'), 'ERR_TRUNCATED'],
  ])('refuses %s', async (_what, bytes, code) => {
    const { error, released } = await flow(createDecryptStream(parties), bytes, 100);
    expect(error).toMatchObject({ code });
    expect(released).toHaveLength(0);
  });

  it('refuses to open without a key that fits, and names those it was encrypted for', async () => {
    const keys = new KeyRing([parties.stranger.privateKey]);
    const { error } = await flow(createDecryptStream({ keys }), sealed, 60_000);
    expect(error).toMatchObject({ code: 'ERR_NO_MATCHING_KEY' });
    expect((error as CallsealError).message).toMatch(/CN=mary.*CN=fred/);
  });
});

describe('arguments', () => {
  it.each([
    ['no recipients', () => createEncryptStream({} as never), /recipients/],
    ['paths as recipients', () => createEncryptStream({ recipients: ['a.crt'] as never }), /Recipients\.load/],
    ['a short segment', () => createEncryptStream({ ...parties, segmentLength: 1023 }), /1024 to 16777216, not 1023/],
    ['a broken segment', () => createEncryptStream({ ...parties, segmentLength: 4096.5 }), /4096\.5/],
    ['a long segment', () => createEncryptStream({ ...parties, segmentLength: 16_777_217 }), /16777217/],
    ['a signal that is none', () => createEncryptStream({ ...parties, signal: {} as never }), /AbortSignal/],
    ['no keys', () => createDecryptStream({} as never), /keys must be a KeyRing/],
    ['a path as keys', () => createDecryptStream({ keys: 'my_private.key' as never }), /KeyRing/],
  ])('%s are refused at once', async (_what, call, message) => {
    const error = await refusalOf(call);
    expect(error.code).toBe('ERR_INVALID_ARGUMENT');
    expect(error.message).toMatch(message);
  });

  it.each([
    ['encrypt: text for bytes', () => encrypt('text' as never, parties)],
    ['decrypt: text for bytes', () => decrypt('text' as never, parties)],
    ['inspect: a number', () => inspect(7 as never)],
    ['inspect: an empty path', () => inspect('')],
    ['a policy that does not exist', () => Recipients.load([], { expried: 'warn' } as never)],
    ['an action that does not exist', () => Recipients.load([], { expired: 'ignore' as never })],
    ['recipients: a path without a list', () => Recipients.load('my_cert.crt' as never)],
    ['recipients: an empty path', () => Recipients.load([''])],
    ['recipients: nothing for a path', () => Recipients.load([undefined as never])],
    ['keys: a path without a list', () => new KeyRing('my_private.key' as never)],
    ['keys: a source without a path', () => new KeyRing([{} as never])],
    ['a minimum of none', () => Recipients.load([], { minimum: 0 })],
  ])('%s', async (_what, call) => {
    expect(await codeOf(call)).toBe('ERR_INVALID_ARGUMENT');
  });
});

describe('buffers', () => {
  it('are not touched when the signal was raised before', async () => {
    const reason = new Error('no');
    const signal = AbortSignal.abort(reason);
    expect(await refusalOf(() => encrypt(plaintext, { ...parties, signal }))).toMatchObject({
      code: 'ERR_ABORTED',
      cause: reason,
    });
    expect(await codeOf(() => decrypt(sealed, { ...parties, signal }))).toBe('ERR_ABORTED');
    expect(await codeOf(() => inspect(sealed, { signal }))).toBe('ERR_ABORTED');
  });

  it('give nothing when the signal is raised meanwhile', async () => {
    const controller = new AbortController();
    const pending = encrypt(plaintext, { ...parties, signal: controller.signal });
    controller.abort();
    expect(await codeOf(() => pending)).toBe('ERR_ABORTED');
  });

  it('of other typed arrays at an offset are taken as they are', async () => {
    const backing = new Uint8Array(1000).fill(7);
    const view = backing.subarray(100, 200);
    expect(Buffer.from(await decrypt(await encrypt(view, parties), parties)).equals(Buffer.alloc(100, 7))).toBe(true);
  });
});
