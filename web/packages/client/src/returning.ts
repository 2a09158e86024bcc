/** Tries at once when the person comes back or the network does, in browsers and in React Native. */

import type { OrdercastClient } from "./client.ts";

/** React Native's `AppState`, as far as it is needed. */
export interface AppStateLike {
  addEventListener(type: "change", listener: (state: string) => void): { remove(): void };
}

/** `@react-native-community/netinfo`, as far as it is needed. */
export interface NetInfoLike {
  addEventListener(listener: (state: { isConnected: boolean | null; type?: string }) => void): () => void;
}

export interface ReturnSources {
  AppState?: AppStateLike | undefined;
  NetInfo?: NetInfoLike | undefined;
}

interface Target {
  addEventListener?(type: string, listener: () => void): void;
  removeEventListener?(type: string, listener: () => void): void;
}

/**
 * Calls `retryNow()` when the network is back or another, or the application is in front again; returns what ends that.
 *
 * In a browser nothing need be given. React Native has no such events of its own: give it `AppState` of
 * `react-native` and, where it is installed, `NetInfo`.
 */
export function retryOnReturn(client: Pick<OrdercastClient, "retryNow">, { AppState, NetInfo }: ReturnSources = {}): () => void {
  const ends: (() => void)[] = [];
  const again = () => client.retryNow();
  if (AppState !== undefined) {
    const listening = AppState.addEventListener("change", (state) => state === "active" && again());
    ends.push(() => listening.remove());
  }
  if (NetInfo !== undefined) {
    let connected = true;
    let over: string | undefined;
    const end = NetInfo.addEventListener(({ isConnected, type }) => {
      const another = over !== undefined && type !== over; // from Wi-Fi to mobile, without a moment of neither
      const back = isConnected === true && (!connected || another);
      connected = isConnected !== false;
      if (isConnected === true) over = type;
      if (back) again();
    });
    ends.push(end);
  }
  const { window, document } = globalThis as { window?: Target; document?: Target & { hidden?: boolean } };
  const listen = (target: Target | undefined, type: string, listener: () => void) => {
    if (target?.addEventListener === undefined) return; // React Native has a `window` that is none
    target.addEventListener(type, listener);
    ends.push(() => target.removeEventListener?.(type, listener));
  };
  listen(window, "online", again);
  listen(document, "visibilitychange", () => document?.hidden !== true && again());
  return () => {
    for (const end of ends.splice(0)) end();
  };
}
