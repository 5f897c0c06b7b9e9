/** Metrics and health, as Prometheus and an operator get them. */

import { request } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Health, healthOf } from '../lib/agent/health.ts';
import { AgentMetrics } from '../lib/agent/metrics.ts';
import { MetricsServer, parseListenAddress } from '../lib/agent/server.ts';
import type { AgentState, Alarm } from '../lib/agent/types.ts';
import { CallsealError, status } from '../lib/index.ts';
import { IDLE } from './helpers/agent.ts';
import { codeOf, refusalOf } from './helpers/errors.ts';
import { PROMTOOL, promtool } from './helpers/promtool.ts';

const DAY = 86_400_000;
const SUBJECT = 'CN=Mary "M" \\ Müller,O=MyCompany';

let state: AgentState;
let alarms: Alarm[];
let metrics: AgentMetrics;
let server: MetricsServer;

beforeAll(async () => {
  state = { ...IDLE };
  alarms = [];
  const notAfter = new Date(Date.now() + 12.5 * DAY);
  const expiry = { subject: SUBJECT, fingerprint: 'ab'.repeat(32), path: '/mary.crt', notAfter, days: 12.5 };
  const source = { state: () => state, alarms: () => alarms, expiries: () => [expiry], module: status() };
  metrics = new AgentMetrics(source);
  server = await MetricsServer.listen(parseListenAddress('127.0.0.1:0'), {
    metrics: async () => ({ contentType: metrics.contentType, body: await metrics.text() }),
    health: () => healthOf(state, alarms, 60_000),
  });
});

afterAll(() => server.close());

const url = (path: string) => `http://127.0.0.1:${server.port}${path}`;

async function scrape(): Promise<string> {
  const response = await fetch(url('/metrics'));
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
  return response.text();
}

/** The value of a sample whose line begins so. */
function sample(text: string, start: string): number {
  const line = text.split('\n').find((candidate) => candidate.startsWith(`callseal_agent_${start} `));
  if (line === undefined) throw new Error(`no sample ${start}`);
  return Number(line.slice(line.lastIndexOf(' ') + 1));
}

function seal(inputBytes: number, kind: 'configured' | 'escrow'): void {
  const sealed = { path: '/a', output: '/a.sealed', inputBytes, outputBytes: inputBytes + 900, age: 1500 };
  metrics.sealed({ ...sealed, kind, leased: true });
}

