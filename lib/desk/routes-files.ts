/** Files: listed, dropped, opened, saved. */

import { CallsealError } from '../errors.ts';
import { sendJson, sendNothing } from './answer.ts';
import { readJson } from './body.ts';
import { type Exchange, type Route, wholeNumber } from './routes.ts';

/** Numbers of as many files as the desk lists, however high they have become. */
const MAX_SAVE_BYTES = 1 << 18;

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
  const from = wholeNumber(query.get('from') ?? 0, 'from');
  sendJson(response, desk.shelf.listing(from, wholeNumber(query.get('known') ?? 0, 'known')));
}

function rescan({ desk, response, onTrouble }: Exchange): void {
  desk.shelf.scan().catch(onTrouble);
  sendNothing(response);
}

async function drop({ desk, request, response, query }: Exchange): Promise<void> {
  const file = await desk.dropped.receive(request, query.get('name') ?? '');
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
  const opened = await desk.open(wholeNumber(params[0], 'the file'), recover === true);
  // Nobody would ever close it.
  if (response.destroyed) await desk.contents.close(opened.handle);
  else sendJson(response, opened);
}

async function save({ desk, request, response, onTrouble }: Exchange): Promise<void> {
  const { files } = await readJson(request, MAX_SAVE_BYTES);
  if (!Array.isArray(files)) throw new CallsealError('ERR_INVALID_ARGUMENT', 'files must be a list');
  const saving = desk.requireSave();
  saving.start(
    files.map((id) => desk.shelf.file(wholeNumber(id, 'a file'))),
    desk.keys.ring(),
    onTrouble,
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
