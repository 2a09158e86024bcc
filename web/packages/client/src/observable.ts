/** A value that is replaced, never changed, and those who want to know: what `useSyncExternalStore` asks for. */

import { tell } from "./tell.ts";

export class Observable<T> {
  #current: T;
  readonly #listeners = new Set<() => void>();

  constructor(initial: T) {
    this.#current = initial;
  }

  get current(): T {
    return this.#current;
  }

  /** Calls `listener` after each change; returns a function that ends it. */
  subscribe(listener: () => void): () => void {
    const own = () => listener(); // the same function may subscribe twice
    this.#listeners.add(own);
    return () => {
      this.#listeners.delete(own);
    };
  }

  set(value: T): void {
    if (Object.is(value, this.#current)) return;
    this.#current = value;
    tell(this.#listeners);
  }
}
