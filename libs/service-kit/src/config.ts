import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { Fault } from '@isthmus/kernel';

/** What a setting is for and how one looks; shown to whoever got it wrong. */
export interface SettingMeta {
  readonly says: string;
  readonly example: string;
  /** Never shown; may also be given as a file, by the same name and `_FILE`. */
  readonly secret?: boolean;
  /** No secret, but may be given as a file all the same, because something else writes it. */
  readonly file?: boolean;
}

/** One setting: its schema with what to say about it. Values arrive as text: use `z.coerce.number()`, `z.stringbool()`. */
export const setting = <T extends z.ZodType>(schema: T, meta: SettingMeta): T => {
  META.set(schema, meta);
  return schema;
};
const META = new WeakMap<z.ZodType, SettingMeta>();

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads a service's settings from the environment, `ISTHMUS_<SERVICE>_<SETTING>`, or says everything that is wrong with them
 * at once: what is missing, what is malformed, and what looks like a setting but is none (a typing mistake must not silently mean the default).
 * @param shared a prefix that other programs use as well, as `KAFKA_`: what we do not know under it is not ours
 * @throws Fault `config.invalid`
 */
export const readConfig = <S extends z.ZodRawShape>(
  service: string,
  settings: S,
  environment: Environment = process.env,
  shared?: string,
): z.output<z.ZodObject<S>> => {
  const prefix = shared ?? `ISTHMUS_${snake(service)}_`;
  const faults: string[] = [];
  const given: Record<string, string> = {};
  for (const [name, schema] of Object.entries(settings)) {
    const value = valueOf(environment, prefix + snake(name), META.get(schema as z.ZodType), faults);
    if (value !== undefined) given[name] = value;
  }
  const parsed = z.object(settings).safeParse(given);
  for (const issue of parsed.error?.issues ?? []) {
    const name = String(issue.path[0]);
    const meta = META.get(settings[name] as z.ZodType);
    const key = prefix + snake(name);
    const wrong = !(name in given)
      ? 'is missing'
      : meta?.secret
        ? `is not right (its value is not shown): ${issue.message}`
        : `is '${given[name]}': ${issue.message}`;
    const fault = `${key} ${wrong}. ${meta ? `${meta.says} Example: ${key}=${meta.example}` : ''}`.trimEnd();
    if (!faults.some((other) => other.startsWith(`${key} `))) faults.push(fault);
  }
  if (shared === undefined) faults.push(...unknownKeys(prefix, Object.keys(settings), environment));
  if (faults.length > 0 || !parsed.success) {
    const count = faults.length === 1 ? 'one setting is' : `${faults.length} settings are`;
    throw new Fault('config.invalid', `${service} cannot start: ${count} wrong.\n${faults.map((fault) => `  ${fault}`).join('\n')}`, {
      faults,
    });
  }
  return parsed.data;
};

/** A setting as a person looks it up. */
export interface SettingRow {
  readonly name: string;
  readonly says: string;
  readonly example: string;
  readonly secret: boolean;
  /** Whether a service does not start without it. */
  readonly needed: boolean;
  /** What holds when it is left out, as it would be written; undefined: nothing. */
  readonly fallback: string | undefined;
}

/** Every setting of a service, for a reference. @param shared as for {@link readConfig} */
export const settingRows = (service: string, settings: z.ZodRawShape, shared?: string): readonly SettingRow[] =>
  Object.entries(settings).map(([name, raw]) => {
    const schema = raw as z.ZodType;
    const meta = META.get(schema);
    const left = schema.safeParse(undefined);
    return {
      name: (shared ?? `ISTHMUS_${snake(service)}_`) + snake(name),
      says: meta?.says ?? '',
      example: meta?.example ?? '',
      secret: meta?.secret ?? false,
      needed: !left.success,
      fallback: left.success ? written(left.data) : undefined,
    };
  });

/** As one would write it into the environment. */
const written = (value: unknown): string | undefined => {
  if (value === undefined || value === '') return undefined;
  return typeof value === 'string' ? value : JSON.stringify(value);
};

/** The settings as read, for a log or a person: secrets replaced. */
export const redactedConfig = <S extends z.ZodRawShape>(settings: S, config: z.output<z.ZodObject<S>>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(config).map(([name, value]) => [
      name,
      META.get(settings[name] as z.ZodType)?.secret && value !== undefined ? '[redacted]' : value,
    ]),
  );

const valueOf = (environment: Environment, key: string, meta: SettingMeta | undefined, faults: string[]): string | undefined => {
  const file = environment[`${key}_FILE`];
  if ((!meta?.secret && !meta?.file) || file === undefined) return environment[key];
  if (environment[key] !== undefined) faults.push(`${key} and ${key}_FILE are both given. Keep one.`);
  try {
    return readFileSync(file, 'utf8').trimEnd();
  } catch (error) {
    faults.push(`${key}_FILE names ${file}, which cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'}).`);
    // Something, so that the same setting is not called missing too.
    return '';
  }
};

const unknownKeys = (prefix: string, names: readonly string[], environment: Environment): string[] => {
  const known = names.map((name) => prefix + snake(name));
  return Object.keys(environment)
    .filter((key) => key.startsWith(prefix) && !known.includes(key) && !known.some((other) => key === `${other}_FILE`))
    .map((key) => {
      const [near] = known.map((other) => [distance(key, other), other] as const).sort(([a], [b]) => a - b);
      return `${key} is not a setting.${near && near[0] <= 4 ? ` Did you mean ${near[1]}?` : ` Settings are: ${known.join(', ')}.`}`;
    });
};

/** `mediaPort` and `media-port` are `MEDIA_PORT`. */
const snake = (name: string): string =>
  name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll('-', '_')
    .toUpperCase();

/** Levenshtein's, small strings. */
const distance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length] ?? 0;
};
