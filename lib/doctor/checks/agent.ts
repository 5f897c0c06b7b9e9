/** The agent: whether it runs, what it complains of, and what waits for it. */

import { errnoOf } from '../../errors.ts';
import { count } from '../../wording.ts';
import { type Backlog, backlogOf } from '../backlog.ts';
import { type Check, error, type Finding, note, ok, type Patient, warning } from '../check.ts';
import { askTool } from '../tool.ts';

const UNIT = 'callseal-agent.service';
const PATIENCE = 5_000;
/** Seconds that a finished file may wait; the agent's own --max-queue-age. */
const LATE = 300;

export const agent: Check = {
  name: 'agent',
  async examine(patient) {
    const unit = await unitState();
    const health = await healthOf(patient.agent);
    const waiting = await Promise.all(patient.directories.map((path) => backlogOf(path, patient.now)));
    return [...unitFindings(unit), ...healthFindings(health, patient, unit), ...waiting.flatMap(lateness)];
  },
};

interface Unit {
  readonly load: string;
  readonly active: string;
  readonly enabled: string;
}

/** Null where there is no systemd, or no such unit. */
async function unitState(): Promise<Unit | null> {
  const args = ['show', UNIT, '--property=LoadState', '--property=ActiveState', '--property=UnitFileState'];
  const answer = await askTool('systemctl', args);
  if (answer === null) return null;
  const fields = new Map(answer.split('\n').map((line) => line.split('=', 2) as [string, string]));
  const [load = '', active = '', enabled = ''] = ['LoadState', 'ActiveState', 'UnitFileState'].map((key) =>
    fields.get(key),
  );
  return load === 'loaded' ? { load, active, enabled } : null;
}

function unitFindings(unit: Unit | null): Finding[] {
  if (unit === null) return [];
  const findings: Finding[] = [];
  if (unit.active !== 'active' && unit.active !== 'reloading') {
    const remedy = `journalctl -u ${UNIT} -n 50, then systemctl start ${UNIT}`;
    findings.push(error('unit', `the unit is installed and ${unit.active}: nothing is encrypted`, UNIT, remedy));
  }
  if (unit.enabled === 'disabled') {
    const message = 'the unit is not enabled: after a restart of the host nothing is encrypted';
    findings.push(warning('not-enabled', message, UNIT, `systemctl enable ${UNIT}`));
  }
  return findings;
}

/** What `/healthz` says, of any release's agent; undefined where it does not say. */
interface Health {
  readonly healthy: boolean;
  readonly alarms: readonly { readonly key: string; readonly message: string }[] | undefined;
  readonly queueLength: number | undefined;
}

/** A text when it cannot be had. */
async function healthOf(url: URL): Promise<Health | string> {
  try {
    const response = await fetch(new URL('/healthz', url), {
      signal: AbortSignal.timeout(PATIENCE),
      redirect: 'error',
    });
    if (response.status !== 200 && response.status !== 503)
      return `HTTP ${response.status} is no answer of the agent’s`;
    return readHealth(await response.json()) ?? 'what answers there is not the agent';
  } catch (problem) {
    const cause = problem instanceof Error ? problem.cause : undefined;
    const errno = errnoOf(cause);
    if (errno === 'ECONNREFUSED') return 'nothing listens there';
    if (problem instanceof Error && problem.name === 'TimeoutError') return `no answer within ${PATIENCE / 1000} s`;
    return `no connection (${errno ?? (problem instanceof Error ? problem.message : String(problem))})`;
  }
}

/** Null for what no agent says. */
function readHealth(value: unknown): Health | null {
  if (typeof value !== 'object' || value === null) return null;
  const { healthy, alarms, queueLength } = value as Record<string, unknown>;
  if (typeof healthy !== 'boolean') return null;
  return {
    healthy,
    alarms: Array.isArray(alarms) && alarms.every(isAlarm) ? alarms : undefined,
    queueLength: typeof queueLength === 'number' ? queueLength : undefined,
  };
}

function isAlarm(value: unknown): value is { key: string; message: string } {
  if (typeof value !== 'object' || value === null) return false;
  const { key, message } = value as Record<string, unknown>;
  return typeof key === 'string' && typeof message === 'string';
}

function healthFindings(health: Health | string, { agent: url, agentExpected }: Patient, unit: Unit | null): Finding[] {
  const where = new URL('/healthz', url).href;
  if (typeof health === 'string') {
    const remedy = `systemctl status ${UNIT}; another address is given with --agent`;
    if (agentExpected || unit?.active === 'active')
      return [error('no-answer', `the agent cannot be asked: ${health}`, where, remedy)];
    return [note('none', `no agent: ${health}`, where, 'docs/operations.md has how to set one up')];
  }
  const { healthy, alarms = [], queueLength } = health;
  const remedy = `journalctl -u ${UNIT} -n 50`;
  if (alarms.length > 0) {
    const grave = (key: string): typeof error => (key.startsWith('expiry:') ? warning : error);
    return alarms.map(({ key, message }) => grave(key)(`alarm-${key.split(':')[0]}`, message, where, remedy));
  }
  if (!healthy) return [error('unhealthy', 'the agent says that it is not healthy', where, remedy)];
  if (health.alarms === undefined || queueLength === undefined) {
    const message =
      'an agent of another release answers, which says that it is healthy, and not all that is asked here';
    return [note('other-release', message, where, `after an upgrade: systemctl restart ${UNIT}`)];
  }
  return [ok('healthy', `the agent is healthy; ${count(queueLength, 'file')} waiting`, where)];
}

function lateness({ path, files, oldestAge, truncated }: Backlog): Finding[] {
  if (files === 0 || oldestAge <= LATE) return [];
  const number = truncated ? `${count(files, 'file')} or more` : count(files, 'file');
  const message = `${number} not encrypted, unchanged for ${Math.round(oldestAge / 60)} min and longer`;
  const remedy = `see what the agent says of them, or callseal encrypt --in-place --recursive ${path}`;
  return [warning('backlog', message, path, remedy)];
}
