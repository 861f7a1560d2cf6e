import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ROOT } from '../lib/paths.mjs';
import { patchKafkajs } from './patch-kafkajs.mjs';

const QUEUE = join('src', 'network', 'requestQueue', 'index.js');
const PATCH = /^.*patched by Isthmus.*\n/m;

describe('the patch for the timer of kafkajs', () => {
  let folder: string;
  const queue = () => readFileSync(join(folder, QUEUE), 'utf8');

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'isthmus-kafkajs-'));
    for (const part of ['package.json', QUEUE])
      cpSync(join(ROOT, 'node_modules', 'kafkajs', part), join(folder, part), { recursive: true });
    // As npm brings it, whether or not this checkout has been patched.
    writeFileSync(join(folder, QUEUE), queue().replace(PATCH, ''));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('is put in once, however often it is asked for', () => {
    const before = queue();
    patchKafkajs(folder);
    const after = queue();
    expect(after).not.toBe(before);
    expect(after.replace(PATCH, '')).toBe(before);
    patchKafkajs(folder);
    expect(queue()).toBe(after);
  });

  it('refuses another version, in words', () => {
    const file = join(folder, 'package.json');
    writeFileSync(file, readFileSync(file, 'utf8').replace('"2.2.4"', '"2.3.0"'));
    expect(() => patchKafkajs(folder)).toThrow(/kafkajs is 2\.3\.0/);
  });

  it('refuses a file that it does not fit', () => {
    writeFileSync(join(folder, QUEUE), 'module.exports = class {}');
    expect(() => patchKafkajs(folder)).toThrow(/does not fit/);
  });
});
