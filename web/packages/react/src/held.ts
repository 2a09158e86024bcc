/** A subscription that begins when a component is there and ends with it, never while it is rendered. */

import type { Subscription } from "@ordercast/client";
import { useMemo, useSyncExternalStore } from "react";
import type { Guesses } from "./optimistic.ts";

class Held<State> {
  readonly #open: () => Subscription<State>;
  readonly #show: (state: State) => State;
  readonly #guesses: Guesses;
  #opened: Subscription<State> | undefined;
  #uses = 0;
  /** Kept after the end: StrictMode ends and begins again at once. */
  #last: State;

  constructor(open: () => Subscription<State>, nothing: State, show: (state: State) => State, guesses: Guesses) {
    this.#open = open;
    this.#last = nothing;
    this.#show = show;
    this.#guesses = guesses;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    const opened = (this.#opened ??= this.#open());
    this.#uses += 1;
    const ends = [opened.subscribe(listener), this.#guesses.subscribe(listener)];
    return () => {
      for (const end of ends) end();
      this.#uses -= 1;
      if (this.#uses > 0) return;
      this.#opened = undefined;
      opened.unsubscribe();
    };
  };

  readonly current = (): State => {
    if (this.#opened !== undefined) this.#last = this.#opened.current;
    return this.#show(this.#last);
  };
}

/** `show` and `nothing` must be the same with each render; `of`: what makes another subscription necessary. */
export function useHeld<State>(
  open: () => Subscription<State>,
  nothing: State,
  show: (guesses: Guesses) => (state: State) => State,
  guesses: Guesses,
  of: readonly unknown[],
): State {
  const held = useMemo(() => new Held(open, nothing, show(guesses), guesses), of);
  return useSyncExternalStore(held.subscribe, held.current, () => nothing);
}
