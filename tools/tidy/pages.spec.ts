import { existsSync, readdirSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT, read, sources } from './tree.js';

const PAGES = [
  ...readdirSync(ROOT).filter((name) => name.endsWith('.md')),
  ...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];
const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };

describe('the pages', () => {
  it('name only npm commands that there are', () => {
    const named = PAGES.flatMap((page) =>
      [...read(page).matchAll(/\bnpm (?:run ([\w:-]+)|(start|test)\b)/g)].map(([, script, own]) => ({ page, script: script ?? own ?? '' })),
    );
    expect(named.length).toBeGreaterThan(8);
    expect(named.filter(({ script }) => !(script in scripts))).toEqual([]);
  });

  it('lead only to files that there are', () => {
    const links = PAGES.flatMap((page) =>
      [...read(page).matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map(([, to]) => ({ page, to: to ?? '' })),
    );
    expect(links.length).toBeGreaterThan(4);
    expect(links.filter(({ page, to }) => !existsSync(join(ROOT, normalize(join(dirname(page), to)))))).toEqual([]);
  });

  it('speak of files and folders that there are', () => {
    const spoken = PAGES.flatMap((page) =>
      [...read(page).matchAll(/`((?:apps|libs|tools|docs|docker|k6)\/[\w./-]+)`/g)].map(([, path]) => ({ page, path: path ?? '' })),
    );
    expect(spoken.filter(({ path }) => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  it('quote `isthmus` commands and their options as they are', () => {
    const program = read('apps/isthmus/src/program.ts');
    const options = [...read('README.md').matchAll(/npm (?:start|run fill)[^\n`]*/g)].flatMap(([line]) =>
      [...line.matchAll(/--[a-z][a-z-]+/g)].map(([option]) => option),
    );
    expect(options.length).toBeGreaterThan(5);
    expect(options.filter((option) => ![' ', `'`].some((end) => program.includes(`'${option}${end}`)))).toEqual([]);
  });

  it('run in CI what the README says tests everything', () => {
    expect(read('.ci/run').trim().split('\n').at(-1)).toBe('exec npm test');
    expect(scripts['test']).toBe('exec node tools/test/test.mjs');
  });

  it('number decisions, each once', () => {
    const decisions = readdirSync(join(ROOT, 'docs/adr'));
    const odd = decisions.filter((name) => !read(`docs/adr/${name}`).startsWith(`# ${name.slice(0, 4)}`));
    expect(odd).toEqual([]);
    expect(new Set(decisions.map((name) => name.slice(0, 4))).size).toBe(decisions.length);
  });

  it('are led to by every decision that the code cites', () => {
    const cited = new Set(
      [...PAGES, ...sources(['apps', 'libs', 'tools'], /\.(ts|tsx|mjs)$/)].flatMap((page) =>
        [...read(page).matchAll(/ADR (\d{4})/g)].map(([, number]) => number ?? ''),
      ),
    );
    const decisions = new Set(readdirSync(join(ROOT, 'docs/adr')).map((name) => name.slice(0, 4)));
    expect([...cited].filter((number) => !decisions.has(number))).toEqual([]);
  });
});
