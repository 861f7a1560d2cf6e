import { Refusal } from '@isthmus/kernel';
import { isReadable } from './room-rules.js';

/** Somebody who may administer. They are management's own business: their facts are never sent to a site. */
export interface Administrator {
  readonly id: string;
  /** What they sign in with; unique, however it is capitalised. */
  readonly name: string;
  /** argon2id. */
  readonly passwordHash: string;
  /** The password was given to them by somebody else: it opens nothing but its own replacement. */
  readonly mustChangePassword: boolean;
}

export type Administrators = Readonly<Record<string, Administrator>>;

export type AdministratorFact =
  | { readonly type: 'AdministratorCreated'; readonly administrator: Administrator }
  | {
      readonly type: 'AdministratorPasswordChanged';
      readonly id: string;
      readonly passwordHash: string;
      readonly mustChangePassword: boolean;
    }
  | { readonly type: 'AdministratorDeleted'; readonly id: string };

export type AdministratorCommand =
  | { readonly type: 'CreateAdministrator'; readonly administrator: Administrator }
  | { readonly type: 'ChangePassword'; readonly id: string; readonly passwordHash: string; readonly mustChangePassword: boolean }
  | { readonly type: 'DeleteAdministrator'; readonly id: string };

export type AdministratorRefusal =
  | 'administrator.unknown'
  | 'administrator.name-taken'
  | 'administrator.name-invalid'
  | 'administrator.last'
  | 'administrator.password-weak';

/** Shortest password; long ones are welcome up to 128 (OWASP ASVS 5.0 §6.2.1, §6.2.9). */
export const PASSWORD_MIN = 12;
export const PASSWORD_MAX = 128;

/** What must hold of a password, checked where it is typed; only its hash becomes a fact. */
export const checkPassword = (password: string, name: string): void => {
  const message =
    password.length < PASSWORD_MIN || password.length > PASSWORD_MAX
      ? `A password has ${PASSWORD_MIN} to ${PASSWORD_MAX} characters; several words make a good one.`
      : new Set(password).size < 5 || (name.length >= 3 && password.toLowerCase().includes(name.toLowerCase()))
        ? 'That password is easily guessed: it repeats itself or contains the name.'
        : undefined;
  if (message)
    throw new Refusal<AdministratorRefusal>('administrator.password-weak', message, {
      status: 422,
      errors: [{ path: 'password', message }],
    });
};

export const administratorNamed = (administrators: Administrators, name: string): Administrator | undefined =>
  Object.values(administrators).find((one) => one.name.toLowerCase() === name.trim().toLowerCase());

export const decideAdministrators = (command: AdministratorCommand, administrators: Administrators): readonly AdministratorFact[] => {
  switch (command.type) {
    case 'CreateAdministrator': {
      const { administrator } = command;
      if (!isReadable(administrator.name, 100)) {
        throw new Refusal<AdministratorRefusal>('administrator.name-invalid', 'A name has 1 to 100 readable characters.');
      }
      if (administratorNamed(administrators, administrator.name)) {
        throw new Refusal<AdministratorRefusal>('administrator.name-taken', `“${administrator.name}” is an administrator already.`);
      }
      return [{ type: 'AdministratorCreated', administrator }];
    }
    case 'ChangePassword': {
      const { id } = known(administrators, command.id);
      return [
        { type: 'AdministratorPasswordChanged', id, passwordHash: command.passwordHash, mustChangePassword: command.mustChangePassword },
      ];
    }
    case 'DeleteAdministrator': {
      const { id } = known(administrators, command.id);
      if (Object.keys(administrators).length === 1) {
        throw new Refusal<AdministratorRefusal>(
          'administrator.last',
          'The last administrator stays: without one nobody could sign in again.',
        );
      }
      return [{ type: 'AdministratorDeleted', id }];
    }
  }
};

export const evolveAdministrators = (
  administrators: Administrators,
  { type, body }: { readonly type: string; readonly body: unknown },
): Administrators => {
  const fact = { ...(body as object), type } as AdministratorFact;
  switch (fact.type) {
    case 'AdministratorCreated':
      return { ...administrators, [fact.administrator.id]: fact.administrator };
    case 'AdministratorPasswordChanged': {
      const before = administrators[fact.id];
      if (!before) return administrators;
      return { ...administrators, [fact.id]: { ...before, passwordHash: fact.passwordHash, mustChangePassword: fact.mustChangePassword } };
    }
    case 'AdministratorDeleted':
      return Object.fromEntries(Object.entries(administrators).filter(([id]) => id !== fact.id));
    default:
      return administrators;
  }
};

const known = (administrators: Administrators, id: string): Administrator => {
  const found = Object.hasOwn(administrators, id) ? administrators[id] : undefined;
  if (!found) throw new Refusal<AdministratorRefusal>('administrator.unknown', 'There is no such administrator.');
  return found;
};
