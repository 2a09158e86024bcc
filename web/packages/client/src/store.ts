/**
 * What is known of the orders that somebody is interested in, and the fetching of what is missing.
 *
 * Nothing is dropped while an answer is under way: an old answer that comes after the news would otherwise be taken
 * for the news.
 */

import type { Backoff } from "./backoff.ts";
import { Beginning } from "./beginning.ts";
import { isComplete, NOTHING, toOrder, withSnapshot, type Known } from "./merge.ts";
import { key, type Id, type Order } from "./models.ts";
import type { Problem } from "./rest.ts";
import { Tries } from "./tries.ts";

/** Somebody who wants to see orders. */
export interface Interest {
  /** Whether it has all that it asked for, or knows that it cannot have it. */
  readonly ready: boolean;
  /** Orders that it names itself, and must have. */
  readonly names: readonly string[];
  wants(id: string, known: Known): boolean;
  /** Fetches what it has not got; `undefined`: it has nothing of its own to fetch. */
  load?(store: OrderStore): Promise<void>;
  /** Of who loads: where the log was when it began to; `undefined`: not known yet. */
  readonly position?: number | undefined;
  changed(id: string): void;
  /** An order cannot be had, or not any more. */
  gone(id: string, error: Error): void;
  /** What it must load cannot be had. */
  failed?(error: Error): void;
  /** What was refused is asked for again; until the answer, the refusal is shown. */
  retry(): void;
  /** All is to be fetched anew. */
  forget(): void;
}

const AT_ONCE = 6; // requests under way; as many as a browser makes to one host

