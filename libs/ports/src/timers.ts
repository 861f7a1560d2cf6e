/** Ends what was begun; quiet when it has ended already. */
export type Cancel = () => void;

/** Waking up later, for those who may not ask the machine themselves. Whoever waits by it can be rehearsed in no time. */
export interface Timers {
  /** Once, after so many ms. */
  after(ms: number, work: () => void): Cancel;
  /** Again and again, so many ms apart, the first time after so many. */
  every(ms: number, work: () => void): Cancel;
}
