/** The fetching of things, one try after the other: after a failure that passes, all of it waits, longer each time. */

import { delay, type Backoff } from "./backoff.ts";
import { platform, type Timer } from "./platform.ts";
import { isPassing } from "./rest.ts";

export class Tries {
  readonly #backoff: Backoff;
  readonly #again: () => void;
  #failures = 0;
  #timer: Timer | undefined;
  #paused = false;

  /** `again`: called after each try and each wait, to begin what is missing still. */
  constructor(backoff: Backoff, again: () => void) {
    this.#backoff = backoff;
    this.#again = again;
  }

  /** Whether a try may begin now. */
  get open(): boolean {
    return !this.#paused && !this.waiting;
  }

  /** Whether it waits to try again. */
  get waiting(): boolean {
    return this.#timer !== undefined;
  }

  /** No more tries until `resume`. */
  pause(): void {
    this.#paused = true;
    this.#clear();
  }

  /** Tries at once what failed. */
  resume(): void {
    this.#paused = false;
    this.#clear();
    this.#again();
  }

  /** Does not wait any longer. */
  hurry(): void {
    if (this.waiting) this.resume();
  }

  /** One try of something, counted as under way. `refused`: trying again would not help. */
  async run<K>(underWay: Map<K, object>, what: K, doIt: () => Promise<void>, refused: (error: Error) => void): Promise<void> {
    const mark = {};
    underWay.set(what, mark);
    let failure: unknown = null;
    try {
      await doIt();
    } catch (error) {
      failure = error ?? new Error("failed");
    }
    if (underWay.get(what) !== mark) return; // a reset came in between
    underWay.delete(what);
    if (failure === null) this.#failures = 0;
    else if (isPassing(failure)) this.#later();
    else refused(failure instanceof Error ? failure : new Error(String(failure)));
    this.#again();
  }

  #later(): void {
    if (!this.open) return;
    this.#failures += 1;
    this.#timer = platform.setTimeout(() => this.resume(), delay(this.#backoff, this.#failures, Math.random()));
  }

  #clear(): void {
    platform.clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
