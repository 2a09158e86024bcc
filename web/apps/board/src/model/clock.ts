/** One clock for everything that ages: a timer for the page, none per card. */

import { useSyncExternalStore } from "react";

class Clock {
  #now = Date.now();
  #timer: ReturnType<typeof setInterval> | undefined;
  readonly #listeners = new Set<() => void>();

  readonly now = (): number => this.#now;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    this.#timer ??= setInterval(this.tick, 1000);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    };
  };

  readonly tick = (): void => {
    this.#now = Date.now();
    for (const listener of [...this.#listeners]) listener();
  };
}

export const clock = new Clock();

/** What `select` makes of the time; the component is drawn again only where that differs. Give a value, not a new object. */
export function useNow<T extends string | number | boolean | undefined>(select: (now: number) => T): T {
  return useSyncExternalStore(clock.subscribe, () => select(clock.now()));
}
