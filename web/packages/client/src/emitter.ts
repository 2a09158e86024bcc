/** A typed event emitter. A listener that throws spoils nothing for the others. */

import { tell } from "./tell.ts";

export type Listener<T> = (data: T) => void;

export class Emitter<Events extends object> {
  readonly #listeners = new Map<keyof Events, Set<Listener<never>>>();

  /** Adds a listener; returns a function that removes it. */
  on<Name extends keyof Events>(name: Name, listener: Listener<Events[Name]>): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners);
    listeners.add(listener as Listener<never>);
    return () => {
      listeners.delete(listener as Listener<never>);
    };
  }

  emit<Name extends keyof Events>(name: Name, data: Events[Name]): void {
    tell((this.#listeners.get(name) ?? []) as Iterable<Listener<Events[Name]>>, data);
  }
}
