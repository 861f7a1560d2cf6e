import { createHash, randomInt } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { z } from 'zod';
import { sqliteEventStore } from '@isthmus/event-store-sqlite';
import { Fault, Refusal } from '@isthmus/kernel';
import { VERSION } from '../version.js';
import { tellToCopyFacts } from './control.js';

const FACTS = 'facts.db';
const MANIFEST = 'backup.json';
/** What is made anew, or belongs to a running process. */
const LEFT_OUT = /^(facts\.db.*|control\.sock|.*\.sock|.*\.log(\.\d+)?|\..*)$/;

const manifest = z.strictObject({
  v: z.literal(1),
  isthmus: z.string(),
  takenAt: z.iso.datetime(),
  /** SHA-256 by path within the backup. */
  files: z.record(z.string(), z.string().regex(/^[0-9a-f]{64}$/)),
});

/**
 * Copies all that a site or management keeps in its folder into a new one: facts, certificates, keys, configuration. Its process
 * may run meanwhile. Whoever has the copy can be that site, so only its owner may read it.
 */
export const backUp = async (stateDir: string, into: string): Promise<void> => {
  const [from, to] = [resolve(stateDir), resolve(into)];
  if (!existsSync(join(from, FACTS))) {
    throw new Refusal('backup.nothing-there', `There are no facts in ${from}. Name the folder of a site or of management with --state.`);
  }
  if (existsSync(to)) throw new Refusal('backup.exists', `${to} is there already. Name a folder that is not.`);
  const unfinished = `${to}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true, mode: 0o700 });
  try {
    // Facts first: a certificate that is newer than they are does no harm.
    if (!(await tellToCopyFacts(from, join(unfinished, FACTS)))) await copyOfNobody(from, join(unfinished, FACTS));
    for (const file of filesIn(from)) copy(join(from, file), join(unfinished, file));
    const files = Object.fromEntries([...filesIn(unfinished), FACTS].map((file) => [file, hashOf(join(unfinished, file))]));
    const about = { v: 1, isthmus: VERSION, takenAt: new Date().toISOString(), files } satisfies z.infer<typeof manifest>;
    writeFileSync(join(unfinished, MANIFEST), `${JSON.stringify(about, null, 2)}\n`, { mode: 0o600, flush: true });
    renameSync(unfinished, to);
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    throw error;
  }
};

/**
 * Puts a backup where a site or management keeps its state. What that one wrote after the backup may be known to its peers: it
 * must never write under the same name again, so its next epoch is one that nobody has had (merge rule 4).
 */
export const restore = async (
  backup: string,
  stateDir: string,
  { replace }: { readonly replace: boolean },
): Promise<string | undefined> => {
  const [from, to] = [resolve(backup), resolve(stateDir)];
  const files = checked(from);
  const isThere = existsSync(to) && readdirSync(to).length > 0;
  if (isThere && !replace) {
    throw new Refusal(
      'restore.in-the-way',
      `${to} is not empty. Name another folder, or add --replace: what is there is then kept beside it.`,
    );
  }
  // Whoever runs there holds its facts, and would go on with files that are no longer there.
  if (existsSync(join(to, FACTS))) await (await sqliteEventStore({ file: join(to, FACTS) })).close();
  const unfinished = `${to}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true, mode: 0o700 });
  for (const file of files) copy(join(from, file), join(unfinished, file));
  const store = await sqliteEventStore({ file: join(unfinished, FACTS) });
  await store.beginLife(newIncarnation(Date.now()));
  await store.close();
  const before = isThere ? `${to}.before-${new Date().toISOString().replaceAll(/[:.]/g, '-')}` : undefined;
  if (before !== undefined) renameSync(to, before);
  else rmSync(to, { recursive: true, force: true });
  renameSync(unfinished, to);
  return before;
};

/** With 15 digits at most, which is what a stream's name has room for (`isFact`), until the year 2090. */
const CHANCE = 2 ** 18;

/** Seconds, and below them chance: later than every epoch before, and no one's even if the clock was turned back. */
export const newIncarnation = (nowMs: number): number => Math.floor(Math.max(0, nowMs) / 1_000) * CHANCE + randomInt(CHANCE);

/** Nobody runs there, so we may open it ourselves. */
const copyOfNobody = async (from: string, to: string): Promise<void> => {
  const store = await sqliteEventStore({ file: join(from, FACTS) });
  try {
    await store.copyTo(to);
  } finally {
    await store.close();
  }
};

const checked = (backup: string): readonly string[] => {
  const damaged = (why: string, cause?: unknown) =>
    new Fault('backup.damaged', `${backup} cannot be restored: ${why}. Take another backup.`, {}, { cause });
  let text: string;
  try {
    text = readFileSync(join(backup, MANIFEST), 'utf8');
  } catch (cause) {
    throw damaged(`it has no readable ${MANIFEST}`, cause);
  }
  const parsed = manifest.safeParse(JSON.parse(text));
  if (!parsed.success) throw damaged(`${MANIFEST} is not of this version of Isthmus`);
  const files = Object.entries(parsed.data.files);
  for (const [file, hash] of files) {
    if (relative(backup, join(backup, file)).startsWith('..')) throw damaged(`${file} is outside of it`);
    if (!existsSync(join(backup, file)) || hashOf(join(backup, file)) !== hash) throw damaged(`${file} is not what it was`);
  }
  if (parsed.data.files[FACTS] === undefined) throw damaged('it has no facts');
  return files.map(([file]) => file);
};

const filesIn = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .filter((file) => !file.split('/').some((part) => LEFT_OUT.test(part)) && file !== MANIFEST);

const hashOf = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex');

/** On the disk before anybody relies on it; readable for its owner only, whatever it was. */
const copy = (from: string, to: string): void => {
  mkdirSync(dirname(to), { recursive: true, mode: 0o700 });
  writeFileSync(to, readFileSync(from), { mode: 0o600, flush: true });
};
