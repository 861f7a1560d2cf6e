import type { Administrators, AdministratorCommand, Estate, EstateCommand } from '@isthmus/estate';
import type { Keeper } from './keeper.js';

/** What Nest injects by name, because classes with type parameters have none of their own. */
export const ESTATE = 'isthmus:estate';
export const ADMINISTRATORS = 'isthmus:administrators';
/** Whether cookies travel by HTTPS only. */
export const SECURE = 'isthmus:secure';

export type EstateKeeper = Keeper<Estate, EstateCommand>;
export type AdministratorsKeeper = Keeper<Administrators, AdministratorCommand>;
