/** How long a change takes from the server's clock to this screen, by two clocks that differ. Pure. */

/** ms. What is added to the browser's clock to get the server's lies within `error` of `offset`. */
export interface Offset {
  readonly offset: number;
  readonly error: number;
}

interface Sample {
  readonly at: number;
  /** The server's clock is ahead by this at least, and by this at most if the answer was made for us. */
  readonly least: number;
  readonly most: number;
}

/** ms that the server gives the same figures again for, and may take to read them. */
const KEPT = 2_000;

/** ms that a sample counts: clocks drift. */
const VALID = 300_000;

/**
 * Estimates how far the server's clock is ahead of the browser's, from round trips whose answers carry the server's
 * time. That time lies between the asking and the answer, unless the answer was made for somebody else before; so the
 * sample counts whose least is the greatest: the freshest answer with the shortest way back.
 */
export class ServerClock {
  #samples: Sample[] = [];
  /** What came here cannot have been made later: it says the least, too. */
  #heard: { at: number; least: number } | undefined;

  /** An answer with the server's time `served`, asked for at `asked` and here at `answered` (all ms). */
  sample(asked: number, served: number, answered: number): void {
    const sample = { at: answered, least: served - answered, most: served - asked };
    // One of the clocks has been set where even an old answer cannot explain the difference.
    const agrees = (other: Sample) => sample.most + KEPT >= other.least && other.most + KEPT >= sample.least;
    this.#samples = [...this.#samples.filter((other) => answered - other.at < VALID && agrees(other)), sample];
    if (this.#heard !== undefined && (answered - this.#heard.at >= VALID || this.#heard.least > sample.most + KEPT)) this.#heard = undefined;
  }

  /** Something that the server made at `made`, here at `at`. */
  hear(made: number, at: number): void {
    if (this.#heard === undefined || made - at > this.#heard.least) this.#heard = { at, least: made - at };
  }

  /** `null` before the first sample. */
  get offset(): Offset | null {
    const [first, ...others] = this.#samples;
    if (first === undefined) return null;
    const best = others.reduce((a, b) => (b.least > a.least ? b : a), first);
    const least = Math.max(best.least, this.#heard?.least ?? best.least);
    const most = best.most >= least ? best.most : best.most + KEPT; // else it was an old answer, too
    return { offset: (least + most) / 2, error: Math.abs(most - least) / 2 };
  }
}

export interface Percentiles {
  readonly count: number;
  /** `null` where there is nothing. */
  readonly median: number | null;
  readonly p90: number | null;
}

/** Nearest rank: the smallest value that at least that part of all values do not exceed. */
export function percentiles(values: readonly number[]): Percentiles {
  const sorted = [...values].sort((a, b) => a - b);
  const rank = (part: number) => sorted[Math.ceil(part * sorted.length) - 1] ?? null;
  return { count: sorted.length, median: rank(0.5), p90: rank(0.9) };
}

/** How many changes the figures are of. */
export const LAST = 200;

/** Times from a change on the server to its being seen here; the newest ones. */
export class Latencies {
  /** By the two clocks as they are: corrected when read, since the offset gets better. */
  #raw: number[] = [];

  /** ms: when the server made it, by its clock, and when it was painted, by ours. */
  add(made: number, painted: number): void {
    this.#raw.push(painted - made);
    if (this.#raw.length > LAST) this.#raw = this.#raw.slice(-LAST);
  }

  /** ms. A change is never seen before it is made, whatever the clocks say. */
  figures(offset: number): Percentiles {
    return percentiles(this.#raw.map((raw) => Math.max(0, raw + offset)));
  }
}
