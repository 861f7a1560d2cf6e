import { hash } from 'node:crypto';
import {
  canonicalState,
  closingsAt,
  conference,
  groupsOf,
  joiningsOf,
  legOf,
  liveLegsOf,
  occasionsOf,
  openings,
  returnsAt,
  type Conference,
  type ConferenceBody,
  type ConferenceId,
  type EndedReason,
  type LegId,
  type Liveness,
  type Occasion,
} from '@isthmus/conference';
import {
  createTimeline,
  Fault,
  Refusal,
  seal,
  streamNameOf,
  type Fact,
  type SiteId,
  type StreamName,
  type Timeline,
} from '@isthmus/kernel';
import { inStep } from '@isthmus/service-kit/observing';
import { addBounded, conferenceIdOf, conferenceOf, isOpening, joinedIn, readConference } from './conference-facts.js';
import { occasionDigest, type RoomDigest } from './diagnostics.js';
import { livenessOf, readBehind, type Footing, type Group, type History } from './footing.js';
import type { Writer } from './writer.js';

type Draft = Pick<Fact, 'type' | 'v' | 'by' | 'body'>;

/**
 * What is known of one room's occasions: their facts in the one order, and what they come to. Conferences of the room that
 * are alive in one component fold as one (merge rule 6), so two people who open it at two sites in the same moment meet.
 */
export class Chronicle {
  private readonly openings = createTimeline(openings);
  /** Facts of conferences that may have people in them. The others' facts stay in the store. */
  private readonly facts = new Map<ConferenceId, Map<string, Fact>>();
  private groups: readonly Group[] = [];
  /** What was last folded together without being one for good; undefined as soon as more is known. */
  private forNow: Group | undefined;
  /** Conferences whose facts were here and were let go of, each time under another number. */
  private readonly letGo = new Map<ConferenceId, number>();
  private timesLetGo = 0;
  /** Conferences in which this site is recording something now: whoever comes in is in before the last one has gone. */
  private readonly writing = new Map<ConferenceId, number>();
  /** What goes on from a snapshot, without the facts that it was made of. As long as there is such a thing, nothing else of the room is here. */
  private footing: Footing | undefined;
  private reading: Promise<void> | undefined;
  private awaited: Promise<void> | undefined;
  private readonly forksKnown = new Set<StreamName>();
  private lastAt = 0;

  constructor(
    readonly room: string,
    readonly writer: Writer,
  ) {}

  /** The occasion that this site's people are in or would come into; undefined while nobody is there. */
  occasion(reach: ReadonlySet<SiteId>): Occasion | undefined {
    const live = this.liveness();
    const occasions = occasionsOf(this.openings.state, { reach, live });
    const ours = ({ conferences }: Occasion) => conferences.some((id) => live.get(id)?.sites.has(this.writer.site));
    return occasions.find(ours) ?? occasions[0];
  }

  /** What has come of an occasion; an empty conference if there is none. */
  state(occasion: Occasion | undefined): Conference {
    return occasion === undefined ? conference.initial : this.fold(occasion.conferences).timeline.state;
  }

  stateOf(id: ConferenceId): Conference {
    return this.fold([id]).timeline.state;
  }

  /** All that is kept of conferences that may have people in them. */
  histories(): readonly History[] {
    const whole = this.footing === undefined;
    return this.groups.map(({ ids, timeline }) => ({ conferences: ids, facts: timeline.facts(), state: timeline.state, whole }));
  }

  /** The conference in which this leg came: also while it only seems to be one with others, its own word belongs there. */
  whereIs(leg: LegId): ConferenceId | undefined {
    return this.groups.find(({ timeline }) => legOf(timeline.state, leg) !== undefined)?.ids[0];
  }

  /**
   * Whether what is one for good says for good that a leg is no more, or nothing says anything of it. Who was replaced would be there
   * again if whoever replaced them went, as long as it is not recorded (`closeReplaced`).
   */
  isEnded(leg: LegId): boolean {
    const state = this.groups.map(({ timeline }) => timeline.state).find((one) => legOf(one, leg) !== undefined);
    const ended = state === undefined ? 'left' : legOf(state, leg)!.ended;
    return ended === 'replaced' ? state!.gone.get(leg) !== undefined : ended !== null;
  }

  /** Why a leg is no more: in the occasion that it was in, else in any. */
  endOf(leg: LegId, occasion: Occasion | undefined): EndedReason {
    const states = [this.state(occasion), ...this.groups.map(({ timeline }) => timeline.state)];
    return states.map((state) => legOf(state, leg)?.ended ?? null).find((reason) => reason !== null) ?? 'left';
  }

