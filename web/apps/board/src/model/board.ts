/**
 * What the board shows: the live orders, grouped, with what this person has just done and the server has not yet
 * answered. Who draws a card, a column or a figure listens to that alone, so that a change draws what it touches.
 */

import { key, type Id, type Order, type OrdersSubscription } from "@ordercast/client";
import { changes } from "./changes.ts";
import { Columns, type Compare } from "./columns.ts";
import { perFrame, type Schedule } from "./frames.ts";

/** One card. The same object until something in it changes. */
export interface Card {
  readonly order: Order;
  /** Whether something of it waits for the server. */
  readonly pending: boolean;
  /** Why the last thing that was tried did not happen, in words. */
  readonly problem: string | undefined;
  /** When it came into its column, while someone could see that; ms of `performance.now()`. */
  readonly movedAt: number | undefined;
}

/** Something that was done and is not answered yet. */
interface Guess {
  readonly fields: Partial<Order>;
  /** The order that it was done to, as it was shown, with guesses before this one. */
  readonly to: Order;
}

/** What somebody means who does something. Where one of these is another by now, what was done to it counts no more. */
const MEANT = ["status", "claimedBy", "firstContactAt"] as const;

const holds = ({ fields, to }: Guess, order: Order): boolean => MEANT.every((name) => fields[name] === undefined || said(order[name]) === said(to[name]));
const said = (value: Id | null): string => (value === null ? "" : key(value));

type Listener = () => void;

export class Board {
  readonly #feed: OrdersSubscription;
  readonly #end: () => void;
  #seen: readonly Order[] = [];
  #complete = false;
  #lets: ((order: Order) => boolean) | undefined;
  #compare: Compare | undefined;
  #all: Columns;
  /** Only what the filter lets through; `#all` itself where there is none. */
  #shown: Columns;
  readonly #cards = new Map<string, Card>();
  /** By order, in the order in which they were made. */
  readonly #guesses = new Map<string, readonly Guess[]>();
  readonly #problems = new Map<string, string>();
  readonly #moved = new Map<string, number>();
  readonly #byCard = new Map<string, Set<Listener>>();
  readonly #byColumn = new Map<string, Set<Listener>>();
  readonly #any = new Set<Listener>();
  #changes = 0;

  constructor(feed: OrdersSubscription, schedule: Schedule = perFrame, compare?: Compare) {
    this.#feed = feed;
    this.#all = this.#shown = new Columns(compare);
    this.#end = feed.subscribe(schedule(() => this.#update()));
    this.#update();
  }

  /** Ends it, and the subscription. */
  readonly close = (): void => {
    this.#end();
    this.#feed.unsubscribe();
  };

  /** Whether everything that is open has been loaded. */
  get complete(): boolean {
    return this.#complete;
  }

  /** Rises with each change of anything: what `useSyncExternalStore` may ask for who looks at all orders. */
  readonly changed = (): number => this.#changes;

