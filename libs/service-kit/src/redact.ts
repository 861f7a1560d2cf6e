const SECRET_WORDS = new Set([
  'pin',
  'pins',
  'password',
  'passwords',
  'secret',
  'token',
  'tokens',
  'authorization',
  'cookie',
  'credential',
  'credentials',
  'resume',
  'srtp',
  'dtls',
]);
const DEPTH_MAX = 6;

/** Whether a field of this name holds what must not be written down: `hostPinHash`, `token`, `privateKey`, but not `key` or `keyFile`. */
export const isSecretName = (name: string): boolean => {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/);
  return words.some((word) => SECRET_WORDS.has(word)) || /^.+ keys?( base64)?$/.test(words.join(' ')) || words.join(' ') === 'key base64';
};

/** A copy fit for a log: secrets by name replaced, depth bounded, cycles and odd values made plain. */
export const redact = (value: unknown, depth = 0): unknown => {
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Error)
    return {
      name: value.name,
      message: value.message,
      stack: value.stack,
      ...('code' in value ? { code: value.code } : {}),
      ...(value.cause === undefined ? {} : { cause: redact(value.cause, depth + 1) }),
    };
  if (depth >= DEPTH_MAX) return '[deeper]';
  if (Array.isArray(value)) return value.slice(0, 100).map((item) => redact(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, isSecretName(name) && item != null ? '[redacted]' : redact(item, depth + 1)]),
  );
};
