/** Two kinds of charts as SVG: lines and bars. Colours come from the page's style, as `var(--NAME)`. */

import { formatNumber } from './figures.ts';
import { escapeHtml } from './html.ts';

const FONT_WIDTH = 7;
const LABEL_GAP = 15;

/** One line of a chart. */
export interface Series {
  readonly name: string;
  /** A custom property of the page. */
  readonly colour: string;
  /** x: index of the place on the axis. */
  readonly points: readonly (readonly [x: number, y: number])[];
  readonly strong?: boolean;
  readonly dashed?: boolean;
}

export interface LineChart {
  readonly title: string;
  readonly unit: string;
  readonly places: readonly string[];
  readonly series: readonly Series[];
  readonly linear?: boolean;
  /** A place at which lines begin anew, because it belongs to another sequence. */
  readonly gap?: number;
  readonly width?: number;
  readonly height?: number;
}

/** One bar of a chart. */
export interface Bar {
  readonly name: string;
  readonly colour: string;
  readonly value: number;
  /** Written behind the bar. */
  readonly label: string;
  readonly strong?: boolean;
}

interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

interface Scale {
  readonly ticks: readonly number[];
  y(value: number): number;
}

/** Lines over places on an axis, y logarithmic unless `linear`, each line named at its end. */
export function lineChart(chart: LineChart): string {
  const { title, unit, places, series, linear = false, gap = 0, width = 520, height = 300 } = chart;
  const drawn = series.filter(({ points }) => points.length > 0);
  if (drawn.length === 0) return '';
  const right = 14 + FONT_WIDTH * Math.max(...drawn.map(({ name }) => name.length));
  const box = { left: 52, top: 34, right: width - right, bottom: height - 30 };
  const scale = (linear ? linearScale : logScale)(
    drawn.flatMap(({ points }) => points.map(([, y]) => y)),
    box,
  );
  const x = (index: number): number => box.left + ((box.right - box.left) * (index + 0.5)) / places.length;
  const grid = scale.ticks.map(
    (tick) =>
      `<line class="grid" x1="${box.left}" x2="${box.right}" y1="${px(scale.y(tick))}" y2="${px(scale.y(tick))}"/>` +
      `<text class="tick" x="${box.left - 6}" y="${px(scale.y(tick) + 4)}" text-anchor="end">${compact(tick)}</text>`,
  );
  const axis = places.map(
    (place, index) =>
      `<text class="tick" x="${px(x(index))}" y="${height - 10}" text-anchor="middle">${escapeHtml(place)}</text>`,
  );
  const lines = drawn.map(({ name, colour, points, strong, dashed }) => {
    const parts = [points.filter(([place]) => place < gap), points.filter(([place]) => place >= gap)];
    const paths = parts.map(
      (part) =>
        `<polyline points="${part.map(([place, value]) => `${px(x(place))},${px(scale.y(value))}`).join(' ')}"/>`,
    );
    const dots = points.map(
      ([place, value]) =>
        `<circle cx="${px(x(place))}" cy="${px(scale.y(value))}" r="${strong ? 4 : 3}"><title>${escapeHtml(name)}, ${escapeHtml(places[place] ?? '')}: ${formatNumber(value)} ${escapeHtml(unit)}</title></circle>`,
    );
    const kind = `line${strong ? ' strong' : ''}${dashed ? ' dashed' : ''}`;
    return `<g class="${kind}" style="--c:var(--${colour})">${paths.join('')}${dots.join('')}</g>`;
  });
  const names = spread(
    drawn.map(({ name, colour, points, strong }) => ({
      name,
      colour,
      strong,
      y: scale.y((points.at(-1) as readonly [number, number])[1]),
    })),
    box,
  ).map(
    ({ name, colour, strong, y }) =>
      `<text class="name${strong ? ' strong' : ''}" style="--c:var(--${colour})" x="${box.right + 6}" y="${px(y + 4)}">${escapeHtml(name)}</text>`,
  );
  return svg(width, height, title, [
    `<text class="title" x="0" y="14">${escapeHtml(title)}</text>`,
    `<text class="tick" x="${width}" y="14" text-anchor="end">${escapeHtml(unit)}${linear ? '' : ', logarithmic'}</text>`,
    ...grid,
    ...axis,
    ...lines,
    ...names,
  ]);
}

/** Horizontal bars. */
export function barChart({
  title,
  bars,
  width = 520,
}: {
  title: string;
  bars: readonly Bar[];
  width?: number;
}): string {
  if (bars.length === 0) return '';
  const left = 10 + FONT_WIDTH * Math.max(...bars.map(({ name }) => name.length));
  const right = 16 + FONT_WIDTH * Math.max(...bars.map(({ label }) => label.length));
  const most = Math.max(...bars.map(({ value }) => value));
  const row = 24;
  const height = 30 + bars.length * row;
  const drawn = bars.map(({ name, colour, value, label, strong }, index) => {
    const y = 26 + index * row;
    const length = Math.max(1.5, ((width - left - right) * value) / most);
    return (
      `<g style="--c:var(--${colour})"><text class="bar-name${strong ? ' strong' : ''}" x="${left - 8}" y="${y + 14}" text-anchor="end">${escapeHtml(name)}</text>` +
      `<rect class="bar" x="${left}" y="${y + 3}" width="${px(length)}" height="${row - 8}" rx="2"/>` +
      `<text class="bar-value" x="${px(left + length + 6)}" y="${y + 14}">${escapeHtml(label)}</text></g>`
    );
  });
  return svg(width, height, title, [`<text class="title" x="0" y="14">${escapeHtml(title)}</text>`, ...drawn]);
}

function svg(width: number, height: number, title: string, parts: readonly string[]): string {
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeHtml(title)}">\n${parts.join('\n')}\n</svg>`;
}

function logScale(values: readonly number[], { top, bottom }: Box): Scale {
  const low = Math.floor(Math.log10(Math.min(...values)) + 1e-9);
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values)) - 1e-9));
  const ticks = Array.from({ length: high - low + 1 }, (_, index) => 10 ** (low + index));
  return { ticks, y: (value) => bottom - ((bottom - top) * (Math.log10(value) - low)) / (high - low) };
}

function linearScale(values: readonly number[], { top, bottom }: Box): Scale {
  const most = Math.max(...values);
  const step = [1, 2, 2.5, 5, 10]
    .map((each) => each * 10 ** Math.floor(Math.log10(most / 4)))
    .find((each) => most / each <= 5) as number;
  const ticks = Array.from({ length: Math.ceil(most / step) + 1 }, (_, index) => index * step);
  return { ticks, y: (value) => bottom - ((bottom - top) * value) / (ticks.at(-1) as number) };
}

/** Moves names apart that would lie on each other, keeping their order; upwards where there is no room below. */
function spread<T extends { y: number }>(names: readonly T[], { top, bottom }: Box): T[] {
  const sorted = names.toSorted((a, b) => a.y - b.y);
  let above = top - LABEL_GAP;
  for (const name of sorted) {
    name.y = Math.max(name.y, above + LABEL_GAP);
    above = name.y;
  }
  let below = bottom + LABEL_GAP;
  for (const name of sorted.toReversed()) {
    name.y = Math.min(name.y, below - LABEL_GAP);
    below = name.y;
  }
  return sorted;
}

const px = (value: number): string => value.toFixed(1);

function compact(value: number): string {
  if (value >= 1e6) return `${formatNumber(value / 1e6)}M`;
  if (value >= 1e3) return `${formatNumber(value / 1e3)}k`;
  return formatNumber(value);
}
