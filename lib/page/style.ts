/** The looks of every page. Colours have names, which charts use as `var(--NAME)`; both light and dark screens have theirs. */

export const STYLE = `\
:root {
  color-scheme: light dark;
  --page: #fbfbf9;
  --card: #ffffff;
  --ink: #1b2430;
  --soft: #5d6878;
  --line: #e3e4df;
  --good: #0d8a7b;
  --bad: #d2541b;
  --own: #0b7a75;
  --limit: #8b929c;
  --amber: #b9770e;
  --violet: #7a54c7;
  --pink: #c2427a;
  --blue: #2f67c8;
  --sky: #6a97dd;
  --olive: #7f8726;
  --brown: #8d6748;
  --red: #ad4a43;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14181d;
    --card: #1b2127;
    --ink: #e6e9ec;
    --soft: #9aa5b1;
    --line: #303840;
    --good: #3fc2ae;
    --bad: #f08a55;
    --own: #3cc7bd;
    --limit: #87919c;
    --amber: #e0a84a;
    --violet: #ab8df0;
    --pink: #ec7fae;
    --blue: #6c9df0;
    --sky: #98bcf3;
    --olive: #b9c155;
    --brown: #c39d7c;
    --red: #e0847d;
  }
}
* {
  box-sizing: border-box;
}
body {
  margin: 0;
  background: var(--page);
  color: var(--ink);
  font:
    15px / 1.5 system-ui,
    -apple-system,
    "Segoe UI",
    "Noto Sans",
    "DejaVu Sans",
    sans-serif;
}
main {
  max-width: 1120px;
  margin: 0 auto;
  padding: 32px 24px 64px;
}
h1 {
  margin: 0 0 4px;
  font-size: 28px;
  letter-spacing: -0.01em;
}
h2 {
  margin: 0 0 2px;
  font-size: 19px;
}
h3 {
  margin: 20px 0 6px;
  font-size: 15px;
}
code {
  font:
    0.93em ui-monospace,
    "DejaVu Sans Mono",
    monospace;
}
.facts,
.say,
.note {
  color: var(--soft);
}
.say {
  margin: 0 0 14px;
  max-width: 82ch;
}
.note {
  font-size: 13px;
}
p.note {
  margin: 6px 0 0;
  max-width: 110ch;
}
.headline {
  margin: 22px 0;
  font-size: 21px;
  line-height: 1.4;
  max-width: 60ch;
}
.headline b {
  color: var(--own);
}
.warning {
  padding: 10px 14px;
  border-left: 4px solid var(--bad);
  background: color-mix(in srgb, var(--bad) 10%, transparent);
}
section {
  margin-top: 24px;
  padding: 22px 24px;
  background: var(--card);
  border: 1px solid var(--line);
  border-radius: 10px;
}
.tiles {
  display: grid;
  grid-template-columns: repeat(auto-fit, minmax(190px, 1fr));
  gap: 12px;
}
.tile {
  padding: 14px 16px;
  background: var(--card);
  border: 1px solid var(--line);
  border-radius: 10px;
}
.tile b {
  display: block;
  font-size: 25px;
  line-height: 1.2;
}
.tile span {
  color: var(--soft);
  font-size: 13px;
}
.pair {
  display: grid;
  grid-template-columns: repeat(auto-fit, minmax(430px, 1fr));
  gap: 18px 32px;
}
.scroll {
  overflow-x: auto;
}
table {
  border-collapse: collapse;
  width: 100%;
  font-size: 14px;
  font-variant-numeric: tabular-nums;
}
th {
  text-align: left;
  font-weight: 600;
  color: var(--soft);
  vertical-align: bottom;
}
th.over {
  text-align: center;
}
th,
td {
  padding: 5px 9px;
  border-bottom: 1px solid var(--line);
}
td.number,
th.number {
  text-align: right;
  white-space: nowrap;
}
td.soft {
  color: var(--soft);
}
td.heat {
  text-align: right;
  background: color-mix(in srgb, var(--c) var(--share), transparent);
}
td.verdict {
  font-weight: 600;
  color: var(--c);
}
.reach td {
  padding: 7px 9px;
}
.reach td:first-child {
  width: 44%;
}
.verdict .note {
  font-weight: 400;
}
.track {
  position: relative;
  height: 16px;
  min-width: 220px;
  background: color-mix(in srgb, var(--ink) 7%, transparent);
  border-radius: 3px;
}
.track i {
  position: absolute;
  inset: 0 auto 0 0;
  border-radius: 3px;
  background: var(--c);
}
.track b {
  position: absolute;
  top: -4px;
  bottom: -4px;
  width: 2px;
  background: var(--ink);
}
svg {
  display: block;
  width: 100%;
  height: auto;
  font-size: 12px;
}
svg text {
  fill: var(--ink);
}
svg .title {
  font-size: 13px;
  font-weight: 600;
}
svg .tick {
  fill: var(--soft);
  font-size: 11px;
}
svg .grid {
  stroke: var(--line);
}
svg polyline {
  fill: none;
  stroke: var(--c);
  stroke-width: 1.6;
}
svg .strong polyline {
  stroke-width: 3.2;
}
svg .dashed polyline {
  stroke-dasharray: 5 4;
}
svg circle,
svg .bar {
  fill: var(--c);
}
svg .name {
  fill: var(--c);
  font-size: 11.5px;
}
svg .strong {
  font-weight: 700;
}
svg .bar-value {
  fill: var(--soft);
}
details {
  margin-top: 14px;
}
summary {
  cursor: pointer;
  color: var(--soft);
}
`;
