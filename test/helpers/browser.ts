/** The real Chromium of this host, one for a test file, and what the tests ask of every page. */

import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, expect } from 'vitest';

/** Null where there is none. */
export const CHROMIUM =
  (process.env.PATH ?? '')
    .split(delimiter)
    .flatMap((directory) => ['chromium', 'chromium-browser', 'google-chrome'].map((name) => join(directory, name)))
    .find((path) => existsSync(path)) ?? null;

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

let launched: Promise<Browser> | undefined;

afterAll(async () => {
  await (await launched)?.close();
});

/** A page of a fresh profile, in which nothing may go wrong unseen. */
export async function openPage(
  address: string,
  colorScheme: 'light' | 'dark' = 'light',
): Promise<{ page: Page; context: BrowserContext; complaints: string[] }> {
  if (CHROMIUM === null) throw new Error('there is no Chromium on this host (Debian: chromium)');
  launched ??= chromium.launch({ executablePath: CHROMIUM, chromiumSandbox: process.getuid?.() !== 0 });
  const browser = await launched;
  const context = await browser.newContext({
    viewport: { width: 1360, height: 900 },
    colorScheme,
    acceptDownloads: true,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  // Answers that say what is wrong are meant; a policy that was broken is not.
  page.on('console', (message) => {
    const isAnswer = /status of 4\d\d/.test(message.text());
    if (message.type() === 'error' && !isAnswer) complaints.push(message.text());
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(new URL(address).origin)) complaints.push(`asked for ${request.url()}`);
  });
  await page.goto(address);
  return { page, context, complaints };
}

/** Fails with what axe-core finds: of all in light, and of contrasts in dark, where nothing else differs. */
export async function expectAccessible(page: Page, where: string): Promise<void> {
  if (!(await page.evaluate('"axe" in window'))) await page.evaluate(AXE);
  for (const [colorScheme, rules] of [
    ['dark', 'runOnly: ["color-contrast"]'],
    ['light', ''],
  ] as const) {
    await page.emulateMedia({ colorScheme });
    const found = (await page.evaluate(`axe.run({ resultTypes: ["violations"], ${rules} })`)) as {
      violations: { id: string; nodes: { html: string; failureSummary: string }[] }[];
    };
    const violations = found.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html} ${nodes[0]?.failureSummary}`);
    expect([where, colorScheme, violations]).toEqual([where, colorScheme, []]);
  }
}

/** Fails when a narrow page, as at a zoom of 400 %, is to be scrolled sideways, or a card does not hold what is in it. */
export async function expectReflow(page: Page): Promise<void> {
  const { width, height } = page.viewportSize()!;
  await page.setViewportSize({ width: 360, height });
  const outside = `[...document.querySelectorAll('.card > *')]
    .filter((each) => each.getBoundingClientRect().right > each.parentElement.getBoundingClientRect().right - 8)
    .map((each) => each.outerHTML.slice(0, 100))`;
  expect([await page.evaluate('document.documentElement.scrollWidth'), await page.evaluate(outside)]).toEqual([
    360,
    [],
  ]);
  await page.setViewportSize({ width, height });
}

/** Where a picture of a page goes, for a person to look at: only when CALLSEAL_SCREENSHOTS names a directory. */
export async function picture(page: Page, name: string): Promise<void> {
  const directory = process.env.CALLSEAL_SCREENSHOTS;
  if (directory) await page.screenshot({ path: join(directory, `${name}.png`), fullPage: true });
}
