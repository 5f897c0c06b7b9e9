/** A measurement as a page: understood in a minute, complete in itself. */

import { formatNumber, formatSeconds } from '../../page/figures.ts';
import { escapeHtml, page, rich, section, share, table, tiles } from '../../page/html.ts';
import { cpuOfChannels, REFERENCE_CHANNELS, ratesOf, sustainableChannels } from './channels.ts';
import type { HostMeasurement } from './measure.ts';
import { ASSUMPTION, channelRows, type Fact, limitFacts, machineFacts, workRows } from './rows.ts';

/** @param cpuShare Of one core. */
export function hostPage(measurement: HostMeasurement, cpuShare: number): string {
  const { started, machine, callseal } = measurement;
  const day = started.slice(0, 10);
  const facts = `${day} · callseal ${callseal} · ${machine.cpu}, ${machine.cores} cores · ${machine.module.name} ${machine.module.version}`;
  return page(`Callseal on this host, ${day}`, [
    '<h1>Callseal on this host</h1>',
    `<div class="facts">${escapeHtml(facts)}</div>`,
    machine.module.fips === 'off'
      ? '<p class="warning">CALLSEAL_FIPS=off: OpenSSL’s default provider was measured, not a FIPS module.</p>'
      : '',
    headline(measurement, cpuShare),
    tiles(highlights(measurement)),
    channelSection(measurement, cpuShare),
    workSection(measurement),
    section('Limits of the host, and what else runs on it', '', factTable(limitFacts(measurement))),
    section('Measured with', '', factTable(machineFacts(measurement))),
  ]);
}

function headline(measurement: HostMeasurement, cpuShare: number): string {
  const { synced } = ratesOf(measurement);
  const { channels } = sustainableChannels(synced, cpuShare);
  const percent = `${formatNumber(100 * cpuShare)} %`;
  return (
    `<p class="headline">With ${percent} of one core this host encrypts the recordings of ` +
    `<b>${formatNumber(channels)} channels</b>, each file on the disk before it counts as written.</p>`
  );
}

function highlights(measurement: HostMeasurement): [string, string][] {
  const { callFiles, largeFile, limits } = measurement;
  const { synced } = ratesOf(measurement);
  return [
    [
      `${formatNumber(100 * cpuOfChannels(synced, REFERENCE_CHANNELS))} %`,
      `of one core for ${formatNumber(REFERENCE_CHANNELS)} channels, synced`,
    ],
    [formatNumber(callFiles.synced.filesPerSecond.median), 'call files a second, synced'],
    [formatNumber(callFiles.unsynced.filesPerSecond.median), 'call files a second, unsynced'],
    [formatSeconds(callFiles.unsynced.cpuSecondsPerFile.median), 'of CPU for a call file of 64 KiB and two recipients'],
    [
      `${formatNumber(largeFile.encrypt.bytesPerSecond.median / 1e6)} MB/s`,
      `for a large file; a plain copy makes ${formatNumber(limits.fileCopyBytesPerSecond.median / 1e6)}`,
    ],
  ];
}

function channelSection(measurement: HostMeasurement, cpuShare: number): string {
  const number = (text: string): string => `<td class="number">${escapeHtml(text)}</td>`;
  const rows = channelRows(measurement, cpuShare).map(({ allowed, synced, unsynced }) => [
    `<td>${escapeHtml(allowed)}</td>`,
    number(synced),
    number(unsynced),
  ]);
  return section(
    'Channels',
    `${ASSUMPTION} CPU is that at a steady rate, all threads and the system's part included.`,
    table(['', '<th class="number">synced</th>', '<th class="number">unsynced</th>'], rows),
  );
}

function workSection(measurement: HostMeasurement): string {
  const rows = workRows(measurement).map((row) => [
    `<td>${escapeHtml(row.work)}<div class="note">${escapeHtml(row.limitName)}</div></td>`,
    `<td>${share(row.share)}</td>`,
    `<td class="number">${Math.round(100 * row.share)} %</td>`,
    `<td class="number"><b>${escapeHtml(row.own)}</b></td>`,
    `<td class="number soft">${escapeHtml(row.limit)}</td>`,
    `<td class="number soft">${escapeHtml(row.cpu)}</td>`,
  ]);
  const head = ['', 'Callseal', 'limit', 'CPU a file'].map((text) => `<th class="number">${text}</th>`);
  return section(
    'Work, and the limit of this host for it',
    'Each bar is the share that Callseal reaches of what is named below the work, and which does less: it does not encrypt, or ' +
      'touches no file.',
    table(['work, and its limit', '', ...head], rows, { className: 'reach' }),
  );
}

function factTable(facts: readonly Fact[]): string {
  return table(
    ['', ''],
    facts.map(({ name, text }) => [escapeHtml(name), rich(text)]),
    { className: 'plain' },
  );
}