  /**
   * Conferences that were let go of and are needed if these facts are added, because the facts belong to them or because they
   * were joined with one that is here: they must be read from the store first.
   */
  private forgotten(facts: readonly Fact[]): readonly ConferenceId[] {
    if (this.letGo.size === 0) return [];
    const needed = new Set([...this.facts.keys(), ...facts.filter((fact) => !isOpening(fact)).map(conferenceOf)]);
    const joined = [...groupsOf(this.openings.state), ...facts.filter(isOpening).flatMap(joinedIn)];
    for (let before = -1; before !== needed.size;) {
      before = needed.size;
      for (const ids of joined) if (ids.some((id) => needed.has(id))) for (const id of ids) needed.add(id);
    }
    return [...needed].filter((id) => this.letGo.has(id));
  }

  /** Conferences that may have people in them, as far as is known: whose facts are here, or were never read. */
  loaded(): readonly ConferenceId[] {
    const opened = this.openings.state.opened.map(({ conference: id }) => id);
    return [...new Set([...this.facts.keys(), ...opened])].filter((id) => !this.letGo.has(id));
  }

  /** Whether anybody may be in this room, at any site. */
  get isEmpty(): boolean {
    return this.facts.size === 0;
  }

  /** Goes on from a snapshot. Nothing else of the room may be here. */
  standOn(footing: Footing): void {
    const facts = Map.groupBy(footing.timeline.facts(), conferenceOf);
    for (const id of footing.ids) this.facts.set(id, new Map((facts.get(id) ?? []).map((fact) => [fact.hash, fact])));
    this.footing = footing;
    this.groups = [footing];
  }

  /** Reads what a snapshot was made of. From then on the facts count, and it does not (merge rule 13). */
  whole(): Promise<void> {
    if (this.footing === undefined) return Promise.resolve();
    return (this.reading ??= this.readAll(this.footing).finally(() => (this.reading = undefined)));
  }

  /** Whether facts wait for that to be added: when it resolves, they are. */
  get waitsFor(): Promise<void> | undefined {
    return this.footing && this.awaited;
  }

  private async readAll(footing: Footing): Promise<void> {
    const beneath = await readBehind(this.writer.store, footing);
    if (this.footing !== footing) return;
    for (const fact of beneath) this.facts.get(conferenceOf(fact))!.set(fact.hash, fact);
    this.footing = undefined;
    const group = this.group(footing.ids);
    this.groups = [group];
    if (canonicalState(group.timeline.state) !== canonicalState(footing.timeline.state)) this.writer.contradicted?.(this.room);
  }

  /** What is the only thing here, with all its facts: of this, a snapshot may be made. */
  only(): Group | undefined {
    return this.footing === undefined && this.groups.length === 1 ? this.groups[0] : undefined;
  }

  holds(fact: Fact): boolean {
    return this.facts.get(conferenceOf(fact))?.has(fact.hash) === true;
  }

  /** Which conferences are one for good. */
  joined(): readonly (readonly ConferenceId[])[] {
    return groupsOf(this.openings.state);
  }

  /** Takes facts that are durable here. */
  add(facts: readonly Fact[]): void {
    const [opened, happened] = [facts.filter(isOpening), facts.filter((fact) => !isOpening(fact))];
    for (const [id, some] of Map.groupBy(happened, conferenceOf)) {
      const known = this.facts.get(id) ?? new Map<string, Fact>();
      for (const fact of some) known.set(fact.hash, fact);
      this.facts.set(id, known);
      this.letGo.delete(id);
      for (const { ids, timeline } of this.groups) if (ids.includes(id)) addBounded(timeline, some);
    }
    addBounded(this.openings, opened);
    this.regroup();
  }

  /** Takes facts of other sites that are durable here, and what was let go of and is needed again for them. */
  async adopt(facts: readonly Fact[]): Promise<void> {
    // They may belong anywhere, and make one of what was two.
    if (this.footing !== undefined) await (this.awaited = this.whole());
    await this.addWhole(facts);
    await this.addWhole([]); // A joining among them may have waited for its cause until now.
  }

  /** Others may let go of more while we read, also once more of what we have read, so it is asked until nothing is lacking, and added in that moment. */
  private async addWhole(facts: readonly Fact[]): Promise<void> {
    const read = new Map<ConferenceId, { readonly time: number | undefined; readonly facts: readonly Fact[] }>();
    for (;;) {
      const id = this.forgotten(facts).find((one) => read.get(one)?.time !== this.letGo.get(one));
      if (id === undefined) return this.add([...[...read.values()].flatMap((each) => each.facts), ...facts]);
      const time = this.letGo.get(id);
      read.set(id, { time, facts: await readConference(this.writer.store, id) });
    }
  }

