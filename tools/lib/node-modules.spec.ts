import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { missingPackages } from './node-modules.mjs';

describe('what is installed', () => {
  const folders: string[] = [];
  afterEach(() => folders.splice(0).forEach((folder) => rmSync(folder, { recursive: true })));

  const checkout = (wanted: object, installed?: object) => {
    const root = mkdtempSync(join(tmpdir(), 'isthmus-packages-'));
    folders.push(root);
    mkdirSync(join(root, 'node_modules'));
    writeFileSync(join(root, 'package-lock.json'), JSON.stringify({ packages: { '': {}, ...wanted } }));
    if (installed) writeFileSync(join(root, 'node_modules', '.package-lock.json'), JSON.stringify({ packages: installed }));
    return root;
  };
  const ws = { 'node_modules/ws': { version: '8.0.0' } };

  it('is complete when npm installed all that the lock file names', () => {
    expect(missingPackages(checkout(ws, ws))).toEqual([]);
  });

  it('misses everything when npm never ran here', () => {
    expect(missingPackages(checkout(ws))).toEqual(['ws']);
  });

  it('misses a package whose version has changed', () => {
    expect(missingPackages(checkout({ 'node_modules/ws': { version: '8.1.0' } }, ws))).toEqual(['ws']);
  });

  it('does not miss what npm may leave out on this platform', () => {
    expect(missingPackages(checkout({ ...ws, 'node_modules/other-os': { version: '1.0.0', optional: true } }, ws))).toEqual([]);
  });

  it('misses a new package of our own that is not linked yet', () => {
    const own = { 'node_modules/@isthmus/new': { link: true, resolved: 'libs/new' }, 'libs/new': {} };
    expect(missingPackages(checkout({ ...ws, ...own }, ws))).toEqual(['@isthmus/new']);
  });

  it('misses everything when npm was interrupted while it wrote its list', () => {
    const root = checkout(ws, ws);
    writeFileSync(join(root, 'node_modules', '.package-lock.json'), '{"packages": {');
    expect(missingPackages(root)).toEqual(['ws']);
  });
});
