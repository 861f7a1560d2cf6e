import { IsthmusError } from '@isthmus/kernel';
import type { Act, EndReason, GatewayToClient, MeetingView, RosterEntry } from '@isthmus/protocol';
import type { Device } from 'mediasoup-client';
import type { DeviceKind } from '../net/devices.js';
import { EarlySocket } from '../net/early-socket.js';
import { Equipment } from '../net/equipment.js';
import { GatewayConnection, type Welcome } from '../net/gateway-connection.js';
import { keepIn, type Keep } from '../net/identity.js';
import { MediaSession, type Seat } from '../net/media-session.js';
import type { Arrived, MoveParts, Onward } from '../net/move.js';
import type { OpenSocket } from '../net/request-socket.js';
import { beginJoinTrace, type JoinTrace } from '../net/trace.js';
import { Asker } from './asker.js';
import { ENDING_OF_REFUSAL, WORTH_COMING_BACK } from './endings.js';
import { LocalMedia } from './local-media.js';
import { initialState, type MeetingState } from './meeting-state.js';
import { Moving } from './moving.js';
import { OwnDevices, type ActOutcome } from './own-devices.js';
import { Store } from './store.js';
import { NOTICE_LASTS_MS, TOAST_LASTS_MS, Toasts } from './toasts.js';
import { Weather } from './weather.js';
import { backInReach, sitesAway } from './words.js';

type Joined = Extract<GatewayToClient, { type: 'joined' }>;

/** The code of what is said when a site is back. */
const backOf = (site: string): string => `meet.back.${site}`;
/** How long we give the gateway-router to say what comes next when media is gone, before asking. */
const ASK_AGAIN_AFTER_MS = 5_000;
/** Whoever has come in sees the meeting so soon, ms, also if it takes longer to set up its media (ADR 0095). */
const DRAW_WITHIN_MS = 150;
/** A first frame later than this has nothing to do with the click any more: nobody was there. */
const FIRST_FRAME_WITHIN_MS = 30_000;

export interface MeetingOptions {
  readonly gatewayUrl: string;
  readonly alias: string;
  readonly openSocket?: OpenSocket;
  readonly createDevice?: () => Device;
  readonly keep?: Keep;
  readonly tabKeep?: Keep;
}

/**
 * One person at one meeting, from page load to good-bye: what the screens call and what they draw. It holds the intent
 * ("I want to be in this room") and keeps asking for the seat until it is told that the seat is gone for good.
 */
