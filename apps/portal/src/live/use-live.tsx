import { createContext, useContext, useEffect, useState, useSyncExternalStore, type ReactNode } from 'react';
import { useQueryClient } from '@tanstack/react-query';
import { PRESENCE } from '../api/client.js';
import { LiveFeed, OLD_MS, type LiveNow } from './live-feed.js';

const Feed = createContext<LiveFeed | undefined>(undefined);

/** One stream for the whole portal, open as long as somebody is signed in. */
export const LiveProvider = ({ children }: { readonly children: ReactNode }) => {
  const client = useQueryClient();
  const [feed, setFeed] = useState<LiveFeed>();
  useEffect(() => {
    const opened = new LiveFeed({
      open: () => new EventSource('/v1/status/stream'),
      now: () => performance.now(),
      onRefused: () => void client.invalidateQueries({ queryKey: PRESENCE }),
    });
    opened.start();
    setFeed(opened);
    return () => opened.close();
  }, [client]);
  return <Feed value={feed}>{children}</Feed>;
};

const NOTHING: LiveNow = { status: undefined, receivedAt: undefined, connection: 'connecting', unreadable: false };
const never = () => () => undefined;
const nothing = () => NOTHING;

export const useLive = (): LiveNow => {
  const feed = useContext(Feed);
  return useSyncExternalStore(feed?.listen ?? never, feed?.current ?? nothing);
};

export const useLiveAgain = (): (() => void) => useContext(Feed)?.again ?? (() => undefined);

/** How old the snapshot is, in whole seconds, and whether that is too old to be taken for now. */
export const useAge = (): { readonly seconds: number | undefined; readonly old: boolean } => {
  const { receivedAt } = useLive();
  const [now, setNow] = useState(() => performance.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(performance.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  if (receivedAt === undefined) return { seconds: undefined, old: false };
  const age = Math.max(0, now - receivedAt);
  return { seconds: Math.floor(age / 1_000), old: age > OLD_MS };
};
