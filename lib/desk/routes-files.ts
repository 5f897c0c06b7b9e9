/** Files: listed, dropped, opened, saved. */

import { CallsealError } from '../errors.ts';
import { sendJson, sendNothing } from './answer.ts';
import { readJson } from './body.ts';
import { receiveDropped } from './dropped.ts';
import { type Exchange, type Route, wholeNumber } from './routes.ts';

const MAX_NAME_CHARACTERS = 1024;

export const FILE_ROUTES: readonly Route[] = [
  { method: 'GET', path: '/api/files', access: 'api', answer: list },
  { method: 'POST', path: '/api/rescan', access: 'api', answer: rescan },
  { method: 'POST', path: '/api/drop', access: 'api', answer: drop },
  { method: 'DELETE', path: '/api/files/*', access: 'api', answer: remove },
  { method: 'POST', path: '/api/files/*/open', access: 'api', answer: open },
  { method: 'POST', path: '/api/save', access: 'api', answer: save },
  { method: 'GET', path: '/api/save', access: 'api', answer: saveState },
  { method: 'DELETE', path: '/api/save', access: 'api', answer: cancelSave },
];

function list({ desk, response, query }: Exchange): void {
  sendJson(response, desk.shelf.listing(wholeNumber(query.get('from') ?? 0, 'from')));
}

function rescan({ desk, response, onTrouble }: Exchange): void {
  desk.shelf.scan().catch(onTrouble);
  sendNothing(response);
}

async function drop({ desk, request, response, query }: Exchange): Promise<void> {
  const name = query.get('name') ?? '';
  if (name.length > MAX_NAME_CHARACTERS) throw new CallsealError('ERR_INVALID_ARGUMENT', 'the name is too long');
  const file = await receiveDropped(request, name);
  const view = await desk.shelf.add(file).catch(async (error: unknown) => {
    await file.close();
    throw error;
  });
  sendJson(response, view, 201);
}

async function remove({ desk, response, params }: Exchange): Promise<void> {
  await desk.removeFile(wholeNumber(params[0], 'the file'));
  sendNothing(response);
}

async function open({ desk, request, response, params }: Exchange): Promise<void> {
  const { recover } = await readJson(request);
  sendJson(response, await desk.open(wholeNumber(params[0], 'the file'), recover === true));
}

async function save({ desk, request, response }: Exchange): Promise<void> {
  const { files } = await readJson(request);
  if (!Array.isArray(files)) throw new CallsealError('ERR_INVALID_ARGUMENT', 'files must be a list');
  const saving = desk.requireSave();
  saving.start(
    files.map((id) => desk.shelf.file(wholeNumber(id, 'a file'))),
    desk.keys.ring(),
  );
  sendJson(response, saving.view, 202);
}

function saveState({ desk, response }: Exchange): void {
  sendJson(response, desk.requireSave().view);
}

async function cancelSave({ desk, response }: Exchange): Promise<void> {
  await desk.requireSave().cancel();
  sendNothing(response);
}
