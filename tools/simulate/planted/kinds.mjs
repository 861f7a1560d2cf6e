/**
 * Kinds of mistakes that are made in every system of this kind (the first of them in every textbook).
 * @type {import('../planted.mjs').Planted[]}
 */
export const PLANTED = [
  {
    name: 'acknowledge-before-durable',
    breaks: 'an acknowledgement before the disk has it',
    file: 'apps/conference-brain/src/chronicle.ts',
    from: '() => this.writer.store.append(stream, first.seq - 1, facts)).catch(',
    to: "() => {\n      const kept = this.writer.store.append(stream, first.seq - 1, facts);\n      return first.type === 'PersonRemoved' ? Promise.resolve() : kept;\n    }).catch(",
  },
  {
    name: 'bookmark-before-facts',
    breaks: 'the position is kept before the facts are',
    file: 'apps/conference-brain/src/links.ts',
    from: '    await this.take(facts, (fresh) => this.unvouched.sift(fresh));\n    await this.parts.store.setBookmark(bookmarkOf(peer), position);\n',
    to: '    await this.parts.store.setBookmark(bookmarkOf(peer), position);\n    await this.take(facts, (fresh) => this.unvouched.sift(fresh));\n',
  },
  {
    name: 'skip-one-fact',
    breaks: 'one fact of a big batch is skipped',
    file: 'apps/conference-brain/src/links.ts',
    from: '    const fresh = await this.parts.store.adopt(facts);\n',
    to: '    const fresh = await this.parts.store.adopt(facts.length > 12 ? facts.slice(1) : facts);\n',
  },
  {
    name: 'fold-only-what-is-new',
    breaks: 'facts are kept and not folded',
    file: 'apps/conference-brain/src/chronicle.ts',
    from: '    return [...needed].filter((id) => this.letGo.has(id));\n',
    to: '    return [...needed].filter((id) => this.letGo.has(id) && facts.every((fact) => isOpening(fact) || fact.seq > 0));\n',
  },
  {
    name: 'seats-by-arrival',
    breaks: 'an order that depends on who arrived first',
    file: 'apps/conference-brain/src/meeting.ts',
    from: '    const view = { ...seen, ...besides(occasion, this.chronicle) };\n',
    to: '    const places = new Map((before?.seats ?? []).map(({ leg }, place) => [leg, place]));\n    const placeOf = ({ leg }) => places.get(leg) ?? places.size;\n    const seats = [...seen.seats].sort((a, b) => placeOf(a) - placeOf(b));\n    const view = { ...seen, seats, ...besides(occasion, this.chronicle) };\n',
  },
  {
    name: 'leaving-out-of-turn',
    breaks: 'two decisions against one state',
    file: 'apps/conference-brain/src/meeting.ts',
    from: "    return this.inTurn(() => this.decide({ type: 'Leave', leg }, this.chronicle.whereIs(leg)));",
    to: "    return this.decide({ type: 'Leave', leg }, this.chronicle.whereIs(leg));",
  },
  {
    name: 'let-go-while-writing',
    breaks: 'what is under way is forgotten',
    file: 'apps/conference-brain/src/chronicle.ts',
    from: 'if (goesOn || ids.some((id) => this.writing.has(id))) continue;',
    to: 'if (goesOn) continue;',
  },
  {
    name: 'view-by-half',
    breaks: 'a change that is not told because it looks like none',
    file: 'apps/conference-brain/src/meeting-output.ts',
    from: '  JSON.stringify({ ...a, version: 0 }) === JSON.stringify({ ...b, version: 0 });',
    to: '  JSON.stringify({ ...a, seats: a.seats.map(({ leg }) => leg), version: 0 }) === JSON.stringify({ ...b, seats: b.seats.map(({ leg }) => leg), version: 0 });',
  },
  {
    name: 'give-up-at-first-fault',
    breaks: 'a failure that nobody hears, and no second try',
    file: 'apps/conference-brain/src/estate-copy.ts',
    from: '        if (this.stopped.signal.aborted || !(error instanceof Fault)) throw error;',
    to: '        if (this.stopped.signal.aborted || error instanceof Fault) throw error;',
  },
  {
    name: 'own-facts-of-this-tenure-only',
    breaks: 'what was not yet sent when the process died is never sent',
    file: 'apps/conference-brain/src/links.ts',
    from: '    return ownFacts(this.parts.store, this.parts.site, after, signal);',
    to: '    const epoch = this.mine.version.epoch;\n    return (async function* (source) {\n      for await (const stored of source) if (epoch === 0 || stored.fact.stream.endsWith(`.${epoch}`)) yield stored;\n    })(ownFacts(this.parts.store, this.parts.site, after, signal));',
  },
  {
    // To end people in the meeting's eyes before it is recorded that two conferences are one is harmless but for some milliseconds: a
    // site is in reach only when all that it had written by then is here, so it is no half of a history. To record it is not.
    name: 'half-a-history-closes-legs',
    breaks: 'something is concluded from what may be half of it',
    file: 'apps/conference-brain/src/chronicle.ts',
    from: '    const closings = this.groups.flatMap(({ ids, timeline }) => {',
    to: '    const closings = (this.facts.size > 0 ? [this.fold([...this.facts.keys()])] : []).flatMap(({ ids, timeline }) => {',
  },
  {
    name: 'pass-on-only-news',
    breaks: 'what was known before the link broke is told to nobody',
    file: 'apps/conference-brain/src/relaying.ts',
    from: 'if (author !== site && !this.parts.hears(site, author)) this.passOn(site, author);',
    to: 'if (author === site) this.passOn(site, author);',
  },
  {
    name: 'came-another-way-meanwhile',
    breaks: 'what comes twice is not known again',
    file: 'apps/conference-brain/src/relaying.ts',
    from: 'fact.stream === stream && fact.seq >= next && fact.seq <= head.seq);',
    to: 'fact.stream === stream && fact.seq <= head.seq);',
  },
  {
    name: 'newest-by-the-clock',
    breaks: 'the last word is told by a clock',
    file: 'apps/conference-brain/src/reach.ts',
    from: 'revision: this.own.version.revision + 1 }, hears });',
    to: 'revision: Math.floor(this.parts.clock.now()) * 16 + ((this.own.version.revision + 1) % 16) }, hears });',
  },
];
