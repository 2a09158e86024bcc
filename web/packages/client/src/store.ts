/**
 * What is known of the orders that somebody is interested in, and the fetching of what is missing.
 *
 * Nothing is dropped while an answer is under way: an old answer that comes after the news would otherwise be taken
 * for the news.
 */

import { delay, type Backoff } from "./backoff.ts";
import { isComplete, NOTHING, toOrder, withSnapshot, type Known } from "./merge.ts";
import { key, type Id, type Order } from "./models.ts";
import { platform, type Timer } from "./platform.ts";
import { isPassing } from "./rest.ts";
import { TokenError } from "./tokens.ts";

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
  /** What it must have cannot be had. */
  failed(error: Error, id?: string): void;
  /** All is to be fetched anew. */
  forget(): void;
}

const NOTICED = 500; // ms
const AT_ONCE = 6; // requests under way; as many as a browser makes to one host

export class OrderStore {
  readonly #fetchOrder: (id: string) => Promise<Order>;
  readonly #backoff: Backoff;
  readonly #known = new Map<string, Known>();
  readonly #interests = new Set<Interest>();
  readonly #fetching = new Map<string, object>();
  readonly #loading = new Map<Interest, object>();
  readonly #failed = new Set<string>();
  #stepOf: (status: string) => number | undefined = () => undefined;
  #waiting: (() => void)[] = [];
  readonly #beginning: (() => void)[] = [];
  #epoch = {};
  #failures = 0;
  #timer: Timer | undefined;
  #paused = false;

  constructor(fetchOrder: (id: string) => Promise<Order>, backoff: Backoff) {
    this.#fetchOrder = fetchOrder;
    this.#backoff = backoff;
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
    this.#failed.clear();
    this.bring();
  }

  delete(interest: Interest): void {
    this.#interests.delete(interest);
    this.began(); // it is not waited for any more
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

  /** Where in the log to listen from so that no list misses anything; `undefined`: not known yet, `null`: there is no list. */
  get since(): number | null | undefined {
    // One that is refused waits for nothing.
    const lists = [...this.#interests].filter(({ load, ready, position }) => load !== undefined && !(ready && position === undefined));
    if (lists.length === 0) return null;
    const positions = lists.map(({ position }) => position);
    return positions.includes(undefined) ? undefined : Math.min(...(positions as number[]));
  }

  /** `since`, waited for as long as a person does not notice: not to know it costs asking for all once more. */
  async begins(): Promise<number | null | undefined> {
    let late = false;
    const timer = platform.setTimeout(() => {
      late = true;
      this.began();
    }, NOTICED);
    while (this.since === undefined && !late) await new Promise<void>((resolve) => this.#beginning.push(resolve));
    platform.clearTimeout(timer);
    return this.since;
  }

  /** A list has had its first answer. */
  began(): void {
    for (const resolve of this.#beginning.splice(0)) resolve();
  }

  /** Takes something in: `change` is one of merge.ts. */
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
    const epoch = this.#epoch;
    return (orders) => {
      if (epoch !== this.#epoch) return false;
      for (const order of orders) this.snapshot(order);
      return true;
    };
  }

  /** Versions known so far may be those of another log: fetches all anew. Resolves when it is there. */
  reset(): Promise<void> {
    this.#epoch = {};
    this.#known.clear();
    this.#fetching.clear();
    this.#loading.clear();
    this.#failed.clear();
    for (const interest of this.#interests) interest.forget();
    const settled = new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.resume();
    return settled;
  }

  /** No more tries until `resume`. */
  pause(): void {
    this.#paused = true;
    platform.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Tries at once what failed. */
  resume(): void {
    this.#paused = false;
    platform.clearTimeout(this.#timer);
    this.#timer = undefined;
    this.bring();
  }

  /** Asks for everything that is missing and not under way. */
  bring(): void {
    if (this.#paused || this.#timer !== undefined) return;
    for (const interest of this.#interests) {
      if (!interest.ready && interest.load !== undefined && !this.#loading.has(interest)) void this.#load(interest, interest.load);
    }
    // What lists load may be what is missing.
    if (this.#loading.size === 0) for (const id of [...this.#missing()]) this.#look(id);
    this.#settle();
  }

  #look(id: string): void {
    if (this.#fetching.has(id) || this.#failed.has(id)) return;
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

  async #load(interest: Interest, load: (store: OrderStore) => Promise<void>): Promise<void> {
    await this.#try(this.#loading, interest, () => load.call(interest, this), (error) => {
      interest.failed(error);
      this.began();
    });
  }

  async #fetch(id: string): Promise<void> {
    const take = this.taker();
    await this.#try(this.#fetching, id, async () => void take([await this.#fetchOrder(id)]), (error) => {
      this.#failed.add(id);
      this.#known.delete(id);
      for (const interest of this.#interests) if (interest.names.includes(id)) interest.failed(error, id);
      this.#tell(id);
    });
  }

  /** One try of something, counted as under way. `refused`: trying again would not help. */
  async #try<K>(underWay: Map<K, object>, what: K, doIt: () => Promise<void>, refused: (error: Error) => void): Promise<void> {
    const mark = {};
    underWay.set(what, mark);
    let failure: unknown = null;
    try {
      await doIt();
    } catch (error) {
      failure = error ?? new Error("failed");
    }
    if (underWay.get(what) !== mark) return; // a reset came in between
    underWay.delete(what);
    if (failure === null) this.#failures = 0;
    else if (isPassing(failure) || failure instanceof TokenError) this.#later();
    else refused(failure instanceof Error ? failure : new Error(String(failure)));
    this.bring();
    this.#settle();
  }

  #later(): void {
    if (this.#paused || this.#timer !== undefined) return;
    this.#failures += 1;
    this.#timer = platform.setTimeout(() => this.resume(), delay(this.#backoff, this.#failures, Math.random()));
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
    if (this.#waiting.length === 0 || this.#loading.size > 0 || this.#fetching.size > 0 || this.#timer !== undefined) return;
    for (const interest of this.#interests) if (!interest.ready) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
