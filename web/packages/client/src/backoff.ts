/** How long to wait before the next try. Pure. */

export interface Backoff {
  /** ms before the first try again. */
  readonly first: number;
  /** ms at most. */
  readonly longest: number;
}

/** Doubles with each failure. Half of it is left to chance, so that clients cut off together do not return together. */
export function delay({ first, longest }: Backoff, failures: number, random: number): number {
  const full = Math.min(longest, first * 2 ** Math.max(0, failures - 1));
  return full / 2 + (full / 2) * random;
}
