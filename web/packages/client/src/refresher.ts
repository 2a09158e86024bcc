/** Gets a new token before the one in use ends, and tells the server. */

import { delay, type Backoff } from "./backoff.ts";
import type { Emitter } from "./emitter.ts";
import type { Refreshed } from "./events.ts";
import type { ClientEvents } from "./options.ts";
import { platform, type Timer } from "./platform.ts";
import type { Tokens } from "./tokens.ts";

export class Refresher {
  readonly #tokens: Tokens;
  readonly #backoff: Backoff;
  readonly #say: (name: string, ...args: unknown[]) => void;
  readonly #emitter: Emitter<ClientEvents>;
  #run: object | undefined;
  #timer: Timer | undefined;

  constructor(tokens: Tokens, backoff: Backoff, say: (name: string, ...args: unknown[]) => void, emitter: Emitter<ClientEvents>) {
    this.#tokens = tokens;
    this.#backoff = backoff;
    this.#say = say;
    this.#emitter = emitter;
  }

  /** `expiresAt`: s since the epoch. A fixed token cannot be renewed: the application hears `token:expiring`. */
  start(expiresAt: number): void {
    this.stop();
    if (!this.#tokens.renewable) return;
    const run = (this.#run = {});
    void this.#try(run, expiresAt, 1);
  }

  /** The connection is gone, and the next one begins with a token of its own. */
  stop(): void {
    this.#run = undefined;
    platform.clearTimeout(this.#timer);
  }

  async #try(run: object, expiresAt: number, tries: number): Promise<void> {
    try {
      const token = await this.#tokens.fresh();
      if (run !== this.#run) return;
      this.#say("auth:refresh", token, (answer: Refreshed) => {
        if ("error" in answer) this.#emitter.emit("token:refresh_failed", answer);
        else this.#emitter.emit("token:refreshed", answer);
      });
    } catch (error) {
      if (run !== this.#run) return;
      this.#emitter.emit("token:refresh_failed", { error: error instanceof Error ? error.message : String(error) });
      const wait = delay(this.#backoff, tries, Math.random());
      if (Date.now() + wait < expiresAt * 1000) this.#timer = platform.setTimeout(() => void this.#try(run, expiresAt, tries + 1), wait);
    }
  }
}