  /** Streams that have turned out to hold two stories since this was last asked. */
  newlyForked(): readonly StreamName[] {
    const forked = [this.openings, ...this.groups.map(({ timeline }) => timeline)].flatMap((timeline) => timeline.forked());
    const fresh = forked.filter((stream) => !this.forksKnown.has(stream));
    for (const stream of fresh) this.forksKnown.add(stream);
    return fresh;
  }

  /** What is folded of each occasion with people in it, as hashes to compare with other sites'; of the others each site keeps what it needs. */
  digests(): RoomDigest['occasions'] {
    const living = this.groups.filter(({ timeline }) => liveLegsOf(timeline.state).length > 0);
    const hashesOf = (id: ConferenceId) => [...(this.facts.get(id)?.keys() ?? [])];
    return living.map(({ ids, timeline }) => occasionDigest(ids, ids.flatMap(hashesOf), timeline.state));
  }

  /** Lets go of conferences with nobody in them anywhere. True if none is left. */
  forgetEmpty(): boolean {
    for (const { ids, timeline } of this.groups) {
      const goesOn = liveLegsOf(timeline.state).length > 0 || closingsAt(timeline.state, this.writer.site).length > 0;
      if (goesOn || ids.some((id) => this.writing.has(id))) continue;
      for (const id of ids) if (this.facts.delete(id)) this.letGo.set(id, (this.timesLetGo += 1));
      this.footing = undefined; // It was of these, or there was none.
    }
    this.regroup();
    return this.facts.size === 0;
  }

  /** The conference to come into: the one that is on in reach, else a new one. */
  async enter(unique: string, reach: ReadonlySet<SiteId>): Promise<ConferenceId> {
    // What is on out of reach may be one with the new one some day.
    if (this.footing !== undefined && this.occasion(reach) === undefined) await this.whole();
    const on = this.occasion(reach);
    if (on !== undefined) return on.name;
    const id = conferenceIdOf(this.room, unique);
    const bodies = openings.decide({ type: 'Open', room: this.room, conference: id }, this.openings.state, {
      reach,
      live: this.liveness(),
    });
    this.facts.set(id, new Map());
    await this.append(streamNameOf('room', this.room, this.writer.id), this.openings, bodies);
    this.letGo.delete(id); // There is nothing of it that could have been let go of meanwhile.
    return id;
  }

  /** Records what was decided in a conference; when this resolves it is durable and folded, and may be acknowledged. */
  async record(id: ConferenceId, bodies: readonly ConferenceBody[]): Promise<void> {
    if (bodies.length === 0) return;
    this.writing.set(id, (this.writing.get(id) ?? 0) + 1);
    try {
      await this.append(streamNameOf('conference', id, this.writer.id), this.fold([id]).timeline, bodies);
    } finally {
      const left = this.writing.get(id)! - 1;
      if (left === 0) this.writing.delete(id);
      else this.writing.set(id, left);
    }
  }

  /** Takes back what was let go of: all that the store has of it, and of what it was joined with, which it may have come after. */
  async takeBack(id: ConferenceId): Promise<void> {
    if (this.footing !== undefined) await this.whole();
    const ids = groupsOf(this.openings.state).find((joined) => joined.includes(id)) ?? [id];
    const times = ids.map((one) => this.letGo.get(one));
    const facts: Fact[] = [];
    for (const one of ids) facts.push(...(await readConference(this.writer.store, one)));
    if (ids.some((one, at) => this.letGo.has(one) && this.letGo.get(one) !== times[at])) return; // Whoever asks, asks again.
    for (const one of ids) if (this.letGo.delete(one)) this.facts.set(one, new Map());
    this.add(facts);
  }

  /** Whether a conference's facts were let go of: nothing can be decided in it before they are read again. */
  isLetGo(id: ConferenceId): boolean {
    return this.letGo.has(id);
  }

  /** Records that conferences which fold as one now do so for good. True if that was news. */
  async settle(reach: ReadonlySet<SiteId>): Promise<boolean> {
    const occasions = occasionsOf(this.openings.state, { reach, live: this.liveness() });
    const joinings = joiningsOf(this.openings.state, occasions);
    await this.append(streamNameOf('room', this.room, this.writer.id), this.openings, joinings);
    return joinings.length > 0;
  }

