import { createHash } from 'node:crypto';
import { Refusal } from '@isthmus/kernel';
import { administratorNamed, checkPassword, type Administrator, type AdministratorCommand, type Administrators } from '@isthmus/estate';
import type { Clock } from '@isthmus/ports';
import type { Keeper } from './keeper.js';
import { Lockout } from './lockout.js';
import { hashSecret, isSecret, newToken, nobodysHash } from './secrets.js';

export type SessionRefusal = 'session.needed' | 'session.refused' | 'session.locked' | 'session.origin' | 'session.password-change-needed';

export interface Session {
  readonly administrator: string;
  /** On the monotonic clock, ms. */
  readonly endsAt: number;
  idleAt: number;
}

const LONGEST_MS = 12 * 3_600_000;
const IDLE_MS = 60 * 60_000;
const SESSIONS_MAX = 1000;

/** Who is signed in to administer. Sessions live in this process: whoever restarts it signs in again. */
export class Sessions {
  /** By SHA-256 of the token: what leaks from memory opens nothing. */
  private readonly sessions = new Map<string, Session>();
  private readonly byNameAndAddress: Lockout;
  private readonly byAddress: Lockout;

  constructor(
    private readonly administrators: Keeper<Administrators, AdministratorCommand>,
    private readonly clock: Clock,
  ) {
    this.byNameAndAddress = new Lockout(clock, 5);
    this.byAddress = new Lockout(clock, 20);
  }

  /** @throws Refusal `session.refused`, in the same words for a wrong name and a wrong password; `session.locked`. */
  async signIn(
    name: string,
    password: string,
    address: string,
  ): Promise<{ readonly token: string; readonly administrator: Administrator }> {
    const administrator = await this.proven(name, password, address);
    const token = newToken();
    const now = this.clock.monotonic();
    this.sessions.set(keyOf(token), { administrator: administrator.id, endsAt: now + LONGEST_MS, idleAt: now + IDLE_MS });
    for (const [key, session] of this.sessions) if (this.sessions.size > SESSIONS_MAX || this.isOver(session)) this.sessions.delete(key);
    return { token, administrator };
  }

  /** Whose session it is, if it is one; being asked keeps it from falling idle. */
  whose(token: string | undefined): Administrator | undefined {
    const session = token === undefined ? undefined : this.sessions.get(keyOf(token));
    if (!session || this.isOver(session)) return undefined;
    session.idleAt = this.clock.monotonic() + IDLE_MS;
    return this.administrators.state[session.administrator];
  }

  /** Whether a session still stands; asking does not keep it from falling idle. */
  stands(token: string): boolean {
    const session = this.sessions.get(keyOf(token));
    return session !== undefined && !this.isOver(session);
  }

  signOut(token: string): void {
    this.sessions.delete(keyOf(token));
  }

  /** A new password of their own; ends every other session they have. */
  async changePassword(token: string, administrator: Administrator, current: string, next: string, address: string): Promise<void> {
    await this.proven(administrator.name, current, address);
    if (next === current) {
      const message = 'The new password is the old one. Choose another.';
      throw new Refusal('administrator.password-weak', message, { status: 422, errors: [{ path: 'next', message }] });
    }
    await this.setPassword(administrator, next, administrator.id, false);
    this.endAllOf(administrator.id, token);
  }

  async setPassword(administrator: Administrator, password: string, by: string, mustChangePassword: boolean): Promise<void> {
    checkPassword(password, administrator.name);
    const passwordHash = await hashSecret(password);
    await this.administrators.act(by, () => ({ type: 'ChangePassword', id: administrator.id, passwordHash, mustChangePassword }));
  }

  endAllOf(administrator: string, exceptToken?: string): void {
    const kept = exceptToken === undefined ? undefined : keyOf(exceptToken);
    for (const [key, session] of this.sessions) if (session.administrator === administrator && key !== kept) this.sessions.delete(key);
  }

  private async proven(name: string, password: string, address: string): Promise<Administrator> {
    const key = `${name.trim().toLowerCase()}|${address}`;
    const seconds = Math.max(this.byNameAndAddress.blockedForSeconds(key), this.byAddress.blockedForSeconds(address));
    if (seconds > 0) {
      const message = `Too many wrong attempts. Try again in ${seconds} s.`;
      throw new Refusal<SessionRefusal>('session.locked', message, { status: 429, retryAfterSeconds: seconds });
    }
    this.byNameAndAddress.charge(key);
    this.byAddress.charge(address);
    const administrator = administratorNamed(this.administrators.state, name);
    const right = await isSecret(password, administrator?.passwordHash ?? (await nobodysHash));
    if (!administrator || !right) {
      throw new Refusal<SessionRefusal>('session.refused', 'Name or password is wrong.', { status: 401 });
    }
    this.byNameAndAddress.forgive(key);
    this.byAddress.forgive(address);
    return administrator;
  }

  private isOver(session: Session): boolean {
    const now = this.clock.monotonic();
    return now >= session.endsAt || now >= session.idleAt || !this.administrators.state[session.administrator];
  }
}

const keyOf = (token: string): string => createHash('sha256').update(token).digest('hex');
