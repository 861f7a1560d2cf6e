import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import type { Response } from 'express';
import { catchError, throwError, type Observable } from 'rxjs';
import { Refusal } from '@isthmus/kernel';
import type { AdministratorRefusal, EnrolmentRefusal, EstateRefusal } from '@isthmus/estate';
import type { NodeBookRefusal } from './node-book.js';
import type { SessionRefusal } from './sessions.js';
import type { RequestRefusal } from './valid.js';

/** The HTTP status of everything that may be refused here. A new code without a row does not compile. */
const STATUS_OF: Record<
  EstateRefusal | NodeBookRefusal | AdministratorRefusal | EnrolmentRefusal | SessionRefusal | RequestRefusal,
  number
> = {
  'room.unknown': 404,
  'room.exists': 409,
  'room.name-invalid': 422,
  'room.description-invalid': 422,
  'room.alias-invalid': 422,
  'room.alias-taken': 409,
  'room.aliases-too-many': 422,
  'room.seats-invalid': 422,
  'room.guest-pin-alone': 422,
  'room.pin-invalid': 422,
  'room.pins-equal': 422,
  'site.unknown': 404,
  'site.exists': 409,
  'site.last': 409,
  'site.id-invalid': 422,
  'site.name-invalid': 422,
  'site.url-invalid': 422,
  'node.unknown': 404,
  'node.id-invalid': 422,
  'node.removed': 409,
  'node.not-drained': 409,
  'administrator.unknown': 404,
  'administrator.name-taken': 409,
  'administrator.name-invalid': 422,
  'administrator.last': 409,
  'administrator.password-weak': 422,
  'enrolment.refused': 403,
  'session.needed': 401,
  'session.refused': 401,
  'session.locked': 429,
  'session.origin': 403,
  'session.password-change-needed': 403,
  'request.invalid': 400,
  'request.not-json': 415,
  'request.precondition-failed': 412,
  'request.key-reused': 422,
};

export const statusOf = (code: string): number => (Object.hasOwn(STATUS_OF, code) ? STATUS_OF[code as keyof typeof STATUS_OF] : 409);

/** Gives what a handler refuses the HTTP status of its code. */
@Injectable()
export class Statuses implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(
      catchError((error: unknown) => {
        if (!(error instanceof Refusal)) return throwError(() => error);
        const seconds = error.details['retryAfterSeconds'];
        if (typeof seconds === 'number') context.switchToHttp().getResponse<Response>().setHeader('retry-after', seconds);
        return throwError(
          () =>
            new Refusal(
              error.code as string,
              error.message,
              { status: statusOf(error.code as string), ...error.details },
              { cause: error },
            ),
        );
      }),
    );
  }
}
