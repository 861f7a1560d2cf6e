import { createParamDecorator, Injectable, SetMetadata, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request } from 'express';
import { Refusal } from '@isthmus/kernel';
import type { Administrator } from '@isthmus/estate';
import { Sessions, type SessionRefusal } from './sessions.js';

export const COOKIE = 'isthmus-session';
const OPEN = 'isthmus:open';
const BEFORE_PASSWORD_CHANGE = 'isthmus:before-password-change';

/** Anybody may call it. Everything else needs a session. */
export const Open = () => SetMetadata(OPEN, true);
/** Allowed with a password that must be changed first. */
export const BeforePasswordChange = () => SetMetadata(BEFORE_PASSWORD_CHANGE, true);

export interface Caller {
  readonly administrator: Administrator;
  readonly token: string;
}
type Called = Request & { caller?: Caller };

/** Who calls: the guard has checked them. */
export const WhoCalls = createParamDecorator((_: unknown, context: ExecutionContext) => context.switchToHttp().getRequest<Called>().caller);

/**
 * Lets nobody do anything unless a session says who they are, and lets no other web site use that session: a request that
 * changes something must name our own origin (the cookie is SameSite=Strict besides; OWASP ASVS 5.0 §3.5.1).
 */
@Injectable()
export class SessionGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly sessions: Sessions,
  ) {}

  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<Called>();
    const marked = (mark: string) =>
      this.reflector.getAllAndOverride<boolean | undefined>(mark, [context.getHandler(), context.getClass()]) === true;
    const origin = originOf(request);
    if (changesSomething(request) && origin === 'foreign') throw foreign();
    if (marked(OPEN)) return true;

    const token = cookieOf(request);
    const administrator = this.sessions.whose(token);
    if (token === undefined || !administrator) throw new Refusal<SessionRefusal>('session.needed', 'Sign in first.', { status: 401 });
    if (changesSomething(request) && origin !== 'own') throw foreign();
    if (administrator.mustChangePassword && !marked(BEFORE_PASSWORD_CHANGE)) {
      throw new Refusal<SessionRefusal>('session.password-change-needed', 'Change the password that you were given first.', {
        status: 403,
      });
    }
    request.caller = { administrator, token };
    return true;
  }
}

const changesSomething = ({ method }: Request): boolean => !['GET', 'HEAD', 'OPTIONS'].includes(method);

/** Browsers send `Origin` with every request that changes something; `Sec-Fetch-Site` cannot be set by a page's script. */
const originOf = ({ headers }: Request): 'own' | 'foreign' | 'unsaid' => {
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return 'foreign';
  if (headers.origin === undefined) return site === 'same-origin' ? 'own' : 'unsaid';
  const host = URL.canParse(headers.origin) ? new URL(headers.origin).host : undefined;
  return host !== undefined && host === headers.host ? 'own' : 'foreign';
};

const foreign = () => {
  const message =
    'This request does not come from the portal. A program that signs in by itself sends an Origin header with the address it calls.';
  return new Refusal<SessionRefusal>('session.origin', message, { status: 403 });
};

const cookieOf = ({ headers }: Request): string | undefined =>
  headers.cookie
    ?.split(';')
    .map((pair) => pair.trim())
    .find((pair) => pair.startsWith(`${COOKIE}=`))
    ?.slice(COOKIE.length + 1);
