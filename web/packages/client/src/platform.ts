/** The few globals that browsers, Node.js and React Native share, typed without the DOM's types. */

import type { Fetch } from "./rest.ts";

export interface AbortSignalLike {
  readonly aborted: boolean;
}

export interface AbortControllerLike {
  readonly signal: AbortSignalLike;
  abort(): void;
}

export type Timer = { readonly timer: unique symbol };

interface Globals {
  setTimeout(callback: () => void, ms: number): Timer;
  clearTimeout(timer: Timer | undefined): void;
  fetch: Fetch;
  AbortController: new () => AbortControllerLike;
  location?: { origin?: string };
}

/** Looked up at each use, since tests replace them. */
export const platform = globalThis as unknown as Globals;
