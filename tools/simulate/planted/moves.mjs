/**
 * A mistake about people who move from a site that is to end (docs/adr/0090).
 * @type {import('../planted.mjs').Planted[]}
 */
export const PLANTED = [
  {
    name: 'left-before-media-come',
    breaks: 'ADR 0090: whoever moves has two seats until their own site says that one is left',
    file: 'apps/conference-brain/src/meeting.ts',
    from: '    const gone = [...this.there()].filter((leg) => !there.has(leg) && this.chronicle.isEnded(leg));\n',
    to: '    const isLeft = (leg: LegId) => view.seats.some(({ from }) => from === leg);\n    const gone = [...this.there()].filter((leg) => isLeft(leg) || (!there.has(leg) && this.chronicle.isEnded(leg)));\n',
  },
];
