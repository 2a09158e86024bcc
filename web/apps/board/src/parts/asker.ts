/** Asks again and again, calmly: every so often, soon after a change, not more often than it may, never unseen. */

export interface Pace {
  /** ms between two questions where nothing happens. */
  readonly every: number;
  /** ms that are at least between two of them. */
  readonly apart: number;
}

export class Asker {
  readonly #ask: () => Promise<void>;
  readonly #pace: Pace;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running = false;
  #asking = false;
  #due = 0;
  #last = -Infinity;

  /** `ask` takes care of its own answer; one that rejects is asked again when it is time. */
  constructor(ask: () => Promise<void>, pace: Pace) {
    this.#ask = ask;
    this.#pace = pace;
  }

  /** Asks at once; returns what ends it. */
  start(): () => void {
    this.#running = true;
    document.addEventListener("visibilitychange", this.#look);
    this.soon();
    return () => {
      this.#running = false;
      clearTimeout(this.#timer);
      document.removeEventListener("visibilitychange", this.#look);
    };
  }

  /** Something has changed. */
  readonly soon = (): void => this.#plan(0);

  readonly #look = (): void => {
    if (!document.hidden) this.#plan(this.#due);
  };

  #plan(due: number): void {
    this.#due = due;
    if (!this.#running || this.#asking) return;
    clearTimeout(this.#timer);
    const now = Date.now();
    this.#timer = setTimeout(() => void this.#now(), Math.max(due, this.#last + this.#pace.apart) - now);
  }

  async #now(): Promise<void> {
    if (document.hidden) return; // and when it is seen again
    this.#asking = true;
    this.#last = Date.now();
    this.#due = this.#last + this.#pace.every;
    await this.#ask().catch(() => undefined);
    this.#asking = false;
    this.#plan(this.#due);
  }
}
