import { describe, expect, it } from 'vitest';
import type { SiteId } from '@isthmus/kernel';
import { checkPassword, decideAdministrators, decideEnrolments, evolveAdministrators, evolveEnrolments } from './index.js';
import type { Administrator, AdministratorFact, EnrolmentFact } from './index.js';

const ada: Administrator = { id: 'a1', name: 'Ada', passwordHash: 'hash', mustChangePassword: false };
const administrators = (...facts: AdministratorFact[]) =>
  facts.map((fact) => ({ type: fact.type, body: fact })).reduce(evolveAdministrators, {});

describe('administrators', () => {
  it('have names that differ in more than capitals', () => {
    const state = administrators({ type: 'AdministratorCreated', administrator: ada });
    const again = { type: 'CreateAdministrator', administrator: { ...ada, id: 'a2', name: 'ADA' } } as const;
    expect(() => decideAdministrators(again, state)).toThrow(/administrator already/);
  });

  it('never delete the last one', () => {
    const one = administrators({ type: 'AdministratorCreated', administrator: ada });
    expect(() => decideAdministrators({ type: 'DeleteAdministrator', id: 'a1' }, one)).toThrow(/last administrator stays/);
    const two = administrators(
      { type: 'AdministratorCreated', administrator: ada },
      { type: 'AdministratorCreated', administrator: { ...ada, id: 'b', name: 'Bo' } },
    );
    expect(decideAdministrators({ type: 'DeleteAdministrator', id: 'a1' }, two)).toEqual([{ type: 'AdministratorDeleted', id: 'a1' }]);
  });

  it('who set their own password need not change it again', () => {
    const state = administrators(
      { type: 'AdministratorCreated', administrator: { ...ada, mustChangePassword: true } },
      { type: 'AdministratorPasswordChanged', id: 'a1', passwordHash: 'new', mustChangePassword: false },
    );
    expect(state['a1']).toEqual({ ...ada, passwordHash: 'new', mustChangePassword: false });
  });

  it('choose passwords that are long and not about themselves', () => {
    checkPassword('correct horse battery', 'Ada');
    checkPassword('correct horse battery', 'C');
    for (const weak of ['short', 'a'.repeat(20), 'ada-lovelace-1815', 'x'.repeat(129)]) expect(() => checkPassword(weak, 'Ada')).toThrow();
  });
});

describe('an enrolment token', () => {
  const offered: EnrolmentFact = { type: 'EnrolmentOffered', tokenHash: 'h', site: 'lon' as SiteId, expiresAt: 1000 };
  const after = (...facts: EnrolmentFact[]) => facts.map((fact) => ({ type: fact.type, body: fact })).reduce(evolveEnrolments, {});
  const use = { type: 'Use', tokenHash: 'h', site: 'lon' as SiteId, at: 999 } as const;

  it('opens the door once', () => {
    expect(decideEnrolments(use, after(offered))).toEqual([{ type: 'EnrolmentUsed', tokenHash: 'h' }]);
    expect(() => decideEnrolments(use, after(offered, { type: 'EnrolmentUsed', tokenHash: 'h' }))).toThrow(/not good/);
  });

  it('is refused in the same words when unknown, used, expired or for another machine', () => {
    const wrongs = [
      () => decideEnrolments({ ...use, tokenHash: '__proto__' }, after(offered)),
      () => decideEnrolments({ ...use, at: 1000 }, after(offered)),
      () => decideEnrolments({ ...use, site: 'nyc' as SiteId }, after(offered)),
      () => decideEnrolments(use, after(offered, { type: 'EnrolmentUsed', tokenHash: 'h' })),
    ];
    const words = wrongs.map((wrong) => {
      try {
        wrong();
        return 'let in';
      } catch (error) {
        return String(error);
      }
    });
    expect(new Set(words).size).toBe(1);
    expect(words[0]).toMatch(/unknown, used, expired, or for another machine/);
  });
});
