/** The desk itself, and the key hierarchy of an administrator. */

import { CallsealError } from '../errors.ts';
import type { KeyHierarchy } from '../keys/hierarchy.ts';
import { sendJson, sendNothing } from './answer.ts';
import { readJson } from './body.ts';
import { actOnHierarchy, parseAction, viewAudit, viewHierarchy } from './hierarchy-desk.ts';
import { type Exchange, type Route, wholeNumber } from './routes.ts';

export const DESK_ROUTES: readonly Route[] = [
  { method: 'GET', path: '/api/desk', access: 'api', answer: info },
  { method: 'GET', path: '/api/events', access: 'api', listens: true, answer: events },
  { method: 'POST', path: '/api/close', access: 'api', answer: close },
  { method: 'GET', path: '/api/hierarchy', access: 'api', answer: hierarchy },
  { method: 'GET', path: '/api/hierarchy/audit', access: 'api', answer: audit },
  { method: 'POST', path: '/api/hierarchy/audit/verify', access: 'api', answer: verifyAudit },
  { method: 'POST', path: '/api/hierarchy/act', access: 'api', answer: act },
];

function info({ desk, response }: Exchange): void {
  sendJson(response, desk.info());
}

function events({ desk, response }: Exchange): void {
  desk.listeners.add(response);
}

async function close({ desk, response }: Exchange): Promise<void> {
  await desk.forget();
  sendNothing(response);
  desk.leave();
}

async function hierarchy({ desk, response }: Exchange): Promise<void> {
  sendJson(response, await viewHierarchy(requireHierarchy(desk.hierarchy)));
}

async function audit({ desk, response, query }: Exchange): Promise<void> {
  const before = query.get('before');
  sendJson(
    response,
    await viewAudit(requireHierarchy(desk.hierarchy), before === null ? null : wholeNumber(before, 'before')),
  );
}

async function verifyAudit({ desk, response }: Exchange): Promise<void> {
  sendJson(response, await requireHierarchy(desk.hierarchy).audit.verify());
}

async function act({ desk, request, response }: Exchange): Promise<void> {
  const keys = requireHierarchy(desk.hierarchy);
  await actOnHierarchy(keys, parseAction(await readJson(request)));
  sendJson(response, await viewHierarchy(keys));
}

function requireHierarchy(keys: KeyHierarchy | null): KeyHierarchy {
  if (keys !== null) return keys;
  throw new CallsealError('ERR_INVALID_ARGUMENT', 'this desk has no key hierarchy; start it with --store');
}
