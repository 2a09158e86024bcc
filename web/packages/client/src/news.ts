/** What the server tells, by the socket or by polling: into the store, on to who listens, and how far in the log that is. */

import { arrival, startingAt, type Arrivals } from "./arrivals.ts";
import { movedTo, newest, type Cursor } from "./cursor.ts";
import type { Emitter } from "./emitter.ts";
import { isLogEvent, type ControlEvents, type LogEventName, type LogEvents } from "./events.ts";
import { withEvent, withGlimpse, withSnapshot, type Known } from "./merge.ts";
import { key, type EventPage } from "./models.ts";
import type { ClientEvents } from "./options.ts";
import type { OrderStore } from "./store.ts";
import type { Watches } from "./watches.ts";

export interface NewsEvents {
  /** All that was missed has been told. */
  caughtUp(): void;
  /** What was missed cannot be told. */
  resync(): void;
  /** `expiresAt`: s since the epoch. */
  expiring(expiresAt: number): void;
}

function withLogged(known: Known, data: LogEvents[LogEventName]): Known {
  if ("createdAt" in data) return withSnapshot(known, data);
  return "status" in data || "changes" in data ? withEvent(known, data) : known;
}

type Control = { [Name in keyof ControlEvents]: { name: Name; data: ControlEvents[Name] } }[keyof ControlEvents];

export class News {
  readonly #store: OrderStore;
  readonly #watches: Watches;
  readonly #emitter: Emitter<ClientEvents>;
  readonly #events: NewsEvents;
  #cursor: Cursor | null;
  #arrivals: Arrivals = startingAt(0);

  constructor(since: Cursor | null, store: OrderStore, watches: Watches, emitter: Emitter<ClientEvents>, events: NewsEvents) {
    this.#cursor = since;
    this.#store = store;
    this.#watches = watches;
    this.#emitter = emitter;
    this.#events = events;
  }

  /** Where the client is in the log; `null`: not known. */
  get cursor(): Cursor | null {
    return this.#cursor;
  }

  /** What the socket says. */
  heard(name: string, args: unknown[]): void {
    const data = args[0];
    if (isLogEvent(name)) this.#logged(name, data as LogEvents[LogEventName]);
    else this.#control(name, args);
  }

  /** What `GET /api/events` gives. */
  page({ events, cursor }: EventPage): void {
    for (const { event, data } of events) this.heard(event, [data]);
    this.#cursor = newest(this.#cursor, cursor);
  }

  /** There is no going on from where it was: it goes on from here. */
  restart(position: number, cursor: Cursor | null): void {
    this.#cursor = cursor;
    this.#arrivals = startingAt(position);
  }

  #control(name: string, args: unknown[]): void {
    const said = { name, data: args[0] } as Control;
    switch (said.name) {
      case "position":
        this.#cursor = newest(this.#cursor, said.data);
        break;
      case "caught_up":
        this.#cursor = movedTo(this.#cursor, said.data.position);
        this.#events.caughtUp();
        break;
      case "resync":
        this.restart(said.data.position, null); // the next `position` tells it; until then socket.io-client's own pid serves
        this.#events.resync();
        break;
      case "watching":
        this.#watches.acknowledged(key(said.data.orderId));
        this.#store.apply(said.data.orderId, (known) => withGlimpse(known, said.data));
        break;
      case "watch:denied":
        this.#watches.denied(said.data);
        break;
      case "token:expiring":
        this.#events.expiring(said.data.expiresAt);
        break;
      case "force_disconnect": // the link heard it
      case "board:changed":
        break;
      default:
        this.#emitter.emit("message", { name, args });
        return;
    }
    this.#emitter.emit(said.name, said.data);
  }

  #logged(name: LogEventName, data: LogEvents[LogEventName]): void {
    const arrived = arrival(this.#arrivals, name, data.position);
    if (name !== "order:gone") this.#store.apply(data.orderId, (known) => withLogged(known, data));
    else if (arrived !== null) this.#watches.gone(key(data.orderId)); // once: it may have come back since
    if (arrived === null) return;
    this.#arrivals = arrived;
    this.#emitter.emit(name, data as never);
  }
}
