/** Chance, for those who may not roll dice themselves. */
export interface Chance {
  /** So many bytes that nobody can guess; in a simulation, so many that a seed decides. */
  bytes(count: number): Uint8Array;
}