export class OrderStore {
  readonly #fetchOrder: (id: string) => Promise<Order>;
  readonly #tries: Tries;
  readonly #known = new Map<string, Known>();
  readonly #interests = new Set<Interest>();
  readonly beginning = new Beginning(this.#interests);
  readonly #fetching = new Map<string, object>();
  readonly #loading = new Map<Interest, object>();
  /** Who has been told that something cannot be had. */
  readonly #refused = new Set<Interest>();
  /** Orders of lists whose fetching was refused, but for those that are not there. */
  readonly #dropped = new Set<string>();
  /** Orders that were lost, and when by `#losses`: what was asked before that tells nothing of them. */
  readonly #lost = new Map<string, number>();
  #losses = 0;
  #stepOf: (status: string) => number | undefined = () => undefined;
  #waiting: (() => void)[] = [];
  #epoch = {};

  constructor(fetchOrder: (id: string) => Promise<Order>, backoff: Backoff) {
    this.#fetchOrder = fetchOrder;
    this.#tries = new Tries(backoff, () => this.bring());
  }

  /** Which step a status is, once that is known. Tells of those orders that this makes others. */
  setSteps(stepOf: (status: string) => number | undefined): void {
    const before = this.#stepOf;
    this.#stepOf = stepOf;
    for (const [id, { fields }] of this.#known) {
      const { status, step } = fields;
      if (status !== undefined && (before(status) ?? step) !== (stepOf(status) ?? step)) this.#tell(id);
    }
  }

  add(interest: Interest): void {
    this.#interests.add(interest);
    this.bring();
  }

  delete(interest: Interest): void {
    this.#interests.delete(interest);
    this.#refused.delete(interest);
    this.beginning.look();
    this.bring();
  }

  /** The order as far as it is known, and whether that is all of it. */
  get(id: string): { order: Order | undefined; complete: boolean } {
    const known = this.#known.get(id);
    if (known === undefined) return { order: undefined, complete: false };
    return { order: toOrder(known, this.#stepOf), complete: isComplete(known) };
  }

  ids(): IterableIterator<string> {
    return this.#known.keys();
  }

  /** Takes something in: `change` is one of merge.ts. Of whom one hears, one may see: it is fetched whatever was said before. */
  apply(orderId: Id, change: (known: Known) => Known): void {
    const id = key(orderId);
    const before = this.#known.get(id) ?? NOTHING;
    const after = change(before);
    if (!this.#busy(id) && !this.#isWanted(id, after)) {
      if (!this.#known.delete(id)) return;
    } else {
      this.#known.set(id, after);
    }
    this.#tell(id);
    if (!isComplete(after)) this.bring();
    else this.#settle();
  }

  /** A whole order, as REST gave it. Not for answers from before a `reset`. */
  snapshot(order: Order): void {
    this.apply(order.orderId, (known) => withSnapshot(known, order));
  }

  /** Takes in answers to what is asked from now on, and none after a `reset`: returns whether there was one. */
  taker(): (orders: readonly Order[]) => boolean {
    const [epoch, losses] = [this.#epoch, this.#losses];
    return (orders) => {
      if (epoch !== this.#epoch) return false;
      for (const order of orders) if ((this.#lost.get(key(order.orderId)) ?? 0) <= losses) this.snapshot(order);
      return true;
    };
  }

  /** The server says that the order is not to be seen any more. */
  lose(id: string, error: Error): void {
    this.#lost.set(id, ++this.#losses);
    this.#gone(id, error);
    this.#settle();
  }

  /** Versions known so far may be those of another log: fetches all anew. Resolves when it is there. */
  reset(): Promise<void> {
    this.#epoch = {};
    this.#known.clear();
    this.#fetching.clear();
    this.#loading.clear();
    this.#refused.clear();
    this.#dropped.clear();
    this.#lost.clear();
    for (const interest of this.#interests) interest.forget();
    const settled = new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.resume();
    return settled;
  }

  /** No more tries until `resume`. */
  pause(): void {
    this.#tries.pause();
  }

  /** Tries at once what failed. */
  resume(): void {
    this.#tries.resume();
  }

  /** Does not wait for `backoff`. */
  hurry(): void {
    this.#tries.hurry();
  }

  /** As `resume`, and asks again for what was refused: it may be another's token, or another's order, by now. */
  retry(): void {
    for (const interest of this.#refused) interest.retry();
    this.#refused.clear();
    for (const id of this.#dropped) if (!this.#known.has(id)) this.#known.set(id, NOTHING);
    this.#dropped.clear();
    this.resume();
  }

  /** Asks for everything that is missing and not under way. */
  bring(): void {
    if (!this.#tries.open) return;
    for (const interest of this.#interests) {
      if (!interest.ready && interest.load !== undefined && !this.#loading.has(interest)) void this.#load(interest, interest.load);
    }
    // What lists load may be what is missing.
    if (this.#loading.size === 0) for (const id of [...this.#missing()]) this.#look(id);
    this.#settle();
  }

  #look(id: string): void {
    if (this.#fetching.has(id)) return;
    if (!this.#isWanted(id, this.#known.get(id) ?? NOTHING)) {
      this.#known.delete(id);
      this.#tell(id);
    } else if (this.#fetching.size < AT_ONCE) {
      void this.#fetch(id);
    }
  }

  *#missing(): Iterable<string> {
    for (const interest of this.#interests) {
      if (!interest.ready) for (const id of interest.names) if (!this.#known.has(id)) yield id;
    }
    for (const [id, known] of this.#known) if (!isComplete(known) || !this.#isWanted(id, known)) yield id;
  }

  #load(interest: Interest, load: (store: OrderStore) => Promise<void>): Promise<void> {
    return this.#tries.run(this.#loading, interest, () => load.call(interest, this), (error) => {
      this.#refused.add(interest);
      interest.failed?.(error);
      this.beginning.look();
    });
  }

  #fetch(id: string): Promise<void> {
    const take = this.taker();
    const before = this.#known.get(id);
    const news = () => this.#known.get(id) !== before; // which came meanwhile, so that the answer may be of before it
    const fetch = async () => {
      const order = await this.#fetchOrder(id);
      const heard = news();
      take([order]);
      const known = this.#known.get(id);
      if (!heard && known !== undefined && !isComplete(known)) throw new Error(`The server has an older order ${id} than it told of.`);
    };
    return this.#tries.run(this.#fetching, id, fetch, (error) => {
      if (news()) return;
      if ((error as Partial<Problem>).status !== 404) this.#dropped.add(id);
      this.#gone(id, error);
    });
  }

  #gone(id: string, error: Error): void {
    this.#known.delete(id);
    for (const interest of [...this.#interests]) {
      if (interest.names.includes(id)) this.#refused.add(interest);
      interest.gone(id, error);
    }
  }

  #busy(id: string): boolean {
    return this.#loading.size > 0 || this.#fetching.has(id);
  }

  #isWanted(id: string, known: Known): boolean {
    for (const interest of this.#interests) if (interest.wants(id, known)) return true;
    return false;
  }

  #tell(id: string): void {
    for (const interest of [...this.#interests]) interest.changed(id);
  }

  #settle(): void {
    if (this.#waiting.length === 0 || this.#loading.size > 0 || this.#fetching.size > 0 || this.#tries.waiting) return;
    for (const interest of this.#interests) if (!interest.ready) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
