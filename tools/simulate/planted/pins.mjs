/**
 * A mistake about PINs that are changed while a meeting is on (docs/adr/0030).
 * @type {import('../planted.mjs').Planted[]}
 */
export const PLANTED = [
  {
    // Nobody comes to a locked meeting by a PIN, it seems; but a host does, and at a site that has not heard of the lock anybody.
    name: 'no-new-pin-to-the-locked',
    breaks: 'ADR 0030: a meeting knows of every change of its PINs',
    file: 'apps/conference-brain/src/meeting.ts',
    from: '    if (news.length > 0) await',
    to: '    if (news.length > 0 && this.view?.locked !== true) await',
    pins: true,
  },
];