  /** Records that legs of ours which were replaced are gone, so that they do not come back when those that replaced them go. */
  async closeReplaced(): Promise<boolean> {
    const closings = this.groups.flatMap(({ ids, timeline }) => {
      const bodies = closingsAt(timeline.state, this.writer.site);
      return bodies.length === 0 ? [] : [{ id: ids[0]!, bodies }];
    });
    for (const { id, bodies } of closings) await this.record(id, bodies);
    return closings.length > 0;
  }

  /** Says that this site's people are there all the same, where it was written off. False if that was not so. */
  async answer(there: ReadonlySet<LegId>): Promise<boolean> {
    const answers = this.groups.flatMap(({ ids, timeline }) => {
      const returns = returnsAt(timeline.state, this.writer.site, there);
      return returns.length === 0 ? [] : [{ id: ids[0]!, returns }];
    });
    for (const { id, returns } of answers) await this.record(id, returns);
    return answers.length > 0;
  }

  /** Whether this site was written off in a conference in which these people of it are. */
  mustAnswer(there: ReadonlySet<LegId>): boolean {
    return this.groups.some(({ timeline }) => returnsAt(timeline.state, this.writer.site, there).length > 0);
  }

  /** Sites that have somebody in a conference of this room, in reach or not. */
  sites(): ReadonlyMap<ConferenceId, ReadonlySet<SiteId>> {
    return new Map([...this.liveness()].map(([id, { sites }]) => [id, sites]));
  }

  private async append(stream: StreamName, timeline: Timeline<unknown>, drafts: readonly Draft[]): Promise<void> {
    const facts: Fact[] = [];
    for (const draft of drafts) {
      this.lastAt = Math.max(this.lastAt, this.writer.clock.now());
      const next = timeline.next(stream, { ...draft, at: this.lastAt });
      const last = facts.at(-1);
      facts.push(seal(last === undefined ? next : { ...next, seq: last.seq + 1, prev: last.hash, after: [] }, sha256));
    }
    const first = facts[0];
    if (first === undefined) return;
    await inStep('brain.append', { 'isthmus.facts': facts.length }, () => this.writer.store.append(stream, first.seq - 1, facts)).catch(
      async (error: unknown) => {
        if (error instanceof Fault && (error as Fault).code === 'store.fenced') this.writer.fenced?.();
        if (error instanceof Refusal && error.code === 'store.conflict') await this.catchUp(stream, first.seq);
        throw error;
      },
    );
    this.add(facts);
    this.writer.recorded(facts);
  }

  /** What an append left behind whose outcome nobody learned. Whoever asked may ask again, and is answered by what happened. */
  private async catchUp(stream: StreamName, from: number): Promise<never> {
    const missed: Fact[] = [];
    for await (const fact of this.writer.store.read(stream, from)) missed.push(fact);
    if (this.footing !== undefined) await this.whole();
    this.add(missed);
    throw new Fault('store.outcome-unknown', 'What was asked may have happened already. Ask again.');
  }

  private liveness(): ReadonlyMap<ConferenceId, Liveness> {
    const alive = new Map<ConferenceId, Liveness>();
    for (const { ids, timeline } of this.groups) for (const id of ids) alive.set(id, livenessOf(timeline.state));
    return alive;
  }

  /** The group that holds these conferences; while several are not yet joined for good, one made for the moment. */
  private fold(ids: readonly ConferenceId[]): Group {
    const known = this.groups.find((group) => ids.every((id) => group.ids.includes(id)));
    if (known !== undefined) return known;
    if (this.forNow?.ids.join() !== ids.join()) this.forNow = this.group([...ids]);
    return this.forNow;
  }

  private regroup(): void {
    this.forNow = undefined;
    const joined = groupsOf(this.openings.state);
    const loaded = [...this.facts.keys()];
    const sets = [
      ...joined.map((ids) => ids.filter((id) => this.facts.has(id))),
      ...loaded.filter((id) => !joined.some((ids) => ids.includes(id))).map((id) => [id]),
    ];
    this.groups = sets
      .filter((ids) => ids.length > 0)
      .map(
        (ids) =>
          this.groups.find((group) => group.ids.length === ids.length && ids.every((id) => group.ids.includes(id))) ?? this.group(ids),
      );
  }

  private group(ids: readonly ConferenceId[]): Group {
    const timeline = createTimeline(conference);
    timeline.add(ids.flatMap((id) => [...(this.facts.get(id)?.values() ?? [])]));
    return { ids, timeline };
  }
}

const sha256 = (text: string): string => hash('sha256', text);
