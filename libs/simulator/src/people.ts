import { legIdOf, revisionOf, type ConferenceAct, type LegId, type PersonId, type Role } from '@isthmus/conference';
import { Fault, Refusal } from '@isthmus/kernel';
import type { BrainAnswer, BrainCommand, ViewPublished } from '@isthmus/protocol';
import type { Ledger } from './ledger.js';
import type { Random } from './random.js';
import type { Schedule } from './schedule.js';
import type { SimulatedSite } from './site.js';

export interface Person {
  readonly id: PersonId;
  readonly role: Role;
  connect: number;
}

/** One window of a person, open at one site. */
export interface Window {
  readonly person: Person;
  readonly site: SimulatedSite;
  readonly room: string;
  state: 'asking' | 'in' | 'waiting' | 'leaving' | 'lost' | 'out';
  leg: LegId | undefined;
  resume: string | undefined;
  /** Of the last thing it asked; what answers an earlier one is not heard. */
  turn: number;
  /** Nobody is behind it any more, or nobody was told that it is gone. */
  abandoned: boolean;
  /** The window that it is to take over from, as long as nobody acts by it: media do not come by it yet (ADR 0090). */
  comesFrom: Window | undefined;
}

const BUS_MS = [1, 8] as const;
/** Whoever has not answered by then has not heard it. */
const LEAVE_WITHIN_MS = 3_000;

/** Everybody who meets, and what the gateway-routers do for them. */
export class People {
  readonly windows: Window[] = [];
  readonly persons: Person[] = [];
  /** Commands by what came of them. */
  readonly tally = new Map<string, number>();
  readonly #byLeg = new Map<LegId, Window>();
  /** In which revision of its site's view each leg ended: an answer that is older gives nobody that seat. */
  readonly #ended = new Map<LegId, number>();
  /** Somebody has a seat, or a place at the door: new, or again. */
  onSeated: (window: Window) => void = () => undefined;
  /** What somebody proves at a door, whose PIN they know or not; undefined if it stays shut to them. */
  door: (window: Window) => { readonly proof?: number } | undefined = () => ({});
  #moves = 0;

  constructor(
    private readonly schedule: Schedule,
    private readonly random: Random,
    private readonly ledger: Ledger,
  ) {}

  /** Somebody new, or somebody who is known and opens another window. */
  comes(site: SimulatedSite, room: string): void {
    const known = this.persons.length > 3 && this.random.happens(0.25);
    const person = known ? this.random.pick(this.persons) : { role: this.random.happens(0.4) ? ('host' as const) : ('guest' as const) };
    if (this.windows.some((window) => window.person === person && window.state === 'asking')) return;
    this.opens(site, room, person);
  }

  opens(site: SimulatedSite, room: string, who: Person | { readonly role: Role }): Window {
    const person = 'id' in who ? who : this.#born(who.role);
    const window: Window = {
      person,
      site,
      room,
      state: 'asking',
      leg: undefined,
      resume: undefined,
      turn: 0,
      abandoned: false,
      comesFrom: undefined,
    };
    this.windows.push(window);
    this.#join(window);
    return window;
  }

  /** Somebody asks for a seat at another site beside the one they have, which they leave for it. */
  moves(from: Window, to: SimulatedSite): Window {
    const { person, room } = from;
    const leg = legIdOf(to.id, `moved${(this.#moves += 1)}`);
    const window: Window = {
      ...{ person, room, leg, site: to, comesFrom: from },
      state: 'asking',
      resume: undefined,
      turn: 0,
      abandoned: false,
    };
    this.windows.push(window);
    this.#byLeg.set(leg, window);
    this.#join(window);
    return window;
  }

  /** What its gateway-router does for a seat that nobody wants any more: it tells the brain until it has heard. */
  letsGo(window: Window): void {
    const { site, room, leg } = window;
    window.state = 'out';
    window.abandoned = true;
    window.turn += 1;
    if (leg === undefined) return;
    const command: BrainCommand = { type: 'Leave', room, leg };
    const again = () => this.schedule.after(this.random.between(300, 1_500), tell);
    const tell = (): void => {
      if (site.brain === undefined) return void again();
      const { tenure } = site;
      let heard = false;
      const hears = (work: () => void) => {
        heard = true;
        work();
      };
      // A brain that dies meanwhile answers nobody.
      this.schedule.after(LEAVE_WITHIN_MS, () => !heard && site.tenure !== tenure && again());
      site.ask(command).then(
        (answer) => hears(() => this.ledger.acknowledged(window, command, answer)),
        (error: unknown) =>
          hears(() => {
            if (error instanceof Fault) again();
            else if (!(error instanceof Refusal)) this.ledger.broke(site, command, error);
          }),
      );
    };
    this.schedule.after(this.random.between(...BUS_MS), tell);
  }

  /** The connection of a window broke and it comes back at once. */
  reconnects(window: Window): void {
    if (window.state === 'in' || window.state === 'waiting' || window.state === 'lost') this.#join(window);
  }

  leaves(window: Window): void {
    if ((window.state !== 'in' && window.state !== 'waiting') || window.leg === undefined) return;
    window.state = 'leaving';
    this.#ask(window, { type: 'Leave', room: window.room, leg: window.leg });
  }

  acts(window: Window, act: ConferenceAct): void {
    if (window.leg === undefined) return;
    this.#ask(window, { type: 'Act', room: window.room, leg: window.leg, act });
  }

