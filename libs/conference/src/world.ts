import {
  createTimeline,
  Refusal,
  seal,
  streamNameOf,
  writerIdOf,
  type Fact,
  type FactHash,
  type SiteId,
  type Timeline,
} from '@isthmus/kernel';
import type { ConferenceAct, ConferenceCommand, ConferenceSeen } from './commands.js';
import { conference } from './conference.js';
import type { ConferenceBody } from './facts.js';
import type { Conference } from './state.js';
import { viewOf, type ConferenceView, type Seat } from './view.js';
import { legIdOf, type ConferenceId, type LegId, type PersonId, type Role } from './words.js';

/** A site in a test: one brain, its facts, its own idea of the time. Nothing in it but the domain. */
export class World {
  readonly sites: ReadonlyMap<string, TestSite>;

  constructor(sha256: (text: string) => string, ...ids: readonly string[]) {
    this.sites = new Map(ids.map((id) => [id, new TestSite(id as SiteId, sha256, new Set(ids as SiteId[]))]));
  }

  at(id: string): TestSite {
    return this.sites.get(id)!;
  }

  /** Every link returns: all facts are everywhere. */
  heal(): void {
    heal([...this.sites.values()]);
  }
}

export const heal = (sites: readonly TestSite[]): void => {
  for (let round = 0; round < 2; round++) for (const a of sites) for (const b of sites) a.receive(b);
};

export class TestSite {
  facts = new Map<FactHash, Fact>();
  timeline: Timeline<Conference> = createTimeline(conference);
  skewMs = 0;
  room: ConferenceSeen['room'] = { seatsMax: 1000, guestsWaitForHost: false };
  #nowMs = 1e12;
  #epoch = 0;
  #lastCommand: 'recorded' | 'nothing new' | Refusal = 'nothing new';

  constructor(
    readonly id: SiteId,
    private readonly sha256: (text: string) => string,
    public reach: ReadonlySet<SiteId>,
  ) {}

  get state(): Conference {
    return this.timeline.state;
  }

  get seen(): ConferenceSeen {
    return { reach: this.reach, room: this.room };
  }

  get view(): ConferenceView {
    return viewOf(this.state, {
      conference: 'c1' as ConferenceId,
      room: 'r1',
      site: this.id,
      reach: this.reach,
      version: { epoch: this.#epoch, revision: 0 },
    });
  }

  /** The refusal that the last command met, if it met one. */
  get refused(): string | undefined {
    return this.#lastCommand instanceof Refusal ? this.#lastCommand.code : undefined;
  }

  /** Decides and records; what the domain refuses leaves no trace in the history. */
  handle(command: ConferenceCommand, nowMs = (this.#nowMs += 1000)): this {
    try {
      const bodies = conference.decide(command, this.state, this.seen);
      for (const body of bodies) this.record(body, nowMs);
      this.#lastCommand = bodies.length > 0 ? 'recorded' : 'nothing new';
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.#lastCommand = error;
    }
    return this;
  }

  join(
    name: string,
    role: Role = 'guest',
    options: { readonly connect?: number; readonly leg?: string; readonly proof?: number; readonly from?: LegId } = {},
  ): LegId {
    const leg = legIdOf(this.id, options.leg ?? name);
    const coming = {
      leg,
      person: name as PersonId,
      name,
      site: this.id,
      role,
      connect: options.connect ?? 1,
      muted: false,
      cameraOff: false,
      proof: options.proof ?? this.room.pins?.[role] ?? 0,
      ...(options.from === undefined ? {} : { from: options.from }),
    };
    this.handle({ type: 'Join', ...coming });
    return leg;
  }

  /** Somebody acts. Tells what came of it: the refusal's code, the types of the facts, or `nothing`. */
  act(by: LegId, type: ConferenceAct['type'], leg?: LegId): string {
    const before = this.facts.size;
    this.handle({ type, by, leg } as ConferenceAct & { readonly by: LegId });
    const types = [...this.facts.values()].slice(before).map((fact) => fact.type);
    return this.refused ?? (types.join() || 'nothing');
  }

  seat(leg: LegId): Seat | undefined {
    return this.view.seats.find((seat) => seat.leg === leg);
  }

  /** Puts down something that this site says, whether it may say so or not. */
  record(body: Omit<ConferenceBody, 'body'> & { readonly body: unknown }, nowMs = (this.#nowMs += 1000)): Fact {
    const stream = streamNameOf('conference', 'c1', writerIdOf(this.id, this.#epoch));
    const fact = seal(this.timeline.next(stream, { at: nowMs + this.skewMs, ...body }), this.sha256);
    this.facts.set(fact.hash, fact);
    this.timeline.add([fact]);
    return fact;
  }

  receive(from: TestSite): void {
    for (const [hash, fact] of from.facts) this.facts.set(hash, fact);
    this.timeline.add([...from.facts.values()]);
  }

  /** A restart: the same facts, a new tenure. */
  restart(): void {
    this.#epoch += 1;
    this.#reload([...this.facts.values()]);
  }

  /** The worst a disk can do: yesterday's facts under today's name, and nobody told. */
  rollBack(facts: number): void {
    this.#reload(this.timeline.facts().slice(0, facts));
  }

  #reload(facts: readonly Fact[]): void {
    this.facts = new Map(facts.map((fact) => [fact.hash, fact]));
    this.timeline = createTimeline(conference);
    this.timeline.add(facts);
  }
}
