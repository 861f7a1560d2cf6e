import { randomBytes, randomInt } from 'node:crypto';
import { hash, verify } from '@node-rs/argon2';
import { Fault } from '@isthmus/kernel';

/** OWASP's first recommendation for argon2id: 19 MiB, two passes, one lane. Written into each hash, so it can grow later. */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
/** Hashing at once, and waiting; more is an attack, and the event loop's threads are needed for other things. */
const AT_ONCE = 2;
const WAITING_MAX = 64;

let running = 0;
const waiting: (() => void)[] = [];

/** Hashes a PIN or a password for keeping, argon2id with a salt of its own. */
export const hashSecret = (secret: string): Promise<string> => inTurn(() => hash(secret, COST));

/** Whether it is the secret behind the hash. Takes as long for a wrong one. */
export const isSecret = (secret: string, kept: string): Promise<boolean> => inTurn(() => verify(kept, secret));

/** What a wrong name is checked against, so that it takes as long as a wrong password. */
export const nobodysHash: Promise<string> = hash(randomBytes(32), COST);

export const newPin = (digits: number): string => Array.from({ length: digits }, () => randomInt(10)).join('');

/** Something to type once: 20 characters that no font confuses, 100 bits. */
export const newPassword = (): string => {
  const letters = 'abcdefghjkmnpqrstuvwxyz23456789';
  return Array.from({ length: 4 }, () => Array.from({ length: 5 }, () => letters[randomInt(letters.length)]).join('')).join('-');
};

export const newToken = (): string => randomBytes(32).toString('base64url');

const inTurn = async <T>(work: () => Promise<T>): Promise<T> => {
  if (running >= AT_ONCE) {
    if (waiting.length >= WAITING_MAX)
      throw new Fault('session.busy', 'Too many people sign in at this moment. Try again in a few seconds.');
    await new Promise<void>((resolve) => waiting.push(resolve));
  } else running += 1;
  try {
    return await work();
  } finally {
    const next = waiting.shift();
    if (next) next();
    else running -= 1;
  }
};
