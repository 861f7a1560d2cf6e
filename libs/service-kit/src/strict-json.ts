import { Refusal } from '@isthmus/kernel';

export type JsonRefusal = 'protocol.malformed' | 'protocol.too-deep' | 'protocol.duplicate-key' | 'protocol.forbidden-key';

/** mediasoup's parameters nest seven levels deep; nothing we exchange needs more than twice that. */
const DEPTH_MAX = 16;

/**
 * Reads JSON from somebody we do not trust. `JSON.parse` accepts three things that have hurt others: nesting deep enough to
 * overflow whoever walks the value later, one key twice (two readers then see two messages), and `__proto__`. They are refused.
 * @throws Refusal one of {@link JsonRefusal}; the text itself is never quoted, it may hold a PIN.
 */
export const parseStrictJson = (text: string): unknown => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Refusal<JsonRefusal>('protocol.malformed', 'This is not JSON. Send one JSON object per message.');
  }
  refuseHazards(text);
  return value;
};

/** `text` is known to be valid JSON, so a pass over its brackets and strings is enough. */
const refuseHazards = (text: string): void => {
  /** For each open bracket: the keys seen so far, or null in an array. */
  const open: (Set<string> | null)[] = [];
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char === '{' || char === '[') {
      if (open.push(char === '{' ? new Set() : null) > DEPTH_MAX) {
        throw new Refusal<JsonRefusal>('protocol.too-deep', `Nested deeper than ${DEPTH_MAX} levels.`);
      }
    } else if (char === '}' || char === ']') {
      open.pop();
    } else if (char === '"') {
      const end = endOfString(text, at);
      const keys = open.at(-1);
      if (keys && isKey(text, end)) noteKey(keys, JSON.parse(text.slice(at, end)) as string);
      at = end - 1;
    }
  }
};

const noteKey = (keys: Set<string>, key: string): void => {
  if (key === '__proto__') throw new Refusal<JsonRefusal>('protocol.forbidden-key', 'The key "__proto__" is not allowed.');
  if (keys.has(key)) throw new Refusal<JsonRefusal>('protocol.duplicate-key', 'A key appears twice in one object.');
  keys.add(key);
};

/** Index after the closing quote of the string that opens at `start`. */
const endOfString = (text: string, start: number): number => {
  for (let at = start + 1; ; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '"') return at + 1;
  }
};

const isKey = (text: string, end: number): boolean => {
  let at = end;
  while (text[at] === ' ' || text[at] === '\n' || text[at] === '\t' || text[at] === '\r') at++;
  return text[at] === ':';
};
