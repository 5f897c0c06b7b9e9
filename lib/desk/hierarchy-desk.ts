/** The key hierarchy as the administrator's page shows and changes it: with the functions of the command line. */

import { CallsealError } from '../errors.ts';
import type { AuditEntry } from '../keys/audit.ts';
import type { KeyHierarchy } from '../keys/hierarchy.ts';
import type { MasterKeyInfo } from '../keys/masters.ts';
import type { WorkingKeyInfo } from '../keys/working.ts';
import { safe } from '../safe-text.ts';
import {
  type AuditView,
  canRemove,
  confirmationFor,
  type HierarchyAction,
  type HierarchyView,
  type MasterView,
  masterActions,
  type WorkingView,
} from './protocol.ts';

const AUDIT_PAGE = 50;

/** Everything, read and verified now. */
export async function viewHierarchy(keys: KeyHierarchy): Promise<HierarchyView> {
  const overview = await keys.overview();
  const { store, installation, approved, strength, remarks, masters, audit } = overview;
  const { id, algorithm, bits, facts } = installation;
  const place = facts && (facts.place.kind === 'file' ? facts.place.path : facts.place.uri);
  const certificate = facts?.certificate ?? null;
  return {
    store: { ...store, description: safe(store.description), createdAt: store.createdAt.toISOString() },
    installation: {
      ...{ id, algorithm, bits, place: place && safe(place), exportable: facts?.exportable ?? null },
      certificate: certificate && {
        subject: safe(certificate.subject),
        notBefore: certificate.notBefore.toISOString(),
        notAfter: certificate.notAfter.toISOString(),
      },
    },
    ...{ approved, strength, remarks: remarks.map(safe) },
    masters: masters.map(masterView).sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1)),
    working: (await keys.working.list()).map(workingView),
    audit: { entries: audit.entries, lastAt: audit.lastAt.toISOString() },
  };
}

function masterView({ assessment, createdAt, changedAt, ...master }: MasterKeyInfo): MasterView {
  const { approved, strength } = assessment;
  const times = { createdAt: createdAt.toISOString(), changedAt: changedAt.toISOString() };
  return { ...master, approved, strength: strength.chain, ...times };
}

function workingView({ assessment, createdAt, area, ...working }: WorkingKeyInfo): WorkingView {
  return { ...working, area: safe(area), approved: assessment.approved, createdAt: createdAt.toISOString() };
}

/** A page of the audit log, newest first. @param before Entries before this one; null for the newest. */
export async function viewAudit(keys: KeyHierarchy, before: number | null): Promise<AuditView> {
  const end = before === null ? (await keys.overview()).audit.entries : before - 1;
  const entries: AuditView['entries'] = [];
  for await (const entry of keys.audit.list({ after: Math.max(0, end - AUDIT_PAGE) })) {
    if (entry.sequence > end) break;
    entries.unshift(entryView(entry));
  }
  return { entries };
}

function entryView({ sequence, at, actor, host, event, details }: AuditEntry): AuditView['entries'][number] {
  const { rows: _, ...shown } = details;
  const told = Object.entries(shown).filter(([, value]) => !(Array.isArray(value) && value.length === 0));
  const text = told.map(([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return {
    sequence,
    at: at.toISOString(),
    actor: safe(actor),
    host: safe(host),
    event: safe(event),
    details: safe(text.join(', ')),
  };
}

/**
 * Does what an administrator asked for and confirmed.
 *
 * @throws {CallsealError} `ERR_INVALID_ARGUMENT` unless what was typed is what confirms it; otherwise what the hierarchy throws
 */
export async function actOnHierarchy(keys: KeyHierarchy, action: HierarchyAction): Promise<void> {
  if (action.confirm !== confirmationFor(action)) {
    throw new CallsealError('ERR_INVALID_ARGUMENT', 'not confirmed; nothing was changed');
  }
  if (!(await isOffered(keys, action))) {
    throw new CallsealError('ERR_INVALID_ARGUMENT', 'the page does not offer this now; read the hierarchy again');
  }
  switch (action.action) {
    case 'master.rotate':
      await keys.masters.rotate();
      return;
    case 'master.use':
      await keys.masters.rotate({ id: action.id });
      return;
    case 'master.disable':
      return keys.masters.disable(action.id);
    case 'master.enable':
      return keys.masters.enable(action.id);
    case 'master.remove':
      return keys.masters.remove(action.id);
    case 'working.rotate':
      await keys.working.rotate(action.area);
      return;
    case 'working.remove':
      return keys.working.remove(action.id);
  }
}

/** Whether the page has a button for it: whoever asks otherwise is not the page. */
async function isOffered(keys: KeyHierarchy, action: HierarchyAction): Promise<boolean> {
  switch (action.action) {
    case 'master.rotate':
      return true;
    case 'working.rotate':
      return (await keys.working.list()).some(({ area }) => area === action.area);
    case 'working.remove':
      return (await keys.working.list()).some((key) => key.id === action.id && canRemove(key));
    default:
      return (await keys.masters.list()).some(
        (key) => key.id === action.id && masterActions(key).includes(action.action),
      );
  }
}

const WITH_ID: ReadonlySet<string> = new Set([
  'master.use',
  'master.disable',
  'master.enable',
  'master.remove',
  'working.remove',
]);

/** @throws {CallsealError} `ERR_INVALID_ARGUMENT` for what is no action */
export function parseAction(value: Record<string, unknown>): HierarchyAction {
  const { action, confirm, ...what } = value;
  const wanted = action === 'master.rotate' ? [] : action === 'working.rotate' ? ['area'] : ['id'];
  const isKnown = action === 'master.rotate' || action === 'working.rotate' || WITH_ID.has(action as string);
  const fits = Object.keys(what).every((name) => wanted.includes(name));
  const texts = [confirm, ...wanted.map((name) => what[name])].every((part) => typeof part === 'string');
  if (isKnown && fits && texts) return value as unknown as HierarchyAction;
  throw new CallsealError('ERR_INVALID_ARGUMENT', 'this is no action that the desk knows');
}
