/** The files in `deploy/` are what systemd, Grafana and Prometheus take, and name what there is. */

import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { AgentMetrics } from '../lib/agent/metrics.ts';
import { status } from '../lib/index.ts';
import { IDLE } from './helpers/agent.ts';
import { CALLSEAL } from './helpers/cli.ts';
import { PROMTOOL, promtool } from './helpers/promtool.ts';
import { tempDir } from './helpers/temp.ts';

const DEPLOY = join(import.meta.dirname, '../deploy');
const read = (name: string): string => readFileSync(join(DEPLOY, name), 'utf8');

function tool(program: string, ...args: string[]): { status: number | null; said: string } {
  const { status: code, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  return { status: code, said: `${stdout ?? ''}${stderr ?? ''}` };
}

const hasSystemd = tool('systemd-analyze', '--version').status === 0;

describe.skipIf(!hasSystemd)('the unit (skipped without systemd-analyze)', () => {
  /** The unit with the command of this copy, as a name is looked up where packages are installed. */
  let unit: string;

  beforeAll(() => {
    unit = join(tempDir(), 'callseal-agent.service');
    writeFileSync(unit, read('callseal-agent.service').replace('ExecStart=callseal', `ExecStart=${CALLSEAL}`));
  });

  it('is one that systemd takes without a complaint', () => {
    expect(tool('systemd-analyze', 'verify', unit)).toEqual({ status: 0, said: '' });
    writeFileSync(`${unit}.broken.service`, `${readFileSync(unit, 'utf8')}\n[Service]\nWatchdogSex=1\n`);
    expect(tool('systemd-analyze', 'verify', `${unit}.broken.service`).said).toContain('WatchdogSex');
  });

  it('leaves little for an attacker, by the reckoning of systemd itself', () => {
    // 0 is a service that can do nothing, 10 one that may do everything; most of what systems run is above 9.
    const { status: code, said } = tool('systemd-analyze', 'security', '--offline=true', '--threshold=15', unit);
    expect(said).toMatch(/Overall exposure level .*: 1\.\d OK/);
    expect(code).toBe(0);
  });
});

/** Names of all metrics that an agent has. */
async function metricNames(): Promise<Set<string>> {
  const source = { state: () => IDLE, alarms: () => [], expiries: () => [], module: status() };
  const text = await new AgentMetrics(source).text();
  const names = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)];
  return new Set(
    names.flatMap(([, name, type]) => (type === 'histogram' ? [`${name}_bucket`, `${name}_sum`] : [name!])),
  );
}

/** What queries and rules name. */
const named = (text: string): string[] => [...new Set(text.match(/\bcallseal_\w+/g))];

interface Panel {
  title: string;
  description: string;
  gridPos: { x: number; y: number; w: number; h: number };
  targets: { expr: string }[];
}

describe('the dashboard', () => {
  const dashboard = JSON.parse(read('grafana-dashboard.json')) as { panels: Panel[]; templating: { list: unknown[] } };

  it('asks for metrics that there are, in panels that say what they show', async () => {
    const existing = await metricNames();
    const asked = named(JSON.stringify(dashboard));
    expect(asked.filter((name) => !existing.has(name))).toEqual([]);
    for (const name of [
      'files_sealed_total',
      'failures_total',
      'queue_files',
      'queue_age_seconds',
      'plaintext_bytes_total',
    ]) {
      expect(asked).toContain(`callseal_agent_${name}`);
    }
    for (const { title, description, targets } of dashboard.panels) {
      expect([title, description.length > 10, targets.length > 0]).toEqual([title, true, true]);
    }
  });

  it('has no panel over another', () => {
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, index) => `${x + (index % w)},${y + Math.floor(index / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
  });

  it.skipIf(PROMTOOL === undefined)('has queries that Prometheus can read (skipped without promtool)', () => {
    const queries = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
    const plain = queries.map((query) => query.replaceAll('$__rate_interval', '5m').replaceAll(/"\$\w+"/g, '"x"'));
    const rules = plain.map((expr, index) => ({ record: `query:${index}`, expr }));
    const file = join(tempDir(), 'queries.yml');
    // JSON is YAML.
    writeFileSync(file, JSON.stringify({ groups: [{ name: 'dashboard', rules }] }));
    const { status: code, said } = promtool(['check', 'rules', file]);
    expect([code, said]).toEqual([0, expect.stringContaining(`${queries.length} rules found`)]);
  });
});

describe('the alerts', () => {
  it('watch metrics that there are', async () => {
    const existing = await metricNames();
    expect(named(read('prometheus-alerts.yml')).filter((name) => !existing.has(name))).toEqual([]);
  });

  it.skipIf(PROMTOOL === undefined)('fire when they should, and only then (skipped without promtool)', () => {
    const file = join(tempDir(), 'alerts.test.yml');
    const test = (series: Record<string, string>, at: string, alert: string, fires: boolean) => ({
      interval: '1m',
      input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
      promql_expr_test: [
        {
          expr: `count(ALERTS{alertname="${alert}",alertstate="firing"}) or vector(0)`,
          eval_time: at,
          exp_samples: [{ labels: '{}', value: Number(fires) }],
        },
      ],
    });
    const tests = [
      test({ 'callseal_agent_alarm{alarm="config",instance="a"}': '1x20' }, '10m', 'CallsealAgentAlarm', true),
      test({ 'callseal_agent_alarm{alarm="expiry:CN=x",instance="a"}': '1x20' }, '10m', 'CallsealAgentAlarm', false),
      test({ 'callseal_agent_queue_age_seconds{instance="a"}': '400x20' }, '10m', 'CallsealQueueOld', true),
      test({ 'callseal_agent_queue_age_seconds{instance="a"}': '200x20' }, '10m', 'CallsealQueueOld', false),
      test({ 'callseal_agent_queue_files{instance="a"}': '2000+100x60' }, '60m', 'CallsealQueueGrows', true),
      test({ 'callseal_agent_queue_files{instance="a"}': '9000-100x60' }, '60m', 'CallsealQueueGrows', false),
      test({ 'callseal_agent_failures_total{code="ERR_IO"}': '0+1x60' }, '40m', 'CallsealFailures', true),
      test({ 'callseal_agent_failures_total{code="ERR_IO"}': '5x60' }, '40m', 'CallsealFailures', false),
      test({ 'callseal_agent_files_sealed_total{kind="escrow"}': '0+1x20' }, '10m', 'CallsealEscrow', true),
      test(
        { 'callseal_agent_certificate_expiry_days{subject="x"}': '29x120' },
        '90m',
        'CallsealCertificateExpires',
        true,
      ),
      test(
        { 'callseal_agent_certificate_expiry_days{subject="x"}': '31x120' },
        '90m',
        'CallsealCertificateExpires',
        false,
      ),
      test(
        { 'callseal_agent_certificate_expiry_days{subject="x"}': '6x120' },
        '90m',
        'CallsealCertificateExpiresNow',
        true,
      ),
      test({ 'callseal_agent_module_self_test{instance="a"}': '0x20' }, '5m', 'CallsealModule', true),
      test({ 'up{job="callseal-agent",instance="a"}': '0x20' }, '5m', 'CallsealAgentDown', true),
    ];
    writeFileSync(
      file,
      JSON.stringify({ rule_files: [join(DEPLOY, 'prometheus-alerts.yml')], evaluation_interval: '1m', tests }),
    );
    expect(promtool(['test', 'rules', file])).toMatchObject({ status: 0, said: expect.stringContaining('SUCCESS') });
  });
});
