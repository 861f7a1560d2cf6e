/**
 * One mistake at least for each rule by which histories become one (docs/adr/0003).
 * @type {import('../planted.mjs').Planted[]}
 */
export const PLANTED = [
  {
    name: 'unlock-saw-two-at-most',
    breaks: 'rule 1: loosening lifts what it has seen',
    file: 'apps/conference-brain/src/chronicle.ts',
    from: '      const next = timeline.next(stream, { ...draft, at: this.lastAt });\n',
    to: "      const drafted = timeline.next(stream, { ...draft, at: this.lastAt });\n      const next = draft.type === 'ConferenceUnlocked' ? { ...drafted, after: drafted.after.slice(0, 2) } : drafted;\n",
  },
  {
    name: 'held-people-see',
    breaks: 'rule 2: no stranger by rejoin',
    file: 'apps/conference-brain/src/meeting.ts',
    from: '      view: this.view,\n      mediaId',
    to: '      view: { ...this.view, seats: this.view.seats.map((seat) => ({ ...seat, held: false })) },\n      mediaId',
  },
  {
    name: 'refuse-the-future-by-a-third-site',
    breaks: 'rule 3: a fact is never refused for its time',
    file: 'apps/conference-brain/src/relaying.ts',
    from: 'facts.filter(isFact).filter(',
    to: 'facts.filter(isFact).filter(({ at }) => at < 2_000_000_000_000).filter(',
  },
  {
    name: 'desires-numbered-anew',
    breaks: 'rule 4: what is wanted has a later number than what was',
    file: 'apps/conference-brain/src/meeting.ts',
    from: '    if (occasion === undefined && this.chronicle.forgetEmpty()) this.view = undefined;',
    to: '    if (occasion === undefined && this.chronicle.forgetEmpty()) [this.view, this.desired] = [undefined, 0];',
  },
  {
    name: 'swallow-any-count',
    breaks: 'rule 5: poison is inert',
    file: 'libs/conference/src/upcast.ts',
    from: '  LegReturned: (body) => leg(body) && isCount(body.connect),',
    to: '  LegReturned: leg,',
  },
  {
    // Where something is decided in a conference that was let go of in that very moment, all of it is over, and half of it refuses
    // the same. Where facts of others come for it, it goes on.
    name: 'half-of-one-read-again',
    breaks: 'rule 6: conferences that are one are one for good, also when they are read again',
    file: 'apps/conference-brain/src/chronicle.ts',
    from: '      for (const ids of joined) if (ids.some((id) => needed.has(id))) for (const id of ids) needed.add(id);\n',
    to: '',
  },
  {
    name: 'nobody-goes-while-somebody-comes',
    breaks: 'rule 7: in reach is who can be reached',
    file: 'apps/conference-brain/src/reach.ts',
    from: 'if (!component.has(each)) this.inReach.delete(each);',
    to: 'if (!component.has(each) && this.awaited.size === 0) this.inReach.delete(each);',
  },
  {
    name: 'seats-of-everybody-known',
    breaks: 'rule 8: seats are counted in reach',
    file: 'libs/conference/src/decide.ts',
    from: '.filter((other) => other.ended === null && isSeated(other) && seen.reach.has(other.leg.site));\n      if (seated.length',
    to: '.filter((other) => other.ended === null && isSeated(other));\n      if (seated.length',
  },
  {
    name: 'end-for-all-who-are-held',
    breaks: 'rule 9: "end for all" names its reach',
    file: 'apps/conference-brain/src/meeting.ts',
    from: '{ reach: this.reach(), room: this.rules() });',
    to: "{ reach: command.type === 'end-for-all' ? new Set([...this.reach(), ...(this.view?.seats ?? []).filter(({ held }) => held).map(({ site }) => site)]) : this.reach(), room: this.rules() });",
  },
  {
    name: 'replaced-comes-back',
    breaks: 'rule 10: of two legs of one person the other is closed',
    file: 'apps/conference-brain/src/chronicle.ts',
    from: '    for (const { id, bodies } of closings) await this.record(id, bodies);\n    return closings.length > 0;',
    to: '    for (const { id, bodies } of closings) if (bodies.length < 2) await this.record(id, bodies);\n    return closings.length > 0;',
  },
  {
    name: 'stage-of-the-last-six',
    breaks: 'rule 11: the stage follows who talks',
    file: 'apps/conference-brain/src/meeting-output.ts',
    from: '  JSON.stringify({ ...a, version: 0 }) === JSON.stringify({ ...b, version: 0 });',
    to: '  JSON.stringify({ ...a, floor: a.byRecency[5] ? null : a.floor, byRecency: a.byRecency.slice(0, 6).sort(), version: 0 }) ===\n  JSON.stringify({ ...b, floor: b.byRecency[5] ? null : b.floor, byRecency: b.byRecency.slice(0, 6).sort(), version: 0 });',
  },
  {
    name: 'host-who-was-removed-stays-guest',
    breaks: 'rule 12: no room without a way out',
    file: 'libs/conference/src/decide.ts',
    from: "  const byHost = author.role === 'host' && isIn(author);",
    to: "  const byHost = author.role === 'host' && isIn(author) && conference.removals.get(author.leg.person) === undefined;",
  },
  {
    name: 'read-again-without-the-beginning',
    breaks: 'rule 13: what was let go of and what came since are the whole',
    file: 'apps/conference-brain/src/chronicle.ts',
    from: 'read.set(id, { time, facts: await readConference(this.writer.store, id) });',
    to: 'read.set(id, { time, facts: (await readConference(this.writer.store, id)).filter(({ seq }) => seq > 0) });',
  },
  {
    name: 'snapshot-over-a-late-fact',
    breaks: 'rule 13: a snapshot is dropped when a fact sorts below it',
    file: 'apps/conference-brain/src/footing.ts',
    from: '  timeline.add(since);\n',
    to: '  timeline.add(since.filter(({ at, stream }) => at >= snapshot.last.ms || snapshot.tips.every((tip) => tip.stream !== stream)));\n',
  },
  {
    name: 'door-that-could-ask-everybody',
    breaks: 'rule 14: nobody is let in by a heal alone',
    file: 'libs/conference/src/decide.ts',
    from: 'body: { ...coming, reason, reach: [...seen.reach].sort() } },',
    to: 'body: { ...coming, reason, reach: [...new Set([...seen.reach, ...others.map((other) => other.leg.site)])].sort() } },',
  },
  {
    name: 'told-the-wrong-reason-at-the-door',
    breaks: 'rule 15: who is ended is told why',
    file: 'apps/conference-brain/src/meeting.ts',
    from: '      this.waiting.delete(leg);\n      this.seats.release(leg);\n      const reason = this.chronicle.endOf(leg, occasion);',
    to: "      const waited = this.waiting.delete(leg);\n      this.seats.release(leg);\n      const reason = waited ? 'left' : this.chronicle.endOf(leg, occasion);",
  },
  {
    name: 'disabled-room-keeps-who-waits',
    breaks: 'rule 16: a disabled room is empty',
    file: 'apps/conference-brain/src/meeting.ts',
    from: "      for (const leg of this.there()) await this.decide({ type: 'Leave', leg, reason: 'room-disabled' }, this.chronicle.whereIs(leg));",
    to: "      for (const leg of this.seats.inRoom(this.room).keys())\n        await this.decide({ type: 'Leave', leg, reason: 'room-disabled' }, this.chronicle.whereIs(leg));",
  },
];
