/** Statuses that are shown before the server has agreed. */

import { key, type OrdercastClient, type Order } from "@ordercast/client";

interface Guess {
  readonly status: string;
  /** Of the order that it was made on: any other has moved on, and the guess counts no more. */
  readonly version: number;
}

/** One per client: what one component changes, all others show. */
export class Guesses {
  static readonly #all = new WeakMap<OrdercastClient, Guesses>();
  readonly #guesses = new Map<string, Guess>();
  readonly #underWay = new Map<string, Promise<Order | undefined>>();
  readonly #listeners = new Set<() => void>();
  readonly #shown = new WeakMap<Order, { guess: Guess; order: Order }>();

  static of(client: OrdercastClient): Guesses {
    let guesses = Guesses.#all.get(client);
    if (guesses === undefined) Guesses.#all.set(client, (guesses = new Guesses()));
    return guesses;
  }

  subscribe(listener: () => void): () => void {
    const own = () => listener();
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  /** Whether everything is shown as it is. */
  get none(): boolean {
    return this.#guesses.size === 0;
  }

  /** Returns what takes it back. */
  make(order: Order, status: string): () => void {
    const id = key(order.orderId);
    const guess = { status, version: order.version };
    this.#guesses.set(id, guess);
    this.#tell();
    return () => {
      if (this.#guesses.get(id) !== guess) return; // another has been made since
      this.#guesses.delete(id);
      this.#tell();
    };
  }

  /** Changes an order once what was asked of it before has been answered: `change` gets the order as that has left it. */
  async inTurn(shown: Order, change: (order: Order) => Promise<Order | undefined>): Promise<Order | undefined> {
    const id = key(shown.orderId);
    const before = this.#underWay.get(id);
    const mine = before === undefined ? change(shown) : before.then((left) => change(left ?? shown));
    this.#underWay.set(id, mine);
    try {
      return await mine;
    } finally {
      if (this.#underWay.get(id) === mine) this.#underWay.delete(id);
    }
  }

  /** The order as it is to be shown: the same object for the same order and guess. */
  shown(order: Order): Order {
    const guess = this.#guesses.get(key(order.orderId));
    if (guess === undefined || guess.version !== order.version) return order;
    const made = this.#shown.get(order);
    if (made?.guess === guess) return made.order;
    const changed = { ...order, status: guess.status };
    this.#shown.set(order, { guess, order: changed });
    return changed;
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
