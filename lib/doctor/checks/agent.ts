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

/** What `/healthz` says; a text when it cannot be had. */
type Health = { healthy: boolean; alarms: { key: string; message: string }[]; queueLength: number } | string;

async function healthOf(url: URL): Promise<Health> {
  try {
    const response = await fetch(new URL('/healthz', url), {
      signal: AbortSignal.timeout(PATIENCE),
      redirect: 'error',
    });
    if (response.status !== 200 && response.status !== 503)
      return `HTTP ${response.status} is no answer of the agent’s`;
    const health: unknown = await response.json();
    return isHealth(health) ? health : 'what answers there is not the agent';
  } catch (problem) {
    const cause = problem instanceof Error ? problem.cause : undefined;
    const errno = errnoOf(cause);
    if (errno === 'ECONNREFUSED') return 'nothing listens there';
    if (problem instanceof Error && problem.name === 'TimeoutError') return `no answer within ${PATIENCE / 1000} s`;
    return `no connection (${errno ?? (problem instanceof Error ? problem.message : String(problem))})`;
  }
}

function isHealth(value: unknown): value is Exclude<Health, string> {
  if (typeof value !== 'object' || value === null) return false;
  const { healthy, alarms, queueLength } = value as Record<string, unknown>;
  return typeof healthy === 'boolean' && Array.isArray(alarms) && typeof queueLength === 'number';
}

function healthFindings(health: Health, { agent: url, agentExpected }: Patient, unit: Unit | null): Finding[] {
  const where = new URL('/healthz', url).href;
  if (typeof health === 'string') {
    const remedy = `systemctl status ${UNIT}; another address is given with --agent`;
    if (agentExpected || unit?.active === 'active')
      return [error('no-answer', `the agent cannot be asked: ${health}`, where, remedy)];
    return [note('none', `no agent: ${health}`, where, 'docs/operations.md has how to set one up')];
  }
  const alarms = health.alarms.map(({ key, message }) => {
    const remedy = `journalctl -u ${UNIT} -n 50`;
    return (key.startsWith('expiry:') ? warning : error)(`alarm-${key.split(':')[0]}`, message, where, remedy);
  });
  if (alarms.length > 0) return alarms;
  if (!health.healthy)
    return [error('unhealthy', 'the agent says that it is not healthy', where, `journalctl -u ${UNIT} -n 50`)];
  return [ok('healthy', `the agent is healthy; ${count(health.queueLength, 'file')} waiting`, where)];
}

function lateness({ path, files, oldestAge, truncated }: Backlog): Finding[] {
  if (files === 0 || oldestAge <= LATE) return [];
  const number = truncated ? `${count(files, 'file')} or more` : count(files, 'file');
  const message = `${number} not encrypted, unchanged for ${Math.round(oldestAge / 60)} min and longer`;
  const remedy = `see what the agent says of them, or callseal encrypt --in-place --recursive ${path}`;
  return [warning('backlog', message, path, remedy)];
}
