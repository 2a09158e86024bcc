/** Where tokens come from. A function is asked again only when its last token is about to end or was refused. */

import { within } from "./patience.ts";

export type TokenOption = string | (() => string | Promise<string>);

/** The application's token function failed. Tried again later, since whatever it asks may be away. */
export class TokenError extends Error {
  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.name = "TokenError";
  }
}

/** What a token is made of, after RFC 6750, section 2.1. */
const TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/;

export class Tokens {
  readonly #option: TokenOption;
  readonly #patience: number;
  /** The last good one, until there is a newer one. */
  #held: string | undefined;
  #asking: Promise<string> | undefined;

  /** `patience`: ms that the function may take. */
  constructor(option: TokenOption, patience: number) {
    if (typeof option !== "string" && typeof option !== "function") throw new TypeError("Give `token`: a token, or a function that gets one.");
    this.#option = option;
    this.#patience = patience;
    if (typeof option === "string") this.#held = bare(option);
  }

  /** Whether there may be another token than the one refused. */
  get renewable(): boolean {
    return typeof this.#option === "function";
  }

  /** The token at hand, also while a newer one is asked for. Rejects with `TokenError`. */
  current(): Promise<string> {
    return this.#held === undefined ? this.fresh() : Promise.resolve(this.#held);
  }

  /** A new one, for everybody from now on. */
  fresh(): Promise<string> {
    return (this.#asking ??= this.#ask());
  }

  /** There is a newer one by now than what is being asked for. */
  abandon(): void {
    this.#asking = undefined;
  }

  /** The one at hand is good for nothing any more. */
  forget(): void {
    if (!this.renewable) return;
    this.abandon();
    this.#held = undefined;
  }

  #ask(): Promise<string> {
    const option = this.#option;
    const given = Promise.resolve().then(() => (typeof option === "string" ? option : option()));
    const asked: Promise<string> = within(this.#patience, given, "The token function has not answered").then(checked).then(
      (token) => {
        if (this.#done(asked)) this.#held = token;
        return token;
      },
      (error: unknown) => {
        this.#done(asked);
        throw new TokenError(error);
      },
    );
    return asked;
  }

  /** Whether that was the last that was asked for. */
  #done(asked: Promise<string>): boolean {
    if (this.#asking !== asked) return false;
    this.#asking = undefined;
    return true;
  }
}

/** Without what may be around it in a file or a header. */
const bare = (token: string): string => token.trim().replace(/^Bearer\s+/i, "");

/** Whether it can be one: a request of the function's may have got a page that says sorry. What it is, is nobody's business. */
function checked(given: unknown): string {
  const token = typeof given === "string" ? bare(given) : "";
  if (TOKEN.test(token)) return token;
  throw new TypeError("What the token function gave is no token. It has to throw where its request fails: `if (!response.ok) throw …`.");
}
