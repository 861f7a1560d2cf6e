import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '..', '..');

export interface Package {
  /** `libs/kernel` */
  readonly folder: string;
  readonly name: string;
  readonly tags: readonly string[];
}

/** Every workspace package of apps and libs. */
export const packages = (): readonly Package[] =>
  ['apps', 'libs', 'libs/adapters'].flatMap((parent) =>
    readdirSync(join(ROOT, parent))
      .map((name) => `${parent}/${name}`)
      .filter((folder) => existsSync(join(ROOT, folder, 'package.json')))
      .map((folder) => {
        const { name, nx } = JSON.parse(read(`${folder}/package.json`)) as { name: string; nx?: { tags?: string[] } };
        return { folder, name, tags: nx?.tags ?? [] };
      }),
  );

/** The files of these folders that we wrote, as paths from the root. */
export const sources = (folders: readonly string[], pattern: RegExp): readonly string[] =>
  folders
    .flatMap((folder) => readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file)))
    .filter((file) => pattern.test(file) && !/(^|\/)(node_modules|dist)\//.test(file));

export const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
