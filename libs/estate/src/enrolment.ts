import { Refusal, type SiteId } from '@isthmus/kernel';

/** A promise to take a machine in as one site, or as a node of it, kept once and not for long. Only the token's SHA-256 is ever stored. */
export interface Enrolment {
  readonly tokenHash: string;
  readonly site: SiteId;
  /** Left out: the site itself. */
  readonly node?: string;
  /** ms since 1970. */
  readonly expiresAt: number;
  readonly used: boolean;
}

export type Enrolments = Readonly<Record<string, Enrolment>>;

export type EnrolmentFact =
  | {
      readonly type: 'EnrolmentOffered';
      readonly tokenHash: string;
      readonly site: SiteId;
      readonly node?: string;
      readonly expiresAt: number;
    }
  | { readonly type: 'EnrolmentUsed'; readonly tokenHash: string };

export type EnrolmentCommand =
  | { readonly type: 'Offer'; readonly tokenHash: string; readonly site: SiteId; readonly node?: string; readonly expiresAt: number }
  | { readonly type: 'Use'; readonly tokenHash: string; readonly site: SiteId; readonly node?: string; readonly at: number };

export type EnrolmentRefusal = 'enrolment.refused';

export const decideEnrolments = (command: EnrolmentCommand, enrolments: Enrolments): readonly EnrolmentFact[] => {
  switch (command.type) {
    case 'Offer': {
      const { type: _, ...offer } = command;
      return [{ type: 'EnrolmentOffered', ...offer }];
    }
    case 'Use': {
      const offer = Object.hasOwn(enrolments, command.tokenHash) ? enrolments[command.tokenHash] : undefined;
      // One answer for all, so that nobody learns which tokens once were good.
      if (!offer || offer.used || offer.site !== command.site || offer.node !== command.node || command.at >= offer.expiresAt) {
        const message =
          'This enrolment token is not good: it is unknown, used, expired, or for another machine. Ask for a new one at the management node.';
        throw new Refusal<EnrolmentRefusal>('enrolment.refused', message, { status: 403 });
      }
      return [{ type: 'EnrolmentUsed', tokenHash: command.tokenHash }];
    }
  }
};

export const evolveEnrolments = (enrolments: Enrolments, { type, body }: { readonly type: string; readonly body: unknown }): Enrolments => {
  const fact = { ...(body as object), type } as EnrolmentFact;
  switch (fact.type) {
    case 'EnrolmentOffered': {
      const { tokenHash, site, node, expiresAt } = fact;
      return { ...enrolments, [tokenHash]: { tokenHash, site, ...(node === undefined ? {} : { node }), expiresAt, used: false } };
    }
    case 'EnrolmentUsed': {
      const offer = enrolments[fact.tokenHash];
      return offer ? { ...enrolments, [fact.tokenHash]: { ...offer, used: true } } : enrolments;
    }
    default:
      return enrolments;
  }
};
