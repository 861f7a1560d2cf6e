import { randomBytes } from 'node:crypto';
import { verify } from '@node-rs/argon2';
import { Fault } from '@isthmus/kernel';

/** One check costs tens of milliseconds of a core and some 19 MiB; two at a time leave the rest of the process its threads. */
const AT_ONCE = 2;
const WAITING_MAX = 100;
/** OWASP's argon2id figures; only until a room with a PIN shows which ones this estate uses. */
const USUAL = '$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA';

/**
 * Whether a PIN fits each of a room's hashes. It takes as long for a hash that is not there (null) and for a room that does not
 * exist as for a wrong PIN: then it is checked against a hash that nothing fits. PINs stay here: no log, no bus, no fact.
 */
export class PinCheck {
  private running = 0;
  private readonly waiting: (() => void)[] = [];

  /**
   * `like`: a hash whose costs a missing one imitates.
   * @throws Fault `site.busy` when too many already wait for a check.
   */
  async fits(hashes: readonly (string | null)[], pin: string, like: string = USUAL): Promise<readonly boolean[]> {
    await this.turn();
    try {
      return await Promise.all(hashes.map((hash) => fits(hash, pin, like)));
    } finally {
      this.running--;
      this.waiting.shift()?.();
    }
  }

  private async turn(): Promise<void> {
    if (this.waiting.length >= WAITING_MAX) throw new Fault('site.busy', 'Too many people are at the door at once. Try again in a moment.');
    if (this.running >= AT_ONCE) await new Promise<void>((resolve) => this.waiting.push(resolve));
    this.running++;
  }
}

const fits = async (hash: string | null, pin: string, like: string): Promise<boolean> => {
  const right = await verify(hash ?? nothingLike(like), pin).catch(() => false);
  return hash !== null && right;
};

/** A hash of the same costs that no PIN fits but by a chance of 2^-256 (PHC string format: `$id$v$params$salt$hash`). */
const nothingLike = (hash: string): string => {
  const [, id = '', version = '', costs = '', salt = '', digest = ''] = hash.split('$');
  const random = ({ length }: string): string =>
    randomBytes(Math.floor((length * 3) / 4))
      .toString('base64')
      .replaceAll('=', '');
  return `$${id}$${version}$${costs}$${random(salt)}$${random(digest)}`;
};
