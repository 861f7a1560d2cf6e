import type { z } from 'zod';
import { Problem } from './problem.js';

interface Wish {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

interface Answered {
  readonly body: unknown;
  readonly etag: string | null;
}

/** Asks provisioning, of whose origin this page is. @throws Problem for everything but a success. */
export const ask = async (method: string, path: string, { body, headers, signal }: Wish = {}): Promise<Answered> => {
  let response: Response;
  let text: string;
  try {
    response = await fetch(path, {
      method,
      credentials: 'same-origin',
      cache: 'no-store',
      headers: { accept: 'application/json', ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal ? { signal } : {}),
    });
    text = await response.text();
  } catch (error) {
    if (signal?.aborted) throw error;
    throw Problem.unreachable();
  }
  const parsed = jsonIn(text);
  if (!response.ok) throw Problem.from(response.status, parsed);
  return { body: parsed, etag: response.headers.get('etag') };
};

/** The same, where the answer has a shape to be held to. */
export const askFor = async <T>(shape: z.ZodType<T>, method: string, path: string, wish: Wish = {}): Promise<T> =>
  held(shape, (await ask(method, path, wish)).body);

export const held = <T>(shape: z.ZodType<T>, body: unknown): T => {
  const parsed = shape.safeParse(body);
  if (parsed.success) return parsed.data;
  throw new Problem(
    200,
    'http.unreadable',
    'The management node speaks another version than this page. Reload the page to get the newer one.',
  );
};

const jsonIn = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
