import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import ts from 'typescript';
import { LOCAL_CACHE, ROOT } from '../lib/paths.mjs';
import { Problem } from '../lib/problem.mjs';

/** Where copies of the product are patched; the checkout is never touched. */
const COPIES = join(LOCAL_CACHE, 'planted');
/** Those of this run; there may be another at the same time, about other bugs. @type {Set<string>} */
const made = new Set();

/** The file with the bug in it; undefined if the place where it belongs is not there exactly once. @param {import('./planted.mjs').Planted} planted */
export const patch = (planted) => patchAll([planted])?.get(planted.file);

/** Files with all these bugs in them; undefined if the place of one is not there exactly once. @param {readonly import('./planted.mjs').Planted[]} all */
export const patchAll = (all) => {
  /** @type {Map<string, string>} */
  const texts = new Map();
  for (const { file, from, to } of all) {
    const path = join(ROOT, file);
    const text = texts.get(file) ?? (existsSync(path) ? readFileSync(path, 'utf8') : '');
    if (text.split(from).length !== 2) return undefined;
    texts.set(
      file,
      text.replace(from, () => to),
    );
  }
  return texts;
};

/** @param {string} name of a planted bug, or of one of the copies in which specs run */
export const freshFolder = (name) => {
  if (!/^[a-z0-9-]+$/.test(name))
    throw new Problem(`A planted bug is called "${name}".`, 'Call it by lower-case letters, digits and dashes.');
  const root = join(COPIES, name);
  rmSync(root, { recursive: true, force: true });
  mkdirSync(join(root, 'node_modules/@isthmus'), { recursive: true });
  made.add(root);
  return root;
};

export const removeCopies = () => {
  for (const root of made) rmSync(root, { recursive: true, force: true });
  made.clear();
};

/** Has packages of a copy find each other there, and everything else in the checkout. @param {string} root @param {readonly string[]} folders */
export const linkPackages = (root, folders) => {
  for (const folder of folders) {
    const { name } = JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8'));
    symlinkSync(join(root, folder), join(root, 'node_modules/@isthmus', basename(name)));
  }
};

/** Puts a file of a copy's sources, compiled, where it is looked for when it is run. @param {string} root @param {string} file @param {string} source */
export const putBuilt = (root, file, source) => {
  const { outputText } = ts.transpileModule(source, {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2024, useDefineForClassFields: true },
  });
  writeFileSync(join(root, file.replace('/src/', '/dist/').replace(/\.ts$/, '.js')), outputText);
};
