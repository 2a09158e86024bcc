/** A window that was opened for signing in gives its token to the board that waits for it, and closes. */

import { userOf } from "./tokens.ts";

/** The name of the window, and the parameter of the way back: one of them survives most ways through a shop's login. */
export const WINDOW = "ordercast-sign-in";
export const PARAMETER = "handover";

type Message = { readonly token: string; readonly nonce: string | null } | { readonly taken: string };

const PATIENCE = 2_000; // ms for a board that may be busy; then this window becomes a board itself

const channel = (board: string): BroadcastChannel => new BroadcastChannel(`ordercast.sign-in ${new URL(".", board).pathname}`);

/** Offers a token to the boards of this browser; whether one has taken it. */
export function offer(board: string, token: string, nonce: string | null): Promise<boolean> {
  const line = channel(board);
  return new Promise<boolean>((resolve) => {
    const timer = setTimeout(() => resolve(false), PATIENCE);
    line.onmessage = ({ data }: MessageEvent<Message>) => {
      if (!("taken" in data) || data.taken !== token) return;
      clearTimeout(timer);
      resolve(true);
    };
    line.postMessage({ token, nonce } satisfies Message);
  }).finally(() => line.close());
}

/** Who waits for a token: with the `nonce` of its own way back, or as anybody who was `user`. */
export interface Waiting {
  readonly nonce: string | null;
  readonly user: string | null;
}

/** Takes what fits whoever waits (`null`: nobody does); returns what ends that. */
export function listen(board: string, waits: () => Waiting | null, take: (token: string) => void): () => void {
  const line = channel(board);
  line.onmessage = ({ data }: MessageEvent<Message>) => {
    const waiting = waits();
    if (waiting === null || !("token" in data)) return;
    const asked = data.nonce !== null && data.nonce === waiting.nonce;
    const same = waiting.user !== null && userOf(data.token) === waiting.user;
    if (!asked && !same) return;
    line.postMessage({ taken: data.token } satisfies Message);
    take(data.token);
  };
  return () => line.close();
}
