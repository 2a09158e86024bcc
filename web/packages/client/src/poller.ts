/** Asks `GET /api/events` again and again, in place of a socket. */

import { delay, type Backoff } from "./backoff.ts";
import { endedBy, type OfflineReason } from "./connection.ts";
import type { Cursor } from "./cursor.ts";
import type { EventPage } from "./models.ts";
import { platform, type AbortControllerLike, type Timer } from "./platform.ts";
import { isRefusal, type CallOptions } from "./rest.ts";
import { TokenError } from "./tokens.ts";

/** s that the server may keep a request waiting; below the 30 s after which many proxies give up. */
export const WAIT = 20;

/** ms that an answer may take on top of that, after which the connection counts as dead. */
const PATIENCE = 15_000;

export interface PollerEvents {
  /** There is no going on from where it was: what is shown is to be fetched anew, from here on events follow. */
  restarted(page: EventPage): Promise<void>;
  page(page: EventPage): void;
  failed(why: "unreachable" | "token"): void;
  ended(reason: OfflineReason): void;
}

export interface PollerOptions {
  call: (path: string, options: CallOptions) => Promise<EventPage>;
  backoff: Backoff;
  cursor: () => Cursor | null;
}

export class Poller {
  readonly #options: PollerOptions;
  readonly #events: PollerEvents;
  /** Of the run under way; a new one begins with a new controller. */
  #run: AbortControllerLike | undefined;
  #timer: Timer | undefined;
  /** Ends the wait for the next try. */
  #wake: () => void = () => undefined;

  constructor(options: PollerOptions, events: PollerEvents) {
    this.#options = options;
    this.#events = events;
  }

  start(): void {
    if (this.#run !== undefined) return;
    this.#run = new platform.AbortController();
    void this.#loop(this.#run);
  }

  stop(): void {
    this.#run?.abort();
    this.#run = undefined;
    this.hurry(); // into its end
  }

  /** Does not wait for `backoff`. */
  hurry(): void {
    platform.clearTimeout(this.#timer);
    this.#wake();
  }

  async #loop(run: AbortControllerLike): Promise<void> {
    let failures = 0;
    let wait = 0; // at first, so that it is known at once whether this way is open
    let restart = this.#options.cursor() === null;
    while (!run.signal.aborted) {
      try {
        const after = restart ? undefined : (this.#options.cursor() ?? undefined);
        const page = await this.#ask(run, after, wait);
        if (run.signal.aborted) return;
        if (after === undefined) await this.#events.restarted(page);
        if (run.signal.aborted) return;
        this.#events.page(page);
        restart = false;
        failures = 0;
        wait = WAIT;
      } catch (error) {
        if (run.signal.aborted) return;
        wait = 0;
        const refusal = isRefusal(error) ? error : undefined;
        if (refusal?.status === 410 && !restart) {
          restart = true;
          continue;
        }
        if (refusal?.status === 401) {
          this.stop();
          this.#events.ended(endedBy(refusal.title) ?? "unauthorized");
          return;
        }
        failures += 1;
        this.#events.failed(error instanceof TokenError ? "token" : "unreachable");
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
          this.#timer = platform.setTimeout(resolve, delay(this.#options.backoff, failures, Math.random()));
        });
      }
    }
  }

  /** One request, given up when the run ends or nothing comes. */
  async #ask(run: AbortControllerLike, after: Cursor | undefined, wait: number): Promise<EventPage> {
    const timer = platform.setTimeout(() => this.#restart(run), wait * 1000 + PATIENCE);
    try {
      return await this.#options.call("events", { query: { after, wait: wait || undefined }, signal: run.signal });
    } finally {
      platform.clearTimeout(timer);
    }
  }

  #restart(run: AbortControllerLike): void {
    if (this.#run !== run) return;
    this.stop();
    this.#events.failed("unreachable");
    this.start();
  }
}
