/** Time for those who may not ask for it themselves. */
export interface Clock {
  /** Wall clock, ms since 1970. May be wrong, may step. */
  now(): number;
  /** Never steps back; only differences mean anything. ms. */
  monotonic(): number;
}
