/**
 * What a batch does to its files, as it stands in the database: JSON that another host can act upon. It holds certificates,
 * never a secret. What comes out of the database is checked as any input is: others may write there.
 */

import { type RecipientMatch, testFor } from '../callfile/recipient-match.ts';
import type { RecipientChange } from '../callfile/recipients-change.ts';
import { CallsealError } from '../errors.ts';
import { readRecipientFile } from '../recipients/examine.ts';
import { Recipients } from '../recipients/recipients.ts';

/** What is done to every file of a batch. */
export type BatchChange =
  | { kind: 'recipients'; change: RecipientChange; verify: boolean }
  | { kind: 'rekey'; recipients: Recipients; before: Date; dropSignature: boolean };

/** Certificates by content, and which of their keys are meant. */
interface StoredRecipients {
  files: { path: string; base64: string }[];
  keyIds: string[];
}

/** The JSON of a batch. */
export async function storeChange(change: BatchChange): Promise<object> {
  if (change.kind === 'rekey') {
    const { kind, recipients, before, dropSignature } = change;
    return { kind, recipients: await storeRecipients(recipients), before: before.toISOString(), dropSignature };
  }
  const { add, remove, replace, where } = change.change;
  return {
    kind: change.kind,
    verify: change.verify,
    ...(add && { add: await storeRecipients(add) }),
    ...(remove && { remove }),
    ...(replace && { replace: { old: replace.old, new: await storeRecipients(replace.new) } }),
    ...(where && { where }),
  };
}

async function storeRecipients(recipients: Recipients): Promise<StoredRecipients> {
  const paths = [...new Set(recipients.list.map(({ path }) => path))];
  const files = await Promise.all(
    paths.map(async (path) => ({ path, base64: Buffer.from(await readRecipientFile(path)).toString('base64') })),
  );
  return { files, keyIds: recipients.list.map(({ keyId }) => keyId) };
}

/**
 * Inverse of {@link storeChange}.
 *
 * @throws {CallsealError} `ERR_INVALID_ARGUMENT`, `ERR_CERTIFICATE_UNREADABLE`.
 */
export function restoreChange(stored: unknown): BatchChange {
  const { kind, ...rest } = objectOf(stored);
  if (kind === 'rekey') {
    const { recipients, before, dropSignature } = rest;
    return {
      kind,
      recipients: restoreRecipients(recipients),
      before: dateOf(before),
      dropSignature: dropSignature === true,
    };
  }
  if (kind !== 'recipients') throw damaged(`its kind is ${JSON.stringify(kind)}, which this release does not know`);
  const { verify, add, remove, replace, where } = rest;
  return {
    kind,
    verify: verify === true,
    change: definedOnly({
      add: add === undefined ? undefined : restoreRecipients(add),
      remove: remove === undefined ? undefined : restoreMatches(remove),
      replace: replace === undefined ? undefined : restoreReplacement(replace),
      where: where === undefined ? undefined : restoreMatches(where),
    }),
  };
}

/** Ids of the keys that could open files after the change, and perhaps could not before. */
export function addedKeyIds(change: BatchChange): string[] {
  if (change.kind === 'rekey') return change.recipients.list.map(({ keyId }) => keyId);
  const { add, replace } = change.change;
  return [...(add?.list ?? []), ...(replace?.new.list ?? [])].map(({ keyId }) => keyId);
}

/** For people: `adds CN=Mary …, removes some`. */
export function describeChange(change: BatchChange): string {
  const names = (recipients: Recipients): string =>
    recipients.list.map(({ certificate, keyId }) => certificate?.subject ?? `public key ${keyId}`).join('; ');
  if (change.kind === 'rekey') {
    return `rekeys for ${names(change.recipients)}${change.dropSignature ? ', without signatures' : ''}`;
  }
  const { add, remove, replace } = change.change;
  return [
    ...(add ? [`adds ${names(add)}`] : []),
    ...(remove ? [`removes ${JSON.stringify(remove)}`] : []),
    ...(replace ? [`replaces ${JSON.stringify(replace.old)} by ${names(replace.new)}`] : []),
  ].join(', ');
}

function restoreReplacement(stored: unknown): { old: RecipientMatch[]; new: Recipients } {
  const { old, new: replacement } = objectOf(stored);
  return { old: restoreMatches(old), new: restoreRecipients(replacement) };
}

function restoreMatches(stored: unknown): RecipientMatch[] {
  if (!Array.isArray(stored)) throw damaged('matches are not a list');
  const matches = stored.map((match) => {
    const { expiresBefore, ...rest } = objectOf(match);
    return (expiresBefore === undefined ? rest : { expiresBefore: dateOf(expiresBefore), ...rest }) as RecipientMatch;
  });
  testFor(matches);
  return matches;
}

function restoreRecipients(stored: unknown): Recipients {
  const { files, keyIds } = objectOf(stored);
  if (!Array.isArray(files) || !Array.isArray(keyIds)) throw damaged('recipients are not lists of files and keys');
  const contents = files.map((file) => {
    const { path, base64 } = objectOf(file);
    return { path: textOf(path), bytes: new Uint8Array(Buffer.from(textOf(base64), 'base64')) };
  });
  return Recipients.restore(contents, keyIds.map(textOf));
}

function objectOf(value: unknown): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw damaged('it is not an object');
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  throw damaged('it has something else where a text should be');
}

function dateOf(value: unknown): Date {
  const date = new Date(textOf(value));
  if (!Number.isNaN(date.getTime())) return date;
  throw damaged('it has something else where a time should be');
}

function definedOnly(change: { [name in keyof RecipientChange]: RecipientChange[name] }): RecipientChange {
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
}

function damaged(what: string): CallsealError {
  return new CallsealError('ERR_INVALID_ARGUMENT', `the batch in the queue cannot be understood: ${what}`);
}