describe('metrics', () => {
  it('count what was sealed, and what failed by its code', async () => {
    const before = await scrape();
    expect(sample(before, 'failures_total{code="ERR_IO"}')).toBe(0);
    expect(sample(before, 'files_sealed_total{kind="escrow"}')).toBe(0);
    seal(1000, 'configured');
    seal(2000, 'configured');
    seal(64, 'escrow');
    const error = new CallsealError('ERR_IO', 'no space', { errno: 'ENOSPC' });
    metrics.failed({ path: '/a', error, attempt: 1, retryIn: 1000 });
    metrics.vanished();
    const text = await scrape();
    expect(sample(text, 'files_sealed_total{kind="configured"}')).toBe(2);
    expect(sample(text, 'files_sealed_total{kind="escrow"}')).toBe(1);
    expect(sample(text, 'plaintext_bytes_total')).toBe(3064);
    expect(sample(text, 'sealed_bytes_total')).toBe(5764);
    expect(sample(text, 'failures_total{code="ERR_IO"}')).toBe(1);
    expect(sample(text, 'files_vanished_total')).toBe(1);
    expect(sample(text, 'sealed_age_seconds_bucket{le="1"}')).toBe(0);
    expect(sample(text, 'sealed_age_seconds_bucket{le="2.5"}')).toBe(3);
  });

  it('show the engine as it is when asked, in seconds', async () => {
    state = { ...IDLE, queueLength: 7, queueAge: 2500, working: 2, retrying: 1, unfinished: 3, lastSuccess: 1000 };
    const text = await scrape();
    expect(sample(text, 'queue_files')).toBe(7);
    expect(sample(text, 'queue_age_seconds')).toBe(2.5);
    expect(sample(text, 'working_files')).toBe(2);
    expect(sample(text, 'retrying_files')).toBe(1);
    expect(sample(text, 'unfinished_files')).toBe(3);
    expect(sample(text, 'last_success_timestamp_seconds')).toBe(1);
    expect(sample(text, 'seconds_since_success')).toBeGreaterThan(1e9);
    state = { ...IDLE };
    expect(sample(await scrape(), 'seconds_since_success')).toBeLessThan(3600);
  });

  it('name alarms while they stand, the module, and the days of each certificate', async () => {
    alarms = [{ key: 'config', message: 'broken', since: 0 }];
    const text = await scrape();
    expect(sample(text, 'alarm{alarm="config"}')).toBe(1);
    expect(sample(text, 'alarms')).toBe(1);
    const fingerprint = 'ab'.repeat(32);
    const escaped = 'CN=Mary \\"M\\" \\\\ Müller,O=MyCompany';
    expect(sample(text, `certificate_expiry_days{subject="${escaped}",fingerprint="${fingerprint}"}`)).toBe(12.5);
    expect(text).toMatch(/^callseal_agent_module_info\{provider="OpenSSL FIPS .*,mode="required"\} 1$/m);
    expect(sample(text, 'module_self_test')).toBe(1);
    alarms = [];
    const over = await scrape();
    expect(over).not.toContain('alarm{alarm="config"}');
    expect(sample(over, 'alarms')).toBe(0);
  });

  it.skipIf(PROMTOOL === undefined)('pass the checks of Prometheus itself (skipped without promtool)', async () => {
    const own = (await scrape())
      .split('\n')
      .filter((line) => line.includes('callseal_'))
      .join('\n');
    // Days are what operators count certificates in.
    const days = 'callseal_agent_certificate_expiry_days use base unit "seconds" instead of "days"\n';
    expect(promtool(['check', 'metrics'], `${own}\n`).said).toBe(days);
    // What Node's own metrics are called is not ours to choose; but all of it must parse.
    const all = promtool(['check', 'metrics'], await scrape());
    expect(all.said.replace(days, '')).not.toMatch(/error while linting|callseal/);
    expect(promtool(['check', 'metrics'], 'callseal_x{a="} 1\n').said).toMatch(/error while linting/);
  });
});

describe('health', () => {
  async function health(): Promise<{ status: number; body: Health }> {
    const response = await fetch(url('/healthz'));
    return { status: response.status, body: (await response.json()) as Health };
  }

  it('is good when nothing waits for an operator', async () => {
    state = { ...IDLE, queueLength: 5, queueAge: 59_000, lastSuccess: 0 };
    expect(await health()).toEqual({
      status: 200,
      body: {
        ...{ healthy: true, alarms: [], queueLength: 5, queueAgeSeconds: 59 },
        lastSuccess: '1970-01-01T00:00:00.000Z',
      },
    });
  });

  it('is bad while an alarm stands, and says which', async () => {
    alarms = [{ key: 'no-recipients', message: 'renew it', since: 0 }];
    const { status: code, body } = await health();
    expect(code).toBe(503);
    expect(body.alarms).toEqual([{ key: 'no-recipients', message: 'renew it', since: '1970-01-01T00:00:00.000Z' }]);
  });

  it('is good, with a warning, while a certificate only expires soon', async () => {
    alarms = [{ key: `expiry:${SUBJECT}`, message: 'renew it', since: 0 }];
    const { status: code, body } = await health();
    expect([code, body.healthy, body.alarms.length]).toEqual([200, true, 1]);
    alarms = [];
  });

  it('is bad when a file waits for too long', async () => {
    state = { ...IDLE, queueLength: 1, queueAge: 61_000 };
    const { status: code, body } = await health();
    expect(code).toBe(503);
    expect(body.alarms[0]).toMatchObject({ key: 'queue-age' });
    state = { ...IDLE };
  });
});

describe('the server', () => {
  it('has two pages, and only for reading', async () => {
    for (const path of ['/', '/metrics/', '/metricsx', '/%2e%2e/etc/passwd']) {
      expect((await fetch(url(path))).status).toBe(404);
    }
    const post = await fetch(url('/metrics'), { method: 'POST', body: 'x'.repeat(100_000) });
    expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    const head = await fetch(url('/metrics?x=1'), { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
    expect([...head.headers.keys()]).not.toContain('server');
  });

  it('refuses headers without end, and lives on', async () => {
    const answer = await new Promise<number | string | undefined>((resolve) => {
      const call = request(url('/metrics'), { headers: { 'X-Long': 'x'.repeat(20_000) } });
      call.on('response', (response) => resolve(response.resume().statusCode));
      call.on('error', (error) => resolve((error as NodeJS.ErrnoException).code));
      call.end();
    });
    expect([431, 'EPIPE', 'ECONNRESET']).toContain(answer);
    const garbage = connect(server.port, '127.0.0.1');
    garbage.on('error', () => {});
    await new Promise((resolve) => garbage.end('\0\0\0\r\n\r\n', () => resolve(undefined)));
    expect((await fetch(url('/healthz'))).status).toBe(200);
  });

  it('listens on this host only', async () => {
    expect(parseListenAddress('[::1]:9465')).toEqual({ host: '::1', port: 9465 });
    expect(parseListenAddress('localhost:0')).toEqual({ host: '127.0.0.1', port: 0 });
    expect(parseListenAddress('127.8.0.1:65535')).toEqual({ host: '127.8.0.1', port: 65535 });
    for (const text of ['0.0.0.0:9465', '[::]:9465', '192.168.1.2:9465', '[::ffff:10.0.0.1]:9465', '128.0.0.1:1']) {
      expect((await refusalOf(() => parseListenAddress(text))).message).toMatch(
        /can be reached from other hosts|is no address/,
      );
    }
    for (const text of ['9465', ':9465', '127.0.0.1', '127.0.0.1:65536', 'example.org:9465', '127.0.0.1:9465x', '']) {
      expect(await codeOf(() => parseListenAddress(text))).toBe('ERR_INVALID_ARGUMENT');
    }
  });

  it('says so when its port is taken', async () => {
    const taken = { host: '127.0.0.1', port: server.port };
    const pages = { metrics: async () => ({ contentType: '', body: '' }), health: () => ({ healthy: true }) };
    const error = await refusalOf(() => MetricsServer.listen(taken, pages));
    expect([error.code, error.errno]).toEqual(['ERR_IO', 'EADDRINUSE']);
    expect(error.message).toContain('--listen');
  });
});
