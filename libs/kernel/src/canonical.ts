import type { Fact, FactHash } from './fact.js';

/** A fact before it has its name. */
export type UnsealedFact = Omit<Fact, 'hash'>;

/**
 * The one text of a JSON value, so that every site computes the same hash from it: keys sorted by UTF-16 code unit, no
 * white space, numbers and strings as ECMAScript's JSON.stringify writes them, members that are undefined left out. This is
 * RFC 8785 (JSON Canonicalization Scheme), except that a lone surrogate is escaped, not refused: nothing here may throw.
 */
export const canonical = (value: unknown): string => {
  let text = '';
  if (Array.isArray(value)) {
    for (const item of value) text += `${text === '' ? '' : ','}${canonical(item)}`;
    return `[${text}]`;
  }
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const object = value as Readonly<Record<string, unknown>>;
  for (const key of Object.keys(object).sort())
    if (object[key] !== undefined) text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${canonical(object[key])}`;
  return `{${text}}`;
};

/** Gives a fact its name: SHA-256 over the canonical text of everything else in it. `sha256` takes text (as UTF-8), gives lower-case hex. */
export const seal = (unsealed: UnsealedFact, sha256: (text: string) => string): Fact => ({
  hash: sha256(canonical(unsealed)) as FactHash,
  ...unsealed,
});

/** Whether a fact that came from elsewhere is what its name says. Ask {@link isFact} first. */
export const verify = (fact: Fact, sha256: (text: string) => string): boolean => {
  const { hash, ...unsealed } = fact;
  return sha256(canonical(unsealed)) === hash;
};

const KEYS = ['after', 'at', 'body', 'by', 'hash', 'prev', 'seq', 'stream', 'type', 'v'] as const;
/** More streams than one fact may name; a deployment of a hundred sites stays far below. */
const AFTER_MAX = 4096;
/** Deeper bodies than any fact type has, and far from what recursion can bear. */
const DEPTH_MAX = 16;
const HASH = /^[0-9a-f]{64}$/;
const STREAM = /^[a-z]+-[a-z0-9_-]{1,96}@[a-z][a-z0-9_]{0,31}\.[0-9]{1,15}$/;

/**
 * Whether something that arrived has the shape of a fact, so that nothing malformed gets further than the door. Says
 * nothing about its truth: see {@link verify}. A time is never a reason to refuse (merge rule 3).
 */
export const isFact = (value: unknown): value is Fact => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const fact = value as Readonly<Record<string, unknown>>;
  return (
    Object.keys(fact).length === KEYS.length &&
    KEYS.every((key) => Object.hasOwn(fact, key)) &&
    isHash(fact.hash) &&
    isStream(fact.stream) &&
    isCount(fact.seq) &&
    typeof fact.at === 'number' &&
    (fact.seq === 0 ? fact.prev === null : isHash(fact.prev)) &&
    Array.isArray(fact.after) &&
    fact.after.length <= AFTER_MAX &&
    fact.after.every(isHead) &&
    isText(fact.by, 128) &&
    isText(fact.type, 64) &&
    isCount(fact.v) &&
    isJson(fact.body, DEPTH_MAX)
  );
};

const isHash = (value: unknown): boolean => typeof value === 'string' && HASH.test(value);
const isStream = (value: unknown): boolean => typeof value === 'string' && value.length <= 160 && STREAM.test(value);
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const isText = (value: unknown, lengthMax: number): boolean => typeof value === 'string' && value.length > 0 && value.length <= lengthMax;
const isHead = (value: unknown): boolean => {
  if (typeof value !== 'object' || value === null) return false;
  const head = value as Readonly<Record<string, unknown>>;
  return Object.keys(head).length === 3 && isStream(head.stream) && isCount(head.seq) && isHash(head.hash);
};

const isJson = (value: unknown, depthLeft: number): boolean => {
  if (value === null || typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number') return true;
  if (typeof value !== 'object' || depthLeft === 0) return false;
  return Object.values(value).every((item) => isJson(item, depthLeft - 1));
};
