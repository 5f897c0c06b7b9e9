/**
 * A service that takes uploads and keeps them encrypted: bytes are encrypted as they arrive, so that no plaintext touches
 * the disk and a large upload takes no more memory than a small one.
 *
 *     CERTIFICATES=desk.crt DIRECTORY=calls node server.mjs
 *     curl --data-binary @call.wav -H 'content-type: application/octet-stream' http://127.0.0.1:3000/calls/call.wav
 */

import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createEncryptStream, inspect, Recipients } from 'callseal';
import Fastify from 'fastify';

const { CERTIFICATES = 'desk.crt', DIRECTORY = '.', PORT = '3000' } = process.env;

const recipients = await Recipients.load(CERTIFICATES.split(','));
const app = Fastify({ bodyLimit: 8 * 1024 ** 3 });

// The body stays a stream: nothing collects it.
app.addContentTypeParser('application/octet-stream', (_request, payload, done) => done(null, payload));

const NAME = { type: 'string', pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$' };
const schema = { params: { type: 'object', properties: { name: NAME } } };
let uploads = 0;

app.post('/calls/:name', { schema }, async (request, reply) => {
  const path = join(DIRECTORY, `${request.params.name}.sealed`);
  const unfinished = `${path}.${process.pid}-${++uploads}.part`;
  try {
    const file = createWriteStream(unfinished, { flags: 'wx', mode: 0o600, flush: true });
    await pipeline(request.body, createEncryptStream({ recipients }), file);
    // Its name says that it is complete: an upload that breaks off never gets it.
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
  const { fileId, plaintextBytes } = await inspect(path);
  return reply.code(201).send({ fileId, plaintextBytes });
});

console.log(await app.listen({ host: '127.0.0.1', port: Number(PORT) }));
process.once('SIGTERM', () => app.close());
