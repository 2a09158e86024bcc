/** One object for everything: a socket, REST where there is none, and orders that keep themselves current. */

import { Actions, orderAt } from "./actions.ts";
import { IDLE, isEnded, isOver, next, type Connection, type Happening, type OfflineReason } from "./connection.ts";
import type { Cursor } from "./cursor.ts";
import { Emitter, type Listener } from "./emitter.ts";
import { Link } from "./link.ts";
import type { EventPage, Id } from "./models.ts";
import { News } from "./news.ts";
import { Observable } from "./observable.ts";
import { BACKOFF, CONNECT_TIMEOUT, FALLBACK_AFTER, REQUEST_TIMEOUT, type ClientEvents, type ClientOptions } from "./options.ts";
import { platform } from "./platform.ts";
import { Poller } from "./poller.ts";
import { Refresher } from "./refresher.ts";
import { parseUrl, Rest } from "./rest.ts";
import { openSocket } from "./socket.ts";
import { OrderStore } from "./store.ts";
import { Tokens } from "./tokens.ts";
import { Watches, type OrdersSubscription, type OrderSubscription } from "./watches.ts";
import type { OrderFilter } from "./list.ts";

export class OrdercastClient extends Actions {
  readonly #emitter = new Emitter<ClientEvents>();
  readonly #connection = new Observable<Connection>(IDLE);
  readonly #store: OrderStore;
  readonly #watches: Watches;
  readonly #link: Link;
  readonly #poller: Poller;
  readonly #refresher: Refresher;
  readonly #tokens: Tokens;
  readonly #socket: boolean;
  readonly #fallback: boolean;
  readonly #news: News;
  #heardAt = 0;
  /** There was no connection for a while, since when what was refused may be allowed. */
  #interrupted = false;
  /** The socket's connection: what was begun on an earlier one counts no more. */
  #session = {};

