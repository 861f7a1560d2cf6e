import { createContext, useContext, useSyncExternalStore } from 'react';
import type { RosterEntry } from '@isthmus/protocol';
import type { Meeting } from './meeting.js';
import type { DeviceState, MeetingState } from './meeting-state.js';

const MeetingContext = createContext<Meeting | null>(null);
export const MeetingProvider = MeetingContext.Provider;

export const useMeeting = (): Meeting => {
  const meeting = useContext(MeetingContext);
  if (meeting === null) throw new Error('This part belongs inside a MeetingProvider.');
  return meeting;
};

/** One value out of the meeting's state; it must be the same object while nothing changed. */
export const useMeetingState = <Value>(select: (state: MeetingState) => Value): Value => {
  const { store } = useMeeting();
  return useSyncExternalStore(store.subscribe, () => select(store.get()));
};

export const useDevices = (): DeviceState => {
  const { store } = useMeeting().local;
  return useSyncExternalStore(store.subscribe, store.get);
};

const NOBODY: readonly RosterEntry[] = [];
export const useRoster = (): readonly RosterEntry[] => useMeetingState(({ view }) => view?.roster ?? NOBODY);
export const useYou = (): RosterEntry | undefined => useRoster().find(({ you }) => you);

export const useSiteName = (): ((site: string) => string) => {
  const siteNames = useMeetingState((state) => state.siteNames);
  const site = useMeetingState((state) => state.site);
  const siteName = useMeetingState((state) => state.siteName);
  return (id) => siteNames[id] ?? (id === site && siteName !== null ? siteName : id);
};
