import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** What procurement asks for: the success criteria of levels A and AA. */
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

interface Finding {
  readonly id: string;
  readonly help: string;
  readonly nodes: readonly { readonly target: readonly string[] }[];
}

/** A telephone held upright: nothing has to be scrolled sideways to be read (WCAG 1.4.10). */
export const NARROW_PX = 390;
/** In which colours a page is looked at. */
const SCHEMES = ['light', 'dark'] as const;

/**
 * Expects that axe-core finds nothing wrong with a page, in its light and in its dark colours (WCAG 2.2, A and AA), and that a
 * telephone shows it without scrolling sideways. It looks several times, as what is still fading in has little contrast.
 */
export const expectAccessible = async (page: Page): Promise<void> => {
  for (const colorScheme of SCHEMES) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await expect.poll(() => findings(page), { timeout: 20_000, interval: 250, message: `in ${colorScheme} colours` }).toEqual([]);
  }
  const before = page.viewportSize();
  await page.setViewportSize({ width: NARROW_PX, height: 800 });
  await expect.poll(() => widthOf(page), { timeout: 20_000, message: 'the page on a telephone' }).toBeLessThanOrEqual(NARROW_PX);
  if (before) await page.setViewportSize(before);
  await page.emulateMedia({ colorScheme: null, reducedMotion: null });
};

/** What a page takes, with what sticks out of it; in CSS pixels. */
const widthOf = (page: Page): Promise<number> => page.evaluate('document.documentElement.scrollWidth');

/** A line per finding: the rule, and where. */
const findings = async (page: Page): Promise<readonly string[]> => {
  // By way of the debugger, past the page's content policy, which forbids what it did not bring itself.
  await page.evaluate(AXE);
  const found = await page.evaluate(async (tags) => {
    const { axe } = globalThis as unknown as { axe: { run(where: string, how: object): Promise<{ violations: Finding[] }> } };
    return (await axe.run('html', { runOnly: tags, resultTypes: ['violations'] })).violations;
  }, TAGS);
  return found.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`);
};
