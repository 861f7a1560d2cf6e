import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT, packages, read, sources } from './tree.js';

/** A spec may go on: each of its tests tells a story of its own. */
const LINES_MAX = { source: 400, spec: 600 };
const CODE = /\.(ts|tsx|mjs)$/;

describe('the house', () => {
  const all = sources(['apps', 'libs', 'tools'], CODE);

  it(`has no file of more than ${LINES_MAX.source} lines, no spec of more than ${LINES_MAX.spec}`, () => {
    expect(all.length).toBeGreaterThan(30);
    const long = all
      .map((file) => ({ file, lines: read(file).split('\n').length }))
      .filter(({ file, lines }) => lines > LINES_MAX[/\.spec\.tsx?$/.test(file) ? 'spec' : 'source']);
    expect(long).toEqual([]);
  });

  it('names what each lib offers: no `export *` but as a namespace', () => {
    const doors = packages().map(({ folder }) => `${folder}/src/index.ts`);
    const careless = doors.filter((file) => existsSync(join(ROOT, file)) && /^export \*(?! as )/m.test(read(file)));
    expect(careless).toEqual([]);
  });

  it('calls files by kebab-case nouns', () => {
    const odd = all.filter((file) => !/^([a-z0-9-]+\/)*[a-z0-9-]+(\.[a-z0-9-]+)*\.(ts|tsx|mjs)$/.test(file));
    expect(odd).toEqual([]);
  });

  it('leaves no test out and no work undone', () => {
    const undone = new RegExp(
      ['\\b(it|test|describe)\\.(skip|only|todo)\\b', '\\b(TODO|FIXME)', 'XXX'].map((part) => `(${part})`).join('|'),
    );
    // This file would find its own words.
    const found = all.filter((file) => !file.startsWith('tools/tidy/')).filter((file) => undone.test(read(file)));
    expect(found).toEqual([]);
  });

  it('gives a reason wherever it silences ESLint or TypeScript', () => {
    const silences = /(eslint-disable[a-z-]*|@ts-expect-error|@ts-ignore|@ts-nocheck)(.*)/;
    const unexplained = all
      .filter((file) => !file.startsWith('tools/tidy/'))
      .flatMap((file) =>
        read(file)
          .split('\n')
          .map((line, at) => ({ at: `${file}:${at + 1}`, match: silences.exec(line) })),
      )
      .filter(({ match }) => match && !/(--|:) ?\w+ \w+|--$/.test(match[2] ?? ''))
      .map(({ at }) => at);
    expect(unexplained).toEqual([]);
  });

  it('lists every project in the root tsconfig, so that `tsc -b` builds all', () => {
    const { references } = JSON.parse(read('tsconfig.json')) as { references: { path: string }[] };
    const listed = references.map(({ path }) => path);
    const missing = packages()
      .filter(({ folder }) => existsSync(join(ROOT, folder, 'src/index.ts')))
      .filter(({ folder }) => !listed.includes(folder));
    expect(missing.map(({ folder }) => folder)).toEqual([]);
  });

  it('tells nobody about the machine it was written on', () => {
    const pages = sources(
      ['apps', 'libs', 'tools', 'docs', 'docker', 'k6'].filter((folder) => existsSync(join(ROOT, folder))),
      /\.(ts|tsx|mjs|md|json|yaml|yml|html|css)$/,
    );
    const telling = /\/(root|home\/\w+|work)\//;
    const found = [...pages, 'README.md', 'package.json']
      .filter((file) => existsSync(join(ROOT, file)) && !file.startsWith('tools/tidy/'))
      .filter((file) => telling.test(read(file)));
    expect(found).toEqual([]);
  });
});
