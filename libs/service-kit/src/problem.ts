import { Catch, HttpException, Logger, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { IsthmusError } from '@isthmus/kernel';
import type { Response } from 'express';
import { throwError, type Observable } from 'rxjs';

/** RFC 9457 problem details. `code` is ours and stable; `detail` says what, why and what next. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly errors?: readonly { readonly path: string; readonly message: string }[];
}

const CODE_OF_STATUS: Readonly<Record<number, string>> = {
  401: 'http.unauthorized',
  403: 'http.forbidden',
  404: 'http.not-found',
  413: 'http.too-large',
  415: 'http.unsupported-media-type',
  429: 'http.too-many-requests',
};
const STATUS_OF_KIND = { refusal: 409, fault: 503, defect: 500 } as const;

/** Turns whatever a controller throws into `application/problem+json`; what is our own failure is logged, never shown. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger('Problem');

  catch(error: unknown, host: ArgumentsHost): Observable<never> | void {
    // Who asked by the bus gets the error itself, with its code; Nest's own filter would make every one an internal error.
    if (host.getType() !== 'http') return throwError(() => error);
    const response = host.switchToHttp().getResponse<Response>();
    const problem = problemOf(error);
    if (problem.status >= 500) this.logger.error(error instanceof Error ? (error.stack ?? error.message) : String(error));
    if (!response.headersSent) response.status(problem.status).type('application/problem+json').send(JSON.stringify(problem));
  }
}

export const problemOf = (error: unknown): Problem => {
  if (isOurs(error)) {
    const { code } = error;
    const status = typeof error.details['status'] === 'number' ? error.details['status'] : STATUS_OF_KIND[error.kind];
    const errors = error.details['errors'] as Problem['errors'];
    return {
      type: `urn:isthmus:problem:${code}`,
      title: code,
      status,
      detail: error.message,
      code,
      ...(errors ? { errors } : {}),
    };
  }
  // Nest's own, and what the body parser throws: an Error with a status.
  const status = error instanceof HttpException ? error.getStatus() : statusOf(error);
  const code = status < 500 ? (CODE_OF_STATUS[status] ?? 'http.bad-request') : 'http.internal';
  const detail = isUnreadable(error)
    ? 'The body is not valid JSON.'
    : status < 500 && error instanceof Error
      ? error.message
      : 'Something failed here. The log has it; try again in a moment.';
  return { type: `urn:isthmus:problem:${code}`, title: code, status, detail, code };
};

const statusOf = (error: unknown): number => {
  const status = (error as { status?: unknown } | null)?.status;
  return typeof status === 'number' && status >= 400 && status < 600 ? status : 500;
};

/** body-parser's; its own text quotes the body, which may hold a password. */
const isUnreadable = (error: unknown): boolean => (error as { type?: unknown } | null)?.type === 'entity.parse.failed';

const isOurs = (error: unknown): error is IsthmusError => error instanceof IsthmusError;
