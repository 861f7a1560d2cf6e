import { X509Certificate, createPublicKey, verify } from 'node:crypto';
import { Refusal } from '@isthmus/kernel';
import { joinTicket, type JoinTicket } from '@isthmus/protocol';

export interface ReadTicket {
  readonly ticket: JoinTicket;
  /** Whether the authority whose certificate this is (PEM) has signed the ticket. */
  readonly isSignedBy: (authority: string) => boolean;
}

/** Longer than any; what is longer is something else that was pasted. */
const CHARACTERS_MAX = 4_096;

/** Takes apart what management printed. Who signed it can be told only once management has been asked. @throws Refusal `ticket.malformed` */
export const readTicket = (text: string): ReadTicket => {
  const [payload = '', signature = '', ...more] = text.trim().split('.');
  const parsed = signature !== '' && more.length === 0 && text.length <= CHARACTERS_MAX ? joinTicket.safeParse(jsonOf(payload)) : undefined;
  if (parsed?.success !== true) {
    throw new Refusal('ticket.malformed', 'This is no token to join with, or not the whole of it. Copy the command once more, in full.');
  }
  return {
    ticket: parsed.data,
    isSignedBy: (authority) => {
      const key = createPublicKey(new X509Certificate(authority).publicKey.export({ type: 'spki', format: 'pem' }));
      return verify('sha256', Buffer.from(payload), key, Buffer.from(signature, 'base64url'));
    },
  };
};

const jsonOf = (payload: string): unknown => {
  try {
    return JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
};
