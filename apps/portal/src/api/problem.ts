import { z } from 'zod';

export interface FieldError {
  readonly path: string;
  readonly message: string;
}

/** RFC 9457, as the service sends it. */
const problemShape = z.object({
  status: z.number(),
  code: z.string(),
  detail: z.string(),
  errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
});

/** Why the service did not do it: for the person in `message`, for the program in `code`, for a form in `errors`. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly errors: readonly FieldError[] = [],
  ) {
    super(message);
    this.name = 'Problem';
  }

  /** From an answer that is not a success, whoever gave it: a proxy in between speaks HTML. */
  static from(status: number, body: unknown): Problem {
    const parsed = problemShape.safeParse(body);
    if (parsed.success) return new Problem(status, parsed.data.code, parsed.data.detail, parsed.data.errors);
    return new Problem(status, 'http.unreadable', `The management node answered ${status} and did not say why. Try again in a moment.`);
  }

  static unreachable(): Problem {
    return new Problem(0, 'http.unreachable', 'The management node does not answer. Meetings go on without it; try again in a moment.');
  }
}

export const isProblem = (error: unknown, code: string): error is Problem => error instanceof Problem && error.code === code;

/** What to tell a person about anything that was thrown. */
export const wordsFor = (error: unknown): string =>
  error instanceof Problem ? error.message : 'Something failed in this page. Reload it, and try again.';

/**
 * What belongs beside which field, and what belongs to none. `aliases.2` belongs to `aliases`; several messages about one
 * field are told together.
 */
export const byField = (
  error: unknown,
  fields: readonly string[],
): { readonly fields: Readonly<Record<string, string>>; readonly rest: string | undefined } => {
  if (!(error instanceof Problem)) return { fields: {}, rest: wordsFor(error) };
  const told: Record<string, string> = {};
  let others = error.errors.length === 0;
  for (const { path, message } of error.errors) {
    const field = path.split('.', 1)[0] ?? '';
    if (!fields.includes(field)) others = true;
    else if (told[field] === undefined) told[field] = message;
    else if (!told[field].includes(message)) told[field] += ` ${message}`;
  }
  return { fields: told, rest: others ? error.message : undefined };
};
