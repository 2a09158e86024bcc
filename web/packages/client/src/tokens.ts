/** Where tokens come from. A function is asked again only when its last token is about to end or was refused. */

export type TokenOption = string | (() => string | Promise<string>);

/** The application's token function failed. Tried again later, since whatever it asks may be away. */
export class TokenError extends Error {
  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.name = "TokenError";
  }
}

export class Tokens {
  readonly #option: TokenOption;
  #kept: Promise<string> | undefined;

  constructor(option: TokenOption) {
    this.#option = option;
  }

  /** Whether there may be another token than the one refused. */
  get renewable(): boolean {
    return typeof this.#option === "function";
  }

  /** The token at hand. Rejects with `TokenError`. */
  current(): Promise<string> {
    return (this.#kept ??= this.#ask());
  }

  /** A new one, for everybody from now on. */
  fresh(): Promise<string> {
    return (this.#kept = this.#ask());
  }

  /** Asks again when next it is needed. */
  forget(): void {
    if (this.renewable) this.#kept = undefined;
  }

  #ask(): Promise<string> {
    const option = this.#option;
    if (typeof option === "string") return Promise.resolve(option);
    const asked = Promise.resolve()
      .then(option)
      .catch((error: unknown) => {
        if (this.#kept === asked) this.#kept = undefined;
        throw new TokenError(error);
      });
    return asked;
  }
}
