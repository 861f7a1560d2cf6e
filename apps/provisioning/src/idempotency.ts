import { createHash } from 'node:crypto';
import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import type { Request, Response } from 'express';
import { lastValueFrom, type Observable, from } from 'rxjs';
import { Refusal } from '@isthmus/kernel';
import type { Caller } from './guard.js';
import type { RequestRefusal } from './valid.js';

interface Remembered {
  readonly body: string;
  readonly until: number;
  readonly answer: Promise<{ readonly value: unknown; readonly headers: Readonly<Record<string, string>> }>;
}

const REMEMBER_MS = 10 * 60_000;
const REMEMBERED_MAX = 1000;
const HEADERS = ['location', 'etag'];

/**
 * Makes it safe to send a POST again when its answer got lost: the same `Idempotency-Key` with the same body gets the same
 * answer, with another body it is refused (draft-ietf-httpapi-idempotency-key-header-07 §2.6, §2.7). Failures are not kept.
 */
@Injectable()
export class Idempotency implements NestInterceptor {
  private readonly answers = new Map<string, Remembered>();

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const request = context.switchToHttp().getRequest<Request & { caller?: Caller }>();
    const response = context.switchToHttp().getResponse<Response>();
    const given = request.headers['idempotency-key'];
    if (typeof given !== 'string' || given === '') return next.handle();
    if (given.length > 255) {
      throw new Refusal<RequestRefusal>('request.invalid', 'An Idempotency-Key has at most 255 characters.', { status: 400 });
    }

    const key = `${request.caller?.administrator.id} ${request.method} ${request.path} ${given}`;
    const body = createHash('sha256').update(JSON.stringify(request.body)).digest('hex');
    this.forget();
    const before = this.answers.get(key);
    if (before && before.body !== body) {
      const message = 'This Idempotency-Key was used for another request. Use a new key for a new request.';
      throw new Refusal<RequestRefusal>('request.key-reused', message, { status: 422 });
    }
    return from(before ? this.again(before, response) : this.first(key, body, next, response));
  }

  private async first(key: string, body: string, next: CallHandler, response: Response): Promise<unknown> {
    const answer = lastValueFrom(next.handle()).then((value: unknown) => ({ value, headers: headersOf(response) }));
    this.answers.set(key, { body, until: performance.now() + REMEMBER_MS, answer });
    try {
      return (await answer).value;
    } catch (error) {
      this.answers.delete(key);
      throw error;
    }
  }

  private async again(before: Remembered, response: Response): Promise<unknown> {
    const { value, headers } = await before.answer;
    for (const [name, text] of Object.entries(headers)) response.setHeader(name, text);
    return value;
  }

  private forget(): void {
    const now = performance.now();
    for (const [key, { until }] of this.answers) {
      if (until > now && this.answers.size < REMEMBERED_MAX) return;
      this.answers.delete(key);
    }
  }
}

const headersOf = (response: Response): Record<string, string> =>
  Object.fromEntries(
    HEADERS.map((name) => [name, response.getHeader(name)]).filter((pair): pair is [string, string] => typeof pair[1] === 'string'),
  );
