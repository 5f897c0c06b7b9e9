/** The key store: reachable, of this release, whole, with keys that may still be used. */

import { copyFile, mkdtemp, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CallsealError, errnoOf, hasCode } from '../../errors.ts';
import type { Installation } from '../../keys/installation/types.ts';
import type { Overview } from '../../keys/overview.ts';
import { count, daysUntil } from '../../wording.ts';
import { type Check, error, type Finding, note, ok, type Patient, warning } from '../check.ts';

/** A working key is followed by another when it is used up; who sees this one has many records. */
const SPENT = 0.9;

export const store: Check = {
  name: 'store',
  needsModule: true,
  async examine(patient) {
    if (patient.store === null) return [note('none', 'no key store was named, and none is where one would be made')];
    const opened = await open(patient);
    if (!('installation' in opened)) return [opened, await reachable(patient.store)];
    try {
      return [...certificateOf(opened.installation, patient), ...(await hierarchyOf(opened.installation, patient))];
    } finally {
      opened.installation.destroy();
    }
  },
};

/** The installation key, or why it cannot be opened; nobody is asked for a passphrase. */
async function open({
  installationFolder: folder,
  passphrase,
}: Patient): Promise<{ installation: Installation } | Finding> {
  const { openInstallation } = await import('../../keys/installation/open.ts');
  try {
    const source = { folder, ...(passphrase !== undefined && { passphrase }) };
    return { installation: await openInstallation(source) };
  } catch (problem) {
    if (hasCode(problem, 'ERR_PASSPHRASE_REQUIRED')) {
      const remedy = 'callseal doctor --passphrase-file FILE';
      return note('not-verified', 'not verified: the installation key needs its passphrase', folder, remedy);
    }
    if (hasCode(problem, 'ERR_IO') && problem.errno === 'ENOENT') {
      const remedy = 'callseal installation import, or name its folder with --installation';
      return error('no-installation', 'there is a key store, but no installation key to open it', folder, remedy);
    }
    if (hasCode(problem, 'ERR_WRONG_PASSPHRASE') || hasCode(problem, 'ERR_NOT_APPROVED')) {
      return error('installation', problem.message, folder);
    }
    throw problem;
  }
}

/** What can be said without the installation key. */
async function reachable(url: string): Promise<Finding> {
  const { openStore } = await import('../../keys/stores/open-store.ts');
  try {
    const opened = await openStore(url, { create: false });
    try {
      const masters = await opened.snapshot((reader) => reader.readMasters());
      if (masters.length > 0) {
        return ok(
          'reachable',
          `reachable, its tables of this release; ${count(masters.length, 'master key')}`,
          opened.description,
        );
      }
      return warning('empty', 'the key store is empty', opened.description, 'callseal master create');
    } finally {
      await opened.close();
    }
  } catch (problem) {
    return storeFault(problem);
  }
}

async function hierarchyOf(installation: Installation, patient: Patient): Promise<Finding[]> {
  try {
    const remembered = await copyOf(patient);
    const { KeyHierarchy } = await import('../../keys/hierarchy.ts');
    const store = patient.store!;
    const keys = await KeyHierarchy.open({ store, installation, stateDirectory: remembered, create: false });
    try {
      const overview = await keys.overview();
      const { entries } = await keys.audit.verify();
      return [wholeness(overview, entries), ...remarks(overview), ...budgets(overview)];
    } finally {
      await keys.close();
    }
  } catch (problem) {
    return [storeFault(problem)];
  }
}

/** Opening a hierarchy has the host remember how far it has come; the doctor has a copy remember it. */
async function copyOf({ stateDirectory, scratch }: Patient): Promise<string> {
  if (scratch === null) {
    const message = `no directory can be made in ${tmpdir()} for a copy of what this host remembers; name another in TMPDIR`;
    throw new CallsealError('ERR_IO', message, { path: tmpdir() });
  }
  const copy = await mkdtemp(join(scratch, 'state-'));
  const names = await readdir(stateDirectory).catch((problem: unknown) => {
    if (errnoOf(problem) === 'ENOENT') return [];
    throw problem;
  });
  for (const name of names.filter((each) => each.endsWith('.json'))) {
    await copyFile(join(stateDirectory, name), join(copy, name));
  }
  return copy;
}

function wholeness({ store, masters, audit }: Overview, entries: number): Finding {
  const kept = masters.filter(({ state }) => state !== 'removed').length;
  const message =
    `verified: ${count(kept, 'master key')}, ${count(entries, 'audit entry', 'audit entries')}, ` +
    `the last of ${audit.lastAt.toISOString().slice(0, 10)}; every row is as it was written`;
  return ok('verified', message, store.description);
}

function remarks({ remarks, store }: Overview): Finding[] {
  return remarks.map((remark) =>
    warning('remark', remark, store.description, 'callseal status; docs/keys.md says more'),
  );
}

function budgets({ areas, store }: Overview): Finding[] {
  return areas
    .filter(({ newest: { budget } }) => budget.reserved > budget.limit * SPENT)
    .map(({ area, newest: { budget } }) => {
      const share = Math.floor((100 * budget.reserved) / budget.limit);
      const message = `${share} % of what the newest key of area ${area} may encrypt is used; another follows by itself`;
      return note('budget', message, store.description, `callseal working rotate ${area}`);
    });
}

function certificateOf({ facts }: Installation, { warnDays, now, installationFolder }: Patient): Finding[] {
  if (facts.certificate === null) {
    const remedy = 'callseal installation install --cert FILE';
    return [note('no-certificate', 'the installation key has no certificate yet', installationFolder, remedy)];
  }
  const left = daysUntil(facts.certificate.notAfter, now);
  if (facts.certificate.notAfter >= now && left >= warnDays) return [];
  const when =
    facts.certificate.notAfter < now ? `expired ${count(-left, 'day')} ago` : `expires in ${count(left, 'day')}`;
  const remedy = 'have it issued anew for installation.csr, then callseal installation install --cert FILE';
  return [warning('certificate', `the certificate of the installation key ${when}`, installationFolder, remedy)];
}

function storeFault(problem: unknown): Finding {
  if (hasCode(problem, 'ERR_STORE_UNAVAILABLE')) {
    return error(
      'unreachable',
      problem.message,
      null,
      'see whether the path or the server of --store is right, and runs',
    );
  }
  if (hasCode(problem, 'ERR_KEY_UNKNOWN')) return warning('empty', problem.message, null, 'callseal master create');
  if (hasCode(problem, 'ERR_KEY_SUBSTITUTED')) {
    const remedy = 'when it was restored on purpose: callseal store accept-restore; else keep it and find out who';
    return error('altered', problem.message, null, remedy);
  }
  if (hasCode(problem, 'ERR_WRONG_INSTALLATION')) {
    return error('other-installation', problem.message, null, 'name the right --installation or --store');
  }
  throw problem;
}
