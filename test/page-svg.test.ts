/** The charts of reports, as SVG: what lies where, and that names from files are only ever text. */

import { describe, expect, it } from 'vitest';
import { barChart, lineChart, type Series } from '../lib/page/svg.ts';

const series = (name: string, ...values: number[]): Series => ({
  name,
  colour: 'one',
  points: values.map((value, index) => [index, value] as const),
});

const chart = (change: Partial<Parameters<typeof lineChart>[0]> = {}) =>
  lineChart({ title: 'Speed', unit: 'MB/s', places: ['1 KiB', '1 MiB', '1 GiB'], series: [], ...change });

/** Attributes of all elements of a kind, as numbers where they are some. */
function attributes(svg: string, element: string, name: string): number[] {
  return [...svg.matchAll(new RegExp(`<${element}[^>]* ${name}="([^"]*)"`, 'g'))].map(([, value]) => Number(value));
}

const ticks = (svg: string) => [...svg.matchAll(/text-anchor="end">([^<]*)<\/text>/g)].map(([, text]) => text);

describe('a chart of lines', () => {
  it('is none without a point', () => {
    expect(chart()).toBe('');
    expect(chart({ series: [series('a')] })).toBe('');
  });

  it('has whole powers of ten, as far apart as each other, and points between them', () => {
    const svg = chart({ series: [series('a', 20, 2000, 200_000)] });
    expect(ticks(svg)).toEqual(['MB/s, logarithmic', '10', '100', '1k', '10k', '100k', '1M']);
    const [low, middle, high] = attributes(svg, 'circle', 'cy') as [number, number, number];
    expect(low - middle).toBeCloseTo(middle - high, 0);
    const lines = attributes(svg, 'line', 'y1');
    expect(lines.every((y, index) => index === 0 || y < lines[index - 1]!)).toBe(true);
    expect([low < lines[0]!, high > lines.at(-1)!]).toEqual([true, true]);
    expect(svg).toContain('<title>a, 1 MiB: 2,000 MB/s</title>');
  });

  it('has round steps from zero when it is linear', () => {
    const svg = chart({ series: [series('a', 0, 6, 12)], linear: true });
    expect(ticks(svg)).toEqual(['MB/s', '0', '2.5', '5', '7.5', '10', '12.5']);
    const [zero] = attributes(svg, 'circle', 'cy');
    expect(zero).toBe(attributes(svg, 'line', 'y1')[0]);
  });

  it('begins lines anew at a gap, and marks those that are strong or dashed', () => {
    const strong = { ...series('a', 1, 2, 3), strong: true, dashed: true };
    const svg = chart({ series: [strong], gap: 2 });
    const points = [...svg.matchAll(/<polyline points="([^"]*)"/g)].map(([, text]) => text!.split(' ').length);
    expect(points).toEqual([2, 1]);
    expect(svg).toContain('<g class="line strong dashed" style="--c:var(--one)">');
  });

  it('moves names apart that would lie on each other, within the chart, in their order', () => {
    const top = ['a', 'b', 'c'].map((name) => series(name, 1, 100));
    const bottom = ['d', 'e'].map((name) => series(name, 100, 1));
    const svg = chart({ series: [...top, ...bottom] });
    const names = [...svg.matchAll(/<text class="name"[^>]* y="([^"]*)">([^<]*)</g)];
    expect(names.map(([, , name]) => name)).toEqual(['a', 'b', 'c', 'd', 'e']);
    const heights = names.map(([, y]) => Number(y));
    for (const [index, y] of heights.slice(1).entries()) expect(y - heights[index]!).toBeGreaterThanOrEqual(15);
    expect([heights[0]! >= 34, heights.at(-1)! <= 274]).toEqual([true, true]);
  });

  it('shows names as text, whatever they hold', () => {
    const svg = chart({
      title: '<script>',
      places: ['"&', 'b'],
      series: [series('<img onerror=x>', 1, 2)],
      unit: '<b>',
    });
    expect(svg).not.toMatch(/<(script|img|b)\b/);
    expect(svg).toContain('&lt;img onerror=x&gt;');
  });
});

it('bars are as long as their values, and never too short to be seen', () => {
  const bars = [100, 50, 0].map((value) => ({ name: `<${value}>`, colour: 'one', value, label: `${value}` }));
  const svg = barChart({ title: 'Bars', bars });
  const [most, half, none] = attributes(svg, 'rect', 'width') as [number, number, number];
  expect([Math.round((most / half) * 100), none]).toEqual([200, 1.5]);
  expect(svg).not.toContain('<100>');
  expect(barChart({ title: 'Bars', bars: [] })).toBe('');
});
