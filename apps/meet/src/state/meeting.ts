import { IsthmusError } from '@isthmus/kernel';
import type { Act, EndReason, GatewayToClient, MeetingView, RosterEntry } from '@isthmus/protocol';
import { Device } from 'mediasoup-client';
import type { DeviceKind } from '../net/devices.js';
import { dtlsIdentity, type DtlsIdentity } from '../net/dtls-identity.js';
import { EarlySocket } from '../net/early-socket.js';
import { GatewayConnection, type Welcome } from '../net/gateway-connection.js';
import { clientIdOf, keepIn, nextConnect, type Keep } from '../net/identity.js';
import { MediaSession, type Seat } from '../net/media-session.js';
import type { OpenSocket } from '../net/request-socket.js';
import { beginJoinTrace, type JoinTrace } from '../net/trace.js';
import { LocalMedia } from './local-media.js';
import { initialState, type MeetingState } from './meeting-state.js';
import { OwnDevices, type ActOutcome } from './own-devices.js';
import { Store } from './store.js';
import { NOTICE_LASTS_MS, TOAST_LASTS_MS, withToast } from './toasts.js';
import { backInReach, sitesAway } from './words.js';

type Joined = Extract<GatewayToClient, { type: 'joined' }>;

/** Endings after which this client comes back by itself (client-gateway.ts, `ended`). */
const WORTH_COMING_BACK: readonly EndReason[] = ['node-lost', 'timeout'];
/** Refusals of a join that are good-byes. */
const ENDING_OF_REFUSAL: Readonly<Record<string, EndReason>> = {
  'conference.removed': 'removed',
  'conference.rejected': 'rejected',
  'conference.elsewhere': 'replaced',
  'conference.ended': 'ended',
};
/** The code of what is said when a site is back. */
const backOf = (site: string): string => `meet.back.${site}`;
const QUALITY_EVERY_MS = 4_000;
const WEAK_FROM_LOSS = 0.04;
/** How long we give the gateway-router to say what comes next when media is gone, before asking. */
const ASK_AGAIN_AFTER_MS = 5_000;
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
  readonly #tab: Keep;
  readonly #gateway: GatewayConnection;
  readonly #client: Promise<string>;
  readonly #early: EarlySocket;
  #device: Device | null = null;
  #identity: DtlsIdentity | null = null;
  #media: MediaSession | null = null;
  #trace: JoinTrace | null = null;
  /** What to ask for again after a loss; null when this person wants to be nowhere. */
  #intent: { pin: string | undefined; resume: string | undefined } | null = null;
  #askTimer: ReturnType<typeof setTimeout> | undefined;
  #qualityTimer: ReturnType<typeof setInterval> | undefined;
  #toasts = 0;

  constructor(private readonly options: MeetingOptions) {
    this.keep = options.keep ?? keepIn(() => localStorage);
    this.#tab = options.tabKeep ?? keepIn(() => sessionStorage);
    this.store = new Store(initialState(options.alias, this.keep.get('name') ?? ''));
    this.local = new LocalMedia(this.keep, (kind, replacement) => this.#own.unplugged(kind, replacement));
    this.#own = new OwnDevices({
      local: this.local,
      you: () => this.#you(),
      act: (act) => this.act(act, 'quietly'),
      toast: (code, text) => this.toast(code, text),
    });
    this.local.store.subscribe(() => this.#sendLocal());
    this.#early = new EarlySocket(options.openSocket);
    this.#client = clientIdOf(this.keep, this.#tab);
    this.#gateway = new GatewayConnection({
      url: options.gatewayUrl,
      ...(options.openSocket === undefined ? {} : { openSocket: options.openSocket }),
      onStatus: (gateway) => this.store.set({ gateway }),
      onWelcome: (welcome) => void this.#welcomed(welcome),
      onMessage: (message) => this.#hear(message),
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
    const id = ++this.#toasts;
    this.store.set({ toasts: withToast(this.store.get().toasts, { id, code, text }) });
    setTimeout(() => this.dismiss(id), lastsMs);
  }

  dismiss(id: number): void {
    const { toasts } = this.store.get();
    if (toasts.some((toast) => toast.id === id)) this.store.set({ toasts: toasts.filter((toast) => toast.id !== id) });
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
    // Before anyone clicks, so that the click waits for nothing that could have been done earlier.
    if (this.#device === null && !(await this.#prepare(welcome))) return;
    if (this.#intent !== null) await this.#ask();
    else if (welcome.media !== undefined) this.#early.prepare(welcome.media);
  }

  async #prepare(welcome: Welcome): Promise<boolean> {
    try {
      const device = this.options.createDevice?.() ?? new Device();
      const [identity] = await Promise.all([dtlsIdentity(), device.load({ routerRtpCapabilities: welcome.rtpCapabilities })]);
      this.#identity ??= identity;
      this.#device ??= device;
      return true;
    } catch {
      this.store.set({ unsupported: true });
      return false;
    }
  }

  /** Asks for the seat that the intent describes. Without a connection the next welcome asks. */
  async #ask(): Promise<void> {
    const intent = this.#intent;
    if (intent === null || this.#gateway.status !== 'open' || this.#device === null) return;
    const { alias, name } = this.store.get();
    const { microphone, camera } = this.local.store.get();
    const client = await this.#client;
    const connect = nextConnect(this.keep);
    try {
      const answer = await this.#gateway.request({
        type: 'join',
        alias,
        name,
        client: client as never,
        connect,
        muted: !(microphone.on && microphone.track !== null),
        cameraOff: !(camera.on && camera.track !== null),
        ...(intent.pin === undefined ? {} : { pin: intent.pin }),
        ...(intent.resume === undefined ? {} : { resume: intent.resume }),
        ...(this.#trace === null ? {} : { traceparent: this.#trace.traceparent }),
      });
      if (this.#intent === intent) this.#hear(answer);
    } catch (reason) {
      // A lost connection is asked again on the next welcome; silence on a live one is worth a new connection.
      if (reason instanceof IsthmusError && reason.code === 'meet.unanswered' && this.#intent === intent) this.#gateway.refresh();
    }
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
      case 'notice':
        // Two of a kind about two people are two.
        return this.toast(`${message.code}: ${message.message}`, message.message, NOTICE_LASTS_MS);
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
    if (this.#intent === null) {
      this.#gateway.request({ type: 'leave' }).catch(() => undefined);
      return;
    }
    this.#trace?.mark('joined');
    this.#intent = { pin: this.#intent.pin, resume: joined.resume };
    // Media first: drawing the meeting takes the page a while, in which the node can do its part.
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
    this.#qualityTimer ??= setInterval(() => void this.#judgeQuality(), QUALITY_EVERY_MS);
  }

  #moveMedia(media: { readonly url: string; readonly token: string }, leg = this.store.get().leg): void {
    if (leg === null || this.#device === null || this.#intent === null) return;
    clearTimeout(this.#askTimer);
    const seat: Seat = { leg, ...media };
    if (this.#media !== null) {
      this.#media.moveTo(seat);
      return;
    }
    const trace = this.#trace;
    this.#media = new MediaSession(seat, {
      device: this.#device,
      identity: this.#identity,
      openSocket: this.#early.take,
      ...(trace === null ? {} : { traceparent: trace.traceparent, mark: (moment: string) => trace.mark(moment) }),
      onStatus: (status) => {
        this.store.set({ media: status });
        if (status === 'released') this.#askSoon();
      },
      onStreams: (streams) => this.store.set({ streams }),
      onSpeaking: (speaking) => this.store.set({ speaking }),
      onTrouble: (attempts) => {
        if (attempts % 3 === 2) this.#gateway.refresh();
      },
    });
    this.#sendLocal();
    this.store.set({ media: this.#media.status });
  }

  #view(view: MeetingView): void {
    const before = this.#you();
    const { view: seen, siteNames, toasts } = this.store.get();
    // What was said of a site that is away again is no longer so.
    const stale = new Set([...sitesAway(view.roster)].map(backOf));
    if (toasts.some(({ code }) => stale.has(code))) this.store.set({ toasts: toasts.filter(({ code }) => !stale.has(code)) });
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
    clearTimeout(this.#askTimer);
    clearInterval(this.#qualityTimer);
    this.#qualityTimer = undefined;
    this.#media?.close();
    this.#media = null;
    this.store.set({ media: 'idle', streams: new Map(), speaking: [], weak: false });
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

  async #judgeQuality(): Promise<void> {
    const loss = await this.#media?.lossReceived().catch(() => null);
    if (typeof loss === 'number') this.store.set({ weak: loss > WEAK_FROM_LOSS });
  }

  #you(): RosterEntry | undefined {
    return this.store.get().view?.roster.find(({ you }) => you);
  }
}
