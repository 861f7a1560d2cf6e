/**
 * The beginning of one trace: the click on Join. Its id travels with the join and the media attach, so that every service
 * puts its part under the same trace; the moment the first remote frame is drawn closes it. W3C Trace Context §3.2.
 */
export interface JoinTrace {
  readonly traceparent: string;
  /** ms since 1970, with the fraction the browser gives. */
  readonly clickedAt: number;
  readonly marks: Readonly<Record<string, number>>;
  /** Names a moment once; a second time is ignored. */
  mark(name: string): void;
}

const hex = (bytes: number): string =>
  [...crypto.getRandomValues(new Uint8Array(bytes))].map((byte) => byte.toString(16).padStart(2, '0')).join('');

/** Wall-clock ms from the page's monotonic clock: two readings can be subtracted even if the machine's clock is set meanwhile. */
export const now = (): number => performance.timeOrigin + performance.now();

export const beginJoinTrace = (): JoinTrace => {
  const marks: Record<string, number> = {};
  performance.mark('isthmus:click');
  return {
    traceparent: `00-${hex(16)}-${hex(8)}-01`,
    clickedAt: now(),
    marks,
    mark: (name) => {
      marks[name] ??= now();
      performance.mark(`isthmus:${name}`);
    },
  };
};
