/** What the board keeps in its URL: filters, the open order, how it is shown. Never a token. */

import { useSyncExternalStore } from "react";

const OPENED = { opened: true };

class Address {
  #params = new URLSearchParams(location.search);
  readonly #listeners = new Set<() => void>();
  /** On the way back, which takes a while. */
  #leaving = false;

  constructor() {
    addEventListener("popstate", () => {
      this.#leaving = false;
      this.#read();
    });
  }

  /** The same object until something in it changes. Not to be changed. */
  readonly params = (): URLSearchParams => this.#params;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  /** `push`: the way back leads here again. */
  change(params: URLSearchParams, push = false): void {
    const query = params.size === 0 ? "" : `?${params}`;
    if (query === location.search) return;
    if (push) history.pushState(OPENED, "", location.pathname + query);
    else history.replaceState(history.state, "", location.pathname + query);
    this.#read();
  }

  /** Sets one parameter, or takes it away. */
  set(name: string, value: string | null, push = false): void {
    const params = new URLSearchParams(this.#params);
    if (value === null) params.delete(name);
    else params.set(name, value);
    this.change(params, push);
  }

  /** Takes away what was opened: back to where it was from, or, where one came by a link, at once. */
  close(name: string): void {
    if (this.#leaving) return;
    this.#leaving = (history.state as typeof OPENED | null)?.opened === true;
    if (this.#leaving) history.back();
    else this.set(name, null);
  }

  #read(): void {
    this.#params = new URLSearchParams(location.search);
    for (const listener of [...this.#listeners]) listener();
  }
}

export const address = new Address();

export const useAddress = (): URLSearchParams => useSyncExternalStore(address.subscribe, address.params);
