/** Which card the keyboard is at: one for the whole board, so that Tab passes the board in one step. */

import { BLINK } from "./presses.ts";

type Listener = () => void;

export interface Place {
  readonly status: string;
  readonly id: string;
}

/** What a column does for the keyboard. */
export interface Reach {
  ids(): readonly string[];
  /** Scrolls to the card and focuses it once it is drawn. */
  focus(index: number): void;
}

/** ms in which a card comes that the server has answered for. */
const COMES = 5_000;

export class Navigation {
  #at: Place | undefined;
  #replacedAt = -Infinity;
  readonly #listeners = new Set<Listener>();
  readonly #columns = new Map<string, Reach>();
  readonly #sequence: readonly string[];

  constructor(sequence: readonly string[]) {
    this.#sequence = sequence;
  }

  readonly subscribe = (listener: Listener): Listener => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  readonly at = (): Place | undefined => this.#at;

  /** The keyboard is at another card, or elsewhere, because somebody else has moved the one that it was at; `now`: ms. */
  unsettle(now: number): void {
    this.#replacedAt = now;
  }

  /** Whether the card that the keyboard is at has been there for longer than a blink: a key is not meant for one that has not. */
  isSettled(now: number): boolean {
    return now - this.#replacedAt >= BLINK;
  }

  register(status: string, reach: Reach): Listener {
    this.#columns.set(status, reach);
    return () => {
      if (this.#columns.get(status) === reach) this.#columns.delete(status);
    };
  }

  /** The focus is here now. */
  set(status: string, id: string): void {
    if (this.#at?.id === id && this.#at.status === status) return;
    this.#replacedAt = -Infinity;
    this.#at = { status, id };
    for (const listener of [...this.#listeners]) listener();
  }

  /** The card that Tab comes to in this column: where the keyboard was, or else the first. */
  stop(status: string, ids: readonly string[]): string | undefined {
    if (this.#at?.status === status) return ids.includes(this.#at.id) ? this.#at.id : ids[0];
    const here = this.#at !== undefined && this.#columns.get(this.#at.status)?.ids().includes(this.#at.id) === true;
    if (here) return undefined;
    const first = this.#sequence.find((name) => (this.#columns.get(name)?.ids().length ?? 0) > 0);
    return first === status ? ids[0] : undefined;
  }

  /** Moves within the column (`by` cards; ±Infinity: to its end). */
  along(status: string, id: string, by: number): void {
    const reach = this.#columns.get(status);
    if (reach === undefined) return;
    const ids = reach.ids();
    const index = Math.max(0, ids.indexOf(id)) + by;
    this.#go(status, Math.min(ids.length - 1, Math.max(0, index)));
  }

  /** Moves to the next column with cards, `by` being 1 or -1: to the card at about the same place. */
  across(status: string, id: string, by: 1 | -1): void {
    const index = this.#columns.get(status)?.ids().indexOf(id) ?? 0;
    let column = this.#sequence.indexOf(status) + by;
    for (; column >= 0 && column < this.#sequence.length; column += by) {
      const name = this.#sequence[column]!;
      const ids = this.#columns.get(name)?.ids() ?? [];
      if (ids.length > 0) return this.#go(name, Math.min(Math.max(0, index), ids.length - 1));
    }
  }

  /** Focuses the card wherever it is; returns whether it is on the board. */
  to(id: string): boolean {
    for (const [status, reach] of this.#columns) {
      const index = reach.ids().indexOf(id);
      if (index < 0) continue;
      this.#go(status, index);
      return true;
    }
    return false;
  }

  /** Focuses the card once it is on the board, unless somebody has gone elsewhere than `from` meanwhile. */
  follow(id: string, from: Element | null, until = performance.now() + COMES): void {
    requestAnimationFrame(() => {
      const now = document.activeElement;
      if ((now !== from && now !== document.body) || this.to(id) || performance.now() > until) return;
      this.follow(id, from, until);
    });
  }

  /** Focuses the card where the keyboard was, or else the first there is; returns whether there is one. */
  first(): boolean {
    const has = (name: string) => (this.#columns.get(name)?.ids().length ?? 0) > 0;
    const status = this.#at !== undefined && has(this.#at.status) ? this.#at.status : this.#sequence.find(has);
    if (status === undefined) return false;
    this.#go(status, Math.max(0, this.#columns.get(status)?.ids().indexOf(this.#at?.id ?? "") ?? 0));
    return true;
  }

  #go(status: string, index: number): void {
    const reach = this.#columns.get(status);
    const id = reach?.ids()[index];
    if (reach === undefined || id === undefined) return;
    this.set(status, id);
    reach.focus(index);
  }
}