export class Meeting {
  readonly store: Store<MeetingState>;
  readonly local: LocalMedia;
  readonly keep: Keep;
  readonly #own: OwnDevices;
  readonly #asker: Asker;
  readonly #equipment: Equipment;
  readonly #moving: Moving;
  readonly #toasts: Toasts;
  readonly #weather = new Weather(
    () => this.#media,
    (weak) => this.store.set({ weak }),
  );
  /** What becomes of what the gateway-router and the media node say, whichever they are. */
  readonly #onward: Onward = {
    gateway: {
      onStatus: (gateway) => this.store.set({ gateway }),
      onWelcome: (welcome) => void this.#welcomed(welcome),
      onMessage: (message) => this.#hear(message),
    },
    media: {
      onStatus: (media, doors) => {
        this.store.set({ media, doors });
        if (media === 'released') this.#askSoon();
      },
      onStreams: (streams) => this.store.release({ streams }),
      onSpeaking: (speaking) => this.store.set({ speaking }),
      onTrouble: (attempts) => {
        if (attempts % 3 === 2) this.#gateway.refresh();
      },
    },
  };
  #gateway: GatewayConnection;
  readonly #early: EarlySocket;
  #media: MediaSession | null = null;
  #trace: JoinTrace | null = null;
  /** What to ask for again after a loss; null when this person wants to be nowhere. */
  #intent: { pin: string | undefined; resume: string | undefined } | null = null;
  #askTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly options: MeetingOptions) {
    this.keep = options.keep ?? keepIn(() => localStorage);
    this.#equipment = new Equipment(options.createDevice);
    this.store = new Store(initialState(options.alias, this.keep.get('name') ?? ''));
    this.#toasts = new Toasts(this.store);
    this.local = new LocalMedia(this.keep, (kind, replacement) => this.#own.unplugged(kind, replacement));
    this.#own = new OwnDevices({
      local: this.local,
      you: () => this.#you(),
      act: (act) => this.act(act, 'quietly'),
      toast: (code, text) => this.toast(code, text),
    });
    this.local.store.subscribe(() => this.#sendLocal());
    this.#early = new EarlySocket(options.openSocket);
    this.#asker = new Asker(this.keep, options.tabKeep ?? keepIn(() => sessionStorage), this.store, this.local);
    this.#gateway = new GatewayConnection({
      url: options.gatewayUrl,
      ...(options.openSocket === undefined ? {} : { openSocket: options.openSocket }),
      ...this.#onward.gateway,
    });
    this.#moving = new Moving({
      gatewayUrl: options.gatewayUrl,
      wanted: () => this.#elsewhere(),
      arrived: (at) => this.#arrived(at),
    });
  }

  /** The click on Join. */
  async join(alias: string, name: string, pin?: string): Promise<void> {
    this.#trace = beginJoinTrace();
    this.keep.set('name', name);
    this.#intent = { pin, resume: undefined };
    this.store.set({ alias, name, refusal: null, asking: true, ended: null });
    await this.#ask();
  }

  /** Out again by one's own wish: from the meeting, the waiting room or the PIN prompt. */
  leave(): void {
    const { phase } = this.store.get();
    this.#gateway.request({ type: 'leave' }).catch(() => undefined);
    if (phase === 'meeting') this.#finish('left', '');
    else this.#backToLobby(null);
  }

  /** From an ended screen to the door of the same room. */
  again(): void {
    this.#backToLobby(null);
    void this.local.open();
  }

  /** The tab is being closed: let the others know now and not after a timeout. */
  goodbye(): void {
    if (this.#intent === null) return;
    this.#intent = null;
    this.#moving.stop();
    this.#gateway.request({ type: 'leave' }).catch(() => undefined);
  }

  /** The browser says the network is back. */
  online(): void {
    this.#gateway.refresh();
    this.#media?.retryNow();
  }

  /** Asks for something to happen; a refusal is told to the person in the server's words. */
  async act(act: Act, unsent: 'aloud' | 'quietly' = 'aloud'): Promise<ActOutcome> {
    try {
      const answer = await this.#gateway.request({ type: 'act', act });
      if (answer.type !== 'refused') return 'done';
      this.toast(answer.code, answer.message);
      return 'refused';
    } catch {
      if (unsent === 'aloud')
        this.toast('meet.not-connected', 'That did not reach the server. It works again as soon as the connection is back.');
      return 'unsent';
    }
  }

  /** The person's own microphone or camera, by button or key. */
  toggle(kind: DeviceKind): Promise<void> {
    return this.#own.toggle(kind);
  }

  /** The first remote picture was drawn, at `shownAt` ms since 1970: closes the trace that began with the click. */
  firstFrame(shownAt: number): void {
    const trace = this.#trace;
    if (trace === null) return;
    this.#trace = null;
    performance.mark('isthmus:first-frame');
    if (shownAt - trace.clickedAt > FIRST_FRAME_WITHIN_MS) return;
    this.#gateway.request({ type: 'first-frame', clickedAt: trace.clickedAt, shownAt, marks: { ...trace.marks } }).catch(() => undefined);
  }

  toast(code: string, text: string, lastsMs = TOAST_LASTS_MS): void {
    this.#toasts.add(code, text, lastsMs);
  }

  dismiss(id: number): void {
    this.#toasts.dismiss(id);
  }

  close(): void {
    this.#intent = null;
    this.#closeMedia();
    this.local.close();
    this.#early.close();
    this.#gateway.close();
  }

  async #welcomed(welcome: Welcome): Promise<void> {
    this.store.set({ site: welcome.site, siteName: welcome.siteName, siteNames: welcome.sites ?? {} });
    if (!(await this.#equipment.prepare(welcome.rtpCapabilities))) return this.store.set({ unsupported: true });
    if (this.#intent !== null) await this.#ask();
    else if (welcome.media !== undefined) this.#early.prepare(welcome.media);
  }

  /** Asks for the seat that the intent describes. Without a connection the next welcome asks. */
  async #ask(): Promise<void> {
    const intent = this.#intent;
    if (intent === null || this.#gateway.status !== 'open' || this.#equipment.device === null) return;
    const join = await this.#asker.join(intent.pin);
    try {
      const answer = await this.#gateway.request({
        ...join,
        ...(intent.resume === undefined ? {} : { resume: intent.resume }),
        ...(this.#trace === null ? {} : { traceparent: this.#trace.traceparent }),
      });
      if (this.#intent === intent) this.#hear(answer);
    } catch (reason) {
      // A lost connection is asked again on the next welcome; silence on a live one is worth a new connection.
      if (reason instanceof IsthmusError && reason.code === 'meet.unanswered' && this.#intent === intent) this.#gateway.refresh();
    }
  }

  /** What to ask another site for, if this one is to end. */
  async #elsewhere(): Promise<Omit<MoveParts, 'url'> | undefined> {
    const { phase, leg } = this.store.get();
    if (this.#intent === null || phase !== 'meeting' || leg === null) return undefined;
    const { track, on } = this.local.store.get().camera;
    return {
      openSocket: this.options.openSocket,
      createDevice: this.#equipment.newDevice,
      identity: this.#equipment.identity,
      join: { ...(await this.#asker.join(this.#intent.pin)), from: leg },
      camera: { track, on },
      onward: this.#onward,
    };
  }

  /** Media come by another site: from here on that is where the seat is, and the former one is left. */
  #arrived({ gateway, media, device, welcome, joined, view, streams, notices }: Arrived): void {
    const former = { gateway: this.#gateway, media: this.#media };
    [this.#gateway, this.#media, this.#equipment.device] = [gateway, media, device];
    this.#intent = { pin: this.#intent?.pin, resume: joined.resume };
    former.gateway.request({ type: 'leave' }).catch(() => undefined);
    former.gateway.close();
    const { site, siteName, sites: siteNames = {} } = welcome;
    this.store.set({ gateway: gateway.status, media: media.status, site, siteName, siteNames, leg: joined.leg, streams, speaking: [] });
    this.#view(view);
    this.#sendLocal();
    former.media?.close();
    this.toast('meet.moved', `You are now connected through ${siteName}.`);
    for (const notice of notices) this.#hear(notice);
  }

  #hear(message: GatewayToClient): void {
    switch (message.type) {
      case 'joined':
        return this.#joined(message);
      case 'waiting':
        if (this.#intent !== null) this.store.set({ phase: 'waiting', waitingFor: message.reason, asking: false });
        return;
      case 'pin-needed':
        return this.#pinNeeded();
      case 'refused':
        return this.#refused(message.code, message.message);
      case 'view':
        return this.#view(message.view);
      case 'media':
        return this.#moveMedia(message.media);
      case 'notice': {
        // Two of a kind about two people are two.
        const tell = () => this.toast(`${message.code}: ${message.message}`, message.message, NOTICE_LASTS_MS);
        return message.move === undefined ? tell() : this.#moving.begin(message.move, tell);
      }
      case 'ended':
        return this.#ended(message.reason, message.message);
      case 'welcome':
      case 'ok':
        return;
    }
  }

  #refused(code: string, message: string): void {
    if (this.#intent === null) return;
    const { phase } = this.store.get();
    const inside = phase === 'meeting' || phase === 'waiting';
    const ending = ENDING_OF_REFUSAL[code];
    if (ending !== undefined) this.#finish(ending, message);
    // The site's own trouble (it starts, it is full of work) passes; somebody who was in is not sent away for it.
    else if (inside && code.startsWith('site.')) this.#askSoon();
    else if (phase === 'meeting') this.#finish('timeout', message);
    else this.#backToLobby(message);
  }

  #pinNeeded(): void {
    if (this.#intent === null) return;
    const pinFailed = this.#intent.pin !== undefined;
    this.#intent = null;
    this.#closeMedia();
    this.store.set({ phase: 'pin', pinFailed, asking: false });
  }

  #joined(joined: Joined): void {
    // Answered after this person went away again: give the seat back.
    if (this.#intent === null) return void this.#gateway.request({ type: 'leave' }).catch(() => undefined);
    this.#trace?.mark('joined');
    this.#intent = { pin: this.#intent.pin, resume: joined.resume };
    // Media first: drawing the meeting takes the page a while, which it has once media are on their way.
    if (this.#media === null) this.store.hold(DRAW_WITHIN_MS);
    this.#moveMedia(joined.media, joined.leg);
    this.store.set({
      phase: 'meeting',
      room: joined.room,
      leg: joined.leg,
      since: this.store.get().since ?? Date.now(),
      pinFailed: false,
      asking: false,
    });
    this.#view(joined.view);
    this.#weather.watch();
  }

  #moveMedia(media: { readonly url: string; readonly token: string }, leg = this.store.get().leg): void {
    const { device, identity } = this.#equipment;
    if (leg === null || device === null || this.#intent === null) return;
    clearTimeout(this.#askTimer);
    const seat: Seat = { leg, ...media };
    if (this.#media !== null) {
      this.#media.moveTo(seat);
      return;
    }
    const trace = this.#trace;
    this.#media = new MediaSession(seat, {
      device,
      identity,
      openSocket: this.#early.take,
      ...(trace === null ? {} : { traceparent: trace.traceparent, mark: (moment: string) => trace.mark(moment) }),
      ...this.#onward.media,
    });
    this.#sendLocal();
    this.store.set({ media: this.#media.status });
  }

  #view(view: MeetingView): void {
    const before = this.#you();
    const { view: seen, siteNames } = this.store.get();
    // What was said of a site that is away again is no longer so.
    this.#toasts.retract(new Set([...sitesAway(view.roster)].map(backOf)));
    for (const { site, text } of backInReach(seen?.roster ?? [], view.roster, (id) => siteNames[id] ?? id))
      this.toast(backOf(site), text, NOTICE_LASTS_MS);
    this.store.set({ view });
    this.#own.seen(before, this.#you());
  }

  #ended(reason: EndReason, message: string): void {
    if (this.#intent === null) return;
    if (!WORTH_COMING_BACK.includes(reason)) return this.#finish(reason, message);
    this.#closeMedia();
    this.store.set({ media: 'reconnecting' });
    this.#gateway.refresh();
  }

  #finish(reason: EndReason, message: string): void {
    this.#intent = null;
    this.#closeMedia();
    this.local.close();
    this.store.set({ phase: 'ended', asking: false, ended: { reason, message }, view: null, leg: null, since: null, toasts: [] });
  }

  #backToLobby(refusal: string | null): void {
    this.#intent = null;
    this.#closeMedia();
    this.store.set({ phase: 'lobby', asking: false, refusal, pinFailed: false, view: null, leg: null, since: null, ended: null });
  }

  #closeMedia(): void {
    this.#moving.stop();
    clearTimeout(this.#askTimer);
    this.#weather.stop();
    this.#media?.close();
    this.#media = null;
    this.store.set({ media: 'idle', doors: [], streams: new Map(), speaking: [], weak: false });
  }

  #askSoon(): void {
    clearTimeout(this.#askTimer);
    this.#askTimer = setTimeout(() => this.#gateway.refresh(), ASK_AGAIN_AFTER_MS);
  }

  #sendLocal(): void {
    const { microphone, camera } = this.local.store.get();
    this.#media?.send('microphone', { track: microphone.track, on: microphone.on });
    this.#media?.send('camera', { track: camera.track, on: camera.on });
  }

  #you(): RosterEntry | undefined {
    return this.store.get().view?.roster.find(({ you }) => you);
  }
}
