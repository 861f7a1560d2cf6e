import type { LegId } from '@isthmus/conference';
import { Fault } from '@isthmus/kernel';
import type { MeetingView } from '@isthmus/protocol';
import { CameraSender } from './camera.js';
import type { Clip } from './clips.js';
import { markOf } from './mark.js';
import type { MediaSession, SessionOptions } from './media-session.js';
import { monotonicMs } from './metronome.js';
import { MicrophoneSender } from './microphone.js';
import { Seat, type MediaPlace, type SeatOptions } from './seat.js';

/** Where nobody sends anything, nothing is waited for longer than this: the connection is there. */
const FLOWS_WITHIN_MS = 3_000;
const LOOK_EVERY_MS = 50;

/** The senders of a leg: marks and stream names say whose they are. */
export interface Senders {
  readonly camera: CameraSender;
  readonly microphone: MicrophoneSender;
}

export const sendersOf = (leg: LegId, clip: Clip): Senders => {
  const camera = new CameraSender(clip, markOf(leg), leg);
  // Everything, until the node says what anybody watches.
  camera.layers({ large: true, small: true }, monotonicMs());
  return { camera, microphone: new MicrophoneSender(clip.speech, leg) };
};

export interface MoveParts {
  /** How to ask for the new seat; whom its news concern once the bot sits there. */
  readonly seat: SeatOptions;
  readonly clip: Clip;
  readonly attach: (at: MediaPlace & Senders & Pick<SessionOptions, 'leg' | 'onLost'>) => Promise<MediaSession>;
  readonly onLost: (place: MediaPlace, why: string) => void;
}

export interface Moved extends Senders {
  readonly seat: Seat;
  readonly place: MediaPlace;
  readonly session: MediaSession;
  readonly view: MeetingView;
}

/**
 * Takes a seat at another site beside the one that the bot has, as a browser does (ADR 0090): resolves when media come there; the voice
 * stays where it is until then.
 * @throws what stood in the way; nothing is left of it then.
 */
export const moveTo = async ({ seat: options, clip, attach, onLost }: MoveParts): Promise<Moved> => {
  let isThrough = false;
  const told: { view?: MeetingView; place?: MediaPlace; lost?: string } = {};
  let session: MediaSession | undefined;
  const seat = await Seat.take({
    ...options,
    onMedia: (at, leg) => (isThrough ? options.onMedia(at, leg) : void (told.place = at)),
    onView: (view) => (isThrough ? options.onView(view) : void (told.view = view)),
    onEnded: (why) => (isThrough ? options.onEnded(why) : void (told.lost = why)),
  });
  try {
    const { place } = told;
    if (place === undefined || told.view?.held !== false) throw new Fault('bot.held', 'The seat there has no media.');
    const { leg } = seat.details;
    const senders = sendersOf(leg, clip);
    senders.microphone.muted = true;
    const onSessionLost = (why: string) => (isThrough ? onLost(place, why) : void (told.lost = why));
    session = await attach({ ...place, ...senders, leg, onLost: onSessionLost });
    await flowing(session);
    if (told.lost !== undefined) throw new Fault('bot.not-moved', told.lost);
    isThrough = true;
    return { seat, place, session, view: told.view, ...senders };
  } catch (error) {
    session?.close();
    await seat.leave();
    throw error;
  }
};

const flowing = async (session: MediaSession): Promise<void> => {
  const until = monotonicMs() + FLOWS_WITHIN_MS;
  const flows = () => session.incoming.some(({ reception }) => reception.packetsPerSecond(monotonicMs()) > 0);
  while (!flows() && monotonicMs() < until) await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
};