  /** `url`: where the server is; in a page, where the page is from. Does not connect yet. */
  constructor(url: string | undefined, options: ClientOptions) {
    const place = parseUrl(url ?? ownOrigin());
    const patience = options.requestTimeout ?? REQUEST_TIMEOUT;
    const tokens = new Tokens(options.token, patience);
    const rest = new Rest(place.origin + place.base, tokens, options.fetch ?? ((to, init) => platform.fetch(to, init)), patience);
    const backoff = options.backoff ?? BACKOFF;
    const store = new OrderStore((id) => orderAt(rest, "GET", id), backoff);
    super(rest, store);
    this.#store = store;
    this.#tokens = tokens;
    this.#socket = options.socket ?? true;
    this.#fallback = options.fallback ?? true;
    const cursor = () => this.#news.cursor;
    this.#link = new Link(
      {
        socket: {
          origin: place.origin,
          path: `${place.base}socket.io/`,
          timeout: options.connectTimeout ?? CONNECT_TIMEOUT,
          alive: () => this.#heard(),
        },
        open: options.openSocket ?? openSocket,
        tokens,
        backoff,
        since: async (first) => {
          const begins = first && cursor() === null ? await store.beginning.found() : undefined;
          return cursor() ?? begins ?? null; // polling may have got further meanwhile
        },
      },
      {
        connected: (replays, recovered) => this.#connected(replays, recovered),
        lost: () => this.#lost(),
        failed: (failures, why) => this.#failed(failures, why),
        ended: (reason) => this.#end(reason),
        event: (name, args) => {
          this.#heard();
          this.#news.heard(name, args);
        },
      },
    );
    this.#poller = new Poller(
      { call: (path, how) => rest.call<EventPage>("GET", path, how), backoff, cursor },
      {
        restarted: (page) => this.#restarted(page),
        page: (page) => this.#page(page),
        failed: (reason) => {
          this.#interrupted = true;
          if (!this.#link.connected) this.#happened({ type: "unreachable", reason });
        },
        ended: (reason) => this.#end(reason),
      },
    );
    this.#watches = new Watches(store, rest, (name, id) => this.#link.emit(name, id));
    this.#news = new News(options.since ?? null, store, this.#watches, this.#emitter, {
      caughtUp: () => this.#synced(),
      resync: () => {
        this.#poller.stop();
        this.#anew();
      },
      expiring: (expiresAt) => this.#refresher.start(expiresAt),
    });
    this.#emitter.on("token:refreshed", () => store.retry()); // which may let it see more
    this.#refresher = new Refresher(tokens, backoff, (name, ...args) => this.#link.emit(name, ...args), this.#emitter);
  }

  // -- the connection ----------------------------------------------------------------------------------------

  get connection(): Connection {
    return this.#connection.current;
  }

  /** When what is shown was last known to be all there is (ms since the epoch); `null`: never. */
  get lastSyncedAt(): number | null {
    return this.connection.status === "live" ? this.#heardAt : this.connection.lastSyncedAt;
  }

  /** Where it is in the log, to begin from another time (`since`); `null`: not known yet. */
  get cursor(): Cursor | null {
    return this.#news.cursor;
  }

  /** Connects, also after the server has ended the connection for good. */
  connect(): this {
    if (!isOver(this.connection)) return this;
    if (this.connection.status === "offline" && this.connection.reason !== "idle") this.#tokens.forget(); // it may have been the reason
    this.#happened({ type: "opening" });
    this.#store.retry();
    this.#learnSteps();
    if (this.#socket) this.#link.start();
    else this.#poller.start();
    return this;
  }

  /** Ends the connection until `connect`. What is watched stays so. */
  disconnect(): void {
    this.#end("closed");
  }

  /**
   * Tries at once, where it waits to try again: when the network is back, or the application is in front again. Where it
   * is connected, makes sure that it still is: without an answer in 5 s it connects anew.
   */
  retryNow(): void {
    this.#link.hurry();
    this.#poller.hurry();
    this.#store.hurry();
  }

  /**
   * Asks the token function at once, which has a newer one: goes on with that, also after the old one has ended. Before
   * `connect`, or after `disconnect`, it is asked for when the client connects.
   */
  renewToken(): void {
    this.#tokens.abandon();
    if (this.#link.connected) {
      this.#refresher.start(Infinity);
    } else if (isOver(this.connection)) {
      this.#tokens.forget();
      if (isEnded(this.connection)) this.connect();
    } else {
      const goOn = () => {
        if (!isOver(this.connection)) this.#store.retry();
        this.retryNow();
      };
      this.#tokens.fresh().then(goOn, () => this.retryNow());
    }
  }

  // -- listening ---------------------------------------------------------------------------------------------

  /** Listens to an event; each is told once. Returns a function that ends it. */
  on<Name extends keyof ClientEvents>(name: Name, listener: Listener<ClientEvents[Name]>): () => void {
    return this.#emitter.on(name, listener);
  }

  /** Calls `listener` whenever `connection` changes; returns a function that ends it. */
  onConnection = (listener: () => void): (() => void) => this.#connection.subscribe(listener);

  /** An order that keeps itself current, until `unsubscribe`. Of what can be no id, the `error` says so. */
  watchOrder(id: Id): OrderSubscription {
    return this.#watches.order(id);
  }

  /**
   * All orders that the token may see and the filter lets through, current until `unsubscribe`. With a service's token
   * only where the client has `socket: false`.
   */
  watchOrders(filter: OrderFilter = {}): OrdersSubscription {
    return this.#watches.orders(filter);
  }

  // -- what happens ------------------------------------------------------------------------------------------

  #happened(happening: Happening): void {
    const before = this.connection;
    this.#connection.set(next(before, happening));
    const after = this.connection;
    if (after !== before && (after.status !== before.status || after.status === "offline")) this.#emitter.emit("connection", after);
  }

  #connected(replays: boolean, recovered: boolean): void {
    this.#session = {};
    this.#heard();
    this.#happened({ type: "connected" });
    this.#watches.connected(recovered);
    if (replays) return;
    // A list that was asked for before is told nothing of what came between its answer and this.
    if (this.#store.beginning.position === null) this.#synced();
    else this.#anew();
  }

  #lost(): void {
    this.#session = {};
    this.#interrupted = true;
    this.#refresher.stop();
    this.#happened({ type: "lost", heardAt: this.#heardAt });
  }

  #failed(failures: number, reason: "unreachable" | "token"): void {
    if (!this.#fallback || reason === "token") this.#happened({ type: "unreachable", reason });
    if (this.#fallback && failures >= FALLBACK_AFTER) this.#poller.start();
  }

  #synced(): void {
    this.#poller.stop();
    this.#heard();
    this.#happened({ type: "synced", at: this.#heardAt });
    this.#back();
    this.#learnSteps();
  }

  /** There is a way to the server again: tries at once what failed. */
  #back(): void {
    if (this.#interrupted) this.#store.retry();
    else this.#store.resume();
    this.#interrupted = false;
  }

  #end(reason: OfflineReason): void {
    this.#session = {};
    this.#link.stop();
    this.#poller.stop();
    this.#refresher.stop();
    this.#store.pause();
    this.#happened({ type: "ended", reason, heardAt: this.#heardAt });
  }

  #heard(): void {
    this.#heardAt = Date.now();
  }

  #anew(): void {
    const session = this.#session;
    void this.#store.reset().then(() => {
      if (session === this.#session) this.#synced();
    });
  }

  /** As `resync`, where it polls: whoever keeps something themselves is told alike. */
  #restarted({ cursor, position }: EventPage): Promise<void> {
    const anew = this.cursor !== null || this.connection.lastSyncedAt !== null;
    this.#news.restart(position, cursor);
    const done = this.#store.reset();
    if (anew) this.#emitter.emit("resync", { position });
    return done;
  }

  #page(page: EventPage): void {
    this.#heard();
    this.#news.page(page);
    const before = this.connection.status;
    this.#happened({ type: "polled", at: this.#heardAt });
    if (before === "polling") return;
    this.#back();
    if (before === "offline") this.#link.hurry(); // what brought REST back may have brought the socket back too
  }

  #learnSteps(): void {
    this.workflow().then(
      ({ statuses }) => {
        const steps = new Map(statuses.map(({ name, step }) => [name, step]));
        this.#store.setSteps((status) => steps.get(status));
      },
      () => undefined, // asked again when next in sync; orders are shown with the step they came with
    );
  }
}

/** A client that connects. */
export function connect(url: string | undefined, options: ClientOptions): OrdercastClient;
export function connect(options: ClientOptions): OrdercastClient;
export function connect(url: string | ClientOptions | undefined, options?: ClientOptions): OrdercastClient {
  if (typeof url === "object") return new OrdercastClient(undefined, url).connect();
  if (options === undefined) throw new TypeError("connect(url, { token }) needs a token, or a function that gets one");
  return new OrdercastClient(url, options).connect();
}

function ownOrigin(): string {
  const origin = platform.location?.origin;
  if (origin === undefined) throw new TypeError("say where the server is: connect('https://shop.example', { token })");
  return origin;
}
