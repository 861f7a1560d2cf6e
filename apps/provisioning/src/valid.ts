import type { IncomingMessage, ServerResponse } from 'node:http';
import type { PipeTransform } from '@nestjs/common';
import type { z } from 'zod';
import { Refusal } from '@isthmus/kernel';

/** What a request may be refused for before the domain has a say. */
export type RequestRefusal = 'request.invalid' | 'request.not-json' | 'request.precondition-failed' | 'request.key-reused';

/** Lets only what fits the schema through to a handler: `@Body(valid(newRoom))`. Unknown fields are faults, not noise. */
export const valid = (schema: z.ZodType): PipeTransform => ({
  transform: (value: unknown) => {
    refuseForeignKeys(value);
    const parsed = schema.safeParse(value ?? {});
    if (parsed.success) return parsed.data;
    const errors = parsed.error.issues.slice(0, 50).map(({ path, message }) => ({ path: path.join('.'), message }));
    throw new Refusal<RequestRefusal>('request.invalid', 'The request does not fit. `errors` says which fields and why.', {
      status: 400,
      errors,
    });
  },
});

/** `JSON.parse` makes `__proto__` an ordinary key, which zod passes over in silence; nobody means well by it. */
const refuseForeignKeys = (value: unknown): void => {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, '__proto__')) return;
  const errors = [{ path: '__proto__', message: 'Unrecognized key' }];
  throw new Refusal<RequestRefusal>('request.invalid', 'The request does not fit. `errors` says which fields and why.', {
    status: 400,
    errors,
  });
};

/** Bodies are JSON and say so: a form that another page submits is not (and needs no preflight, so it would get here). */
export const onlyJson = (request: IncomingMessage, _response: ServerResponse, next: (error?: unknown) => void): void => {
  const hasBody = Number(request.headers['content-length'] ?? 0) > 0 || request.headers['transfer-encoding'] !== undefined;
  const type = (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (!hasBody || type === 'application/json' || type === 'application/merge-patch+json') return next();
  next(new Refusal<RequestRefusal>('request.not-json', 'Send the body as application/json.', { status: 415 }));
};
