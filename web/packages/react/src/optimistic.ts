/** Statuses that are shown before the server has agreed. */

import { key, type OrdercastClient, type Order } from "@ordercast/client";

interface Guess {
  readonly status: string;
  /** What it was made from: an order that is in another status has moved on, and the guess counts no more. */
  readonly from: string;
}

const NONE: readonly Guess[] = [];

/** One per client: what one component changes, all others show. */
export class Guesses {
  static readonly #all = new WeakMap<OrdercastClient, Guesses>();
  /** By order, in the order in which they were made. */
  readonly #guesses = new Map<string, readonly Guess[]>();
  readonly #underWay = new Map<string, Promise<Order | undefined>>();
  readonly #listeners = new Set<() => void>();
  readonly #shown = new WeakMap<Order, { guesses: readonly Guess[]; order: Order }>();

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
    const guess = { status, from: order.status };
    this.#guesses.set(id, [...this.#of(id), guess]);
    this.#tell();
    return () => {
      const left = this.#of(id).filter((one) => one !== guess);
      if (left.length > 0) this.#guesses.set(id, left);
      else this.#guesses.delete(id);
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

  /** The order as it is to be shown: the same object for the same order and guesses. */
  shown(order: Order): Order {
    const guesses = this.#of(key(order.orderId));
    if (guesses.length === 0) return order;
    const made = this.#shown.get(order);
    if (made?.guesses === guesses) return made.order;
    let { status } = order;
    for (const guess of guesses) if (guess.from === status || guess.from === order.status) ({ status } = guess);
    const changed = status === order.status ? order : { ...order, status };
    this.#shown.set(order, { guesses, order: changed });
    return changed;
  }

  #of(id: string): readonly Guess[] {
    return this.#guesses.get(id) ?? NONE;
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