  /** Windows that are in, at a site whose brain runs. */
  there(): readonly Window[] {
    return this.windows.filter(
      ({ state, site, comesFrom }) => (state === 'in' || state === 'waiting') && comesFrom === undefined && site.brain !== undefined,
    );
  }

  ended(site: SimulatedSite, { view, ended }: Pick<ViewPublished, 'view' | 'ended'>): void {
    for (const { leg, reason } of ended) {
      this.#ended.set(leg, revisionOf(view));
      const window = this.#byLeg.get(leg);
      this.ledger.ended(site, leg, reason, window);
      if (window?.leg === leg && window.state !== 'lost') window.state = 'out';
    }
  }

  admitted(legs: readonly LegId[]): void {
    for (const leg of legs) {
      const window = this.#byLeg.get(leg);
      if (window?.leg === leg && window.state === 'waiting') window.state = 'in';
    }
  }

  /** The gateway-router has lost its brain: its people try again, or give up. */
  lost(site: SimulatedSite): void {
    for (const window of this.windows) {
      if (window.site !== site || window.state === 'out') continue;
      window.turn += 1;
      const givesUp = window.state === 'leaving' || window.comesFrom !== undefined || this.random.happens(0.1);
      window.state = givesUp ? 'out' : 'lost';
      window.abandoned = true;
    }
  }

  found(site: SimulatedSite): void {
    for (const window of this.windows) {
      if (window.site !== site || window.state !== 'lost') continue;
      this.schedule.after(this.random.between(50, 3_000), () => this.reconnects(window));
    }
  }

  #born(role: Role): Person {
    const person: Person = { id: `person-${this.persons.length}` as PersonId, role, connect: 0 };
    this.persons.push(person);
    return person;
  }

  #join(window: Window): void {
    const { person, room, resume, comesFrom, leg, site } = window;
    if (site.isDraining && resume === undefined) {
      window.state = 'out';
      this.#note('Join: join.site-draining');
      return;
    }
    const proved = this.door(window);
    if (proved === undefined) {
      window.state = 'out';
      this.#note('Join: pin-needed');
      return;
    }
    window.state = 'asking';
    window.abandoned = false;
    person.connect += 1;
    this.#ask(window, {
      type: 'Join',
      room,
      person: person.id,
      name: person.id,
      role: person.role,
      connect: person.connect,
      ...proved,
      ...(resume === undefined ? {} : { resume }),
      ...(comesFrom?.leg === undefined || leg === undefined || resume !== undefined ? {} : { leg, from: comesFrom.leg }),
      muted: this.random.happens(0.5),
      cameraOff: this.random.happens(0.2),
    });
  }

  #ask(window: Window, command: BrainCommand): void {
    const turn = ++window.turn;
    const { site } = window;
    this.schedule.after(this.random.between(...BUS_MS), () => {
      if (site.brain === undefined) {
        if (command.type === 'Join' && window.turn === turn) window.state = window.comesFrom === undefined ? 'lost' : 'out';
        return;
      }
      const known = this.ledger.keepsLocked(window, command);
      site.ask(command).then(
        (answer) => {
          this.ledger.unlocked(window, command, known);
          this.#answered(window, turn, command, answer);
        },
        (error: unknown) => this.#failed(window, turn, command, error),
      );
    });
  }

  #answered(window: Window, turn: number, command: BrainCommand, answer: BrainAnswer): void {
    this.#count(command, 'done');
    this.ledger.acknowledged(window, command, answer);
    if (answer.type === 'Joined' || answer.type === 'Waiting') {
      if (window.leg !== undefined && window.leg !== answer.leg) this.#byLeg.delete(window.leg);
      window.leg = answer.leg;
      window.resume = answer.resume;
      this.#byLeg.set(answer.leg, window);
      // Who went away before the answer came leaves what it gave them.
      if (window.abandoned && window.state === 'out') this.letsGo(window);
    }
    if (window.turn !== turn) return;
    if (answer.type === 'Joined' || answer.type === 'Waiting') {
      const isOver = (this.#ended.get(answer.leg) ?? -1) >= revisionOf(answer.view);
      window.state = isOver ? 'out' : answer.type === 'Joined' ? 'in' : 'waiting';
      if (!isOver) this.onSeated(window);
    } else if (command.type === 'Leave') window.state = 'out';
  }

  #failed(window: Window, turn: number, command: BrainCommand, error: unknown): void {
    if (!(error instanceof Refusal) && !(error instanceof Fault)) {
      this.ledger.broke(window.site, command, error);
      return;
    }
    this.#count(command, String(error.code));
    this.ledger.refused(window, command, String(error.code));
    if (window.turn !== turn) return;
    if (command.type === 'Join') window.state = error instanceof Refusal || window.comesFrom !== undefined ? 'out' : 'lost';
    // Whoever is not taken back leaves a seat behind, perhaps, that nobody comes back to.
    if (command.type === 'Join' && command.resume !== undefined && window.state === 'out') this.letsGo(window);
    if (command.type === 'Leave' && error instanceof Refusal) window.state = 'out';
    else if (command.type === 'Leave') this.letsGo(window);
    if (window.state === 'lost') this.schedule.after(this.random.between(500, 3_000), () => this.reconnects(window));
  }

  #count(command: BrainCommand, what: string): void {
    const name = command.type === 'Act' ? command.act.type : command.type;
    this.#note(`${name}: ${what}`);
  }

  #note(key: string): void {
    this.tally.set(key, (this.tally.get(key) ?? 0) + 1);
  }
}
