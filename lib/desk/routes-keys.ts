/** Private keys: given with their passphrases, and forgotten. */

import { CallsealError } from '../errors.ts';
import { sendJson, sendNothing } from './answer.ts';
import { readSecretBody } from './body.ts';
import { type Exchange, type Route, wholeNumber } from './routes.ts';

const MAX_PASSPHRASE_BYTES = 1024;
/** As much as the key-file reader takes, and what is before it. */
const MAX_KEY_BODY_BYTES = (1 << 20) + MAX_PASSPHRASE_BYTES + 2;
const MAX_NAME_CHARACTERS = 255;

export const KEY_ROUTES: readonly Route[] = [
  { method: 'GET', path: '/api/keys', access: 'api', answer: list },
  { method: 'POST', path: '/api/keys', access: 'api', answer: add },
  { method: 'POST', path: '/api/keys/*/unlock', access: 'api', answer: unlock },
  { method: 'DELETE', path: '/api/keys/*', access: 'api', answer: forget },
  { method: 'DELETE', path: '/api/keys', access: 'api', answer: forgetAll },
];

function list({ desk, response }: Exchange): void {
  sendJson(response, desk.keys.list());
}

/** The body: two bytes with the length of the passphrase, the passphrase, the key file. */
async function add({ desk, request, response, query }: Exchange): Promise<void> {
  const name = (query.get('name') || 'private key').slice(0, MAX_NAME_CHARACTERS);
  const body = await readSecretBody(request, MAX_KEY_BODY_BYTES);
  try {
    const length = body.length < 2 ? body.length : body.readUInt16BE(0);
    if (2 + length > body.length) throw new CallsealError('ERR_INVALID_ARGUMENT', 'the body has not its own length');
    const passphrase = body.subarray(2, 2 + length);
    sendJson(response, await desk.keys.add(name, body.subarray(2 + length), passphrase), 201);
  } finally {
    body.fill(0);
  }
}

/** The body is the passphrase. */
async function unlock({ desk, request, response, params }: Exchange): Promise<void> {
  const passphrase = await readSecretBody(request, MAX_PASSPHRASE_BYTES);
  try {
    sendJson(response, await desk.keys.unlock(wholeNumber(params[0], 'the key'), passphrase));
  } finally {
    passphrase.fill(0);
  }
}

async function forget({ desk, response, params }: Exchange): Promise<void> {
  await desk.forgetKey(wholeNumber(params[0], 'the key'));
  sendNothing(response);
}

async function forgetAll({ desk, response }: Exchange): Promise<void> {
  await desk.forget();
  sendNothing(response);
}