  card(id: string): Card | undefined {
    const order = this.#all.get(id);
    if (order === undefined) return undefined;
    let card = this.#cards.get(id);
    if (card === undefined) {
      const [problem, movedAt] = [this.#problems.get(id), this.#moved.get(id)];
      this.#cards.set(id, (card = { order, pending: this.#guesses.has(id), problem, movedAt }));
    }
    return card;
  }

  /** The ids in a column that the filter lets through: the same array until they differ. */
  column(status: string): readonly string[] {
    return this.#shown.column(status);
  }

  /** How many there are in a column, filter or not. */
  total(status: string): number {
    return this.#all.column(status).length;
  }

  /** Whether the order is on the board as it is filtered. */
  shows(id: string): boolean {
    return this.#shown.get(id) !== undefined;
  }

  /** All in a column, filter or not. */
  in(status: string): Order[] {
    return this.#all.column(status).map((id) => this.#all.get(id)!);
  }

  /** All open orders, as shown. */
  orders(): IterableIterator<Order> {
    return this.#all.values();
  }

  /** Those that the filter lets through. */
  visible(): IterableIterator<Order> {
    return this.#shown.values();
  }

  readonly onCard = (id: string, listener: Listener): Listener => listen(this.#byCard, id, listener);
  readonly onColumn = (status: string, listener: Listener): Listener => listen(this.#byColumn, status, listener);
  readonly onAny = (listener: Listener): Listener => {
    this.#any.add(listener);
    return () => void this.#any.delete(listener);
  };

  /**
   * Shows only what `lets` lets through, sorted by `compare` where that is given; `undefined`: everything. Called again,
   * it looks at all again.
   */
  filter(lets: ((order: Order) => boolean) | undefined, compare?: Compare): void {
    const before = this.#lets === undefined || this.#compare !== compare ? undefined : this.#shown;
    this.#lets = lets;
    this.#compare = compare;
    if (lets === undefined) {
      this.#shown = this.#all;
      return this.#tell(this.#byColumn.keys(), []);
    }
    const through = new Map([...this.#all.values()].filter(lets).map((order) => [key(order.orderId), order]));
    const gone = [...(before?.values() ?? [])].map(({ orderId }) => key(orderId)).filter((id) => !through.has(id));
    const set = [...through].filter(([id, order]) => before?.get(id) !== order).map(([, order]) => order);
    this.#shown = before ?? this.#all.empty(compare);
    const columns = this.#shown.apply({ set, gone });
    this.#tell(before === undefined ? this.#byColumn.keys() : columns, []);
  }

  /** Shows `fields` of an order, as it is shown, before the server has agreed; returns what takes it back. */
  guess(order: Order, fields: Partial<Order>): () => void {
    const id = key(order.orderId);
    const guess = { fields, to: order };
    this.#guesses.set(id, [...(this.#guesses.get(id) ?? []), guess]);
    this.#refresh(id);
    return () => {
      const guesses = this.#guesses.get(id);
      if (guesses?.includes(guess) !== true) return; // the order has moved on
      this.#keep(id, guesses.filter((one) => one !== guess));
      this.#update(); // with what the server said meanwhile
      this.#refresh(id);
    };
  }

  /** Says on the card why something did not happen; `undefined`: says it no more. */
  say(id: string, problem: string | undefined): void {
    if (this.#problems.get(id) === problem) return;
    if (problem === undefined) this.#problems.delete(id);
    else this.#problems.set(id, problem);
    this.#cards.delete(id);
    this.#tell([], [id]);
  }

  #update(): void {
    const { orders, complete } = this.#feed.current;
    const seen = this.#complete; // while they are loaded, orders do not come: they have been there
    if (orders === this.#seen && complete === this.#complete) return;
    const { set, gone } = changes(this.#seen, orders);
    this.#seen = orders;
    this.#complete = complete;
    this.#take(set.map((order) => this.#guessed(order)), gone, seen);
  }

  /** The order, with what is guessed of it and still holds. */
  #guessed(order: Order): Order {
    const id = key(order.orderId);
    const guesses = this.#guesses.get(id);
    if (guesses === undefined) return order;
    let shown = order;
    const left = guesses.filter((guess) => {
      if (!holds(guess, shown)) return false;
      shown = { ...shown, ...guess.fields };
      return true;
    });
    this.#keep(id, left);
    return shown;
  }

  #keep(id: string, guesses: readonly Guess[]): void {
    if (guesses.length > 0) this.#guesses.set(id, guesses);
    else this.#guesses.delete(id);
  }

  #refresh(id: string): void {
    const order = this.#seen.find((order) => key(order.orderId) === id);
    if (order !== undefined) this.#take([this.#guessed(order)], [], true);
  }

  #take(set: readonly Order[], gone: readonly string[], seen: boolean): void {
    const ids = set.map(({ orderId }) => key(orderId));
    for (const [index, id] of ids.entries()) {
      const old = this.#all.get(id);
      const came = old?.status !== set[index]!.status;
      if (came && seen) this.#moved.set(id, performance.now());
      if (came || old?.version !== set[index]!.version) this.#problems.delete(id);
      this.#cards.delete(id);
    }
    for (const id of gone) for (const map of [this.#cards, this.#guesses, this.#problems, this.#moved]) map.delete(id);
    const columns = new Set(this.#all.apply({ set, gone }));
    if (this.#lets !== undefined) {
      const lets = this.#lets;
      const out = set.filter((order) => !lets(order)).map(({ orderId }) => key(orderId));
      for (const status of this.#shown.apply({ set: set.filter(lets), gone: [...gone, ...out] })) columns.add(status);
    }
    this.#tell(columns, [...ids, ...gone]);
  }

  #tell(columns: Iterable<string>, ids: Iterable<string>): void {
    this.#changes += 1;
    for (const status of [...columns]) for (const listener of [...(this.#byColumn.get(status) ?? [])]) listener();
    for (const id of ids) for (const listener of [...(this.#byCard.get(id) ?? [])]) listener();
    for (const listener of [...this.#any]) listener();
  }
}

function listen(all: Map<string, Set<Listener>>, name: string, listener: Listener): Listener {
  let listeners = all.get(name);
  if (listeners === undefined) all.set(name, (listeners = new Set()));
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0 && all.get(name) === listeners) all.delete(name);
  };
}
