/** How live the client is: a state machine. Pure. */

/** Why there is no connection. Those of a server that has ended it for good come with `retrying: false`. */
export type OfflineReason =
  | "idle" // not connected yet
  | "closed" // by `disconnect()`
  | "unreachable" // neither socket nor REST; it goes on trying
  | "token" // the application's token function failed; it goes on trying
  | "new_login"
  | "revoked"
  | "token_expired"
  | "unauthorized" // the token was refused
  | "ended"; // by the server, without a reason

export type Connection = (
  | { readonly status: "live" }
  | { readonly status: "resuming" }
  | { readonly status: "polling" }
  | { readonly status: "offline"; readonly reason: OfflineReason; readonly retrying: boolean }
) & {
  /** When this was last known to be all there is (ms since the epoch; while live: when it became so); `null`: never. */
  readonly lastSyncedAt: number | null;
};

export type Happening =
  | { type: "opening" }
  | { type: "connected" } // a socket, which may have things to tell first
  | { type: "synced"; at: number } // ... and has told them
  | { type: "lost"; heardAt: number } // the socket, which was last heard then
  | { type: "polled"; at: number }
  | { type: "unreachable"; reason: "unreachable" | "token" }
  | { type: "ended"; reason: OfflineReason; heardAt: number };

export const IDLE: Connection = { status: "offline", reason: "idle", retrying: false, lastSyncedAt: null };

/** Whether it has been told to stay away, or never asked to come. */
export const isOver = (state: Connection): boolean => state.status === "offline" && !state.retrying;

/** Whether the server has told it to stay away. */
export const isEnded = (state: Connection): boolean =>
  state.status === "offline" && !state.retrying && state.reason !== "idle" && state.reason !== "closed";

/** The state after something happened. What comes late, after the end, changes nothing but by `opening`. */
export function next(state: Connection, happening: Happening): Connection {
  const { lastSyncedAt } = state;
  if (happening.type === "opening") return isOver(state) ? { status: "resuming", lastSyncedAt } : state;
  if (isOver(state)) return happening.type === "ended" && happening.reason === "closed" ? offline("closed", false, lastSyncedAt) : state;
  switch (happening.type) {
    case "connected":
      // Who polls is up to date until the socket is.
      return state.status === "polling" ? state : { status: "resuming", lastSyncedAt };
    case "synced":
      return { status: "live", lastSyncedAt: happening.at };
    case "lost":
      return state.status === "live" ? { status: "resuming", lastSyncedAt: happening.heardAt } : state;
    case "polled":
      return { status: "polling", lastSyncedAt: happening.at };
    case "unreachable":
      return offline(happening.reason, true, lastSyncedAt);
    case "ended":
      return offline(happening.reason, false, state.status === "live" ? happening.heardAt : lastSyncedAt);
  }
}

/** What is the end for good in a refusal of CONNECT, in `force_disconnect` or in the title of a 401. */
export function endedBy(words: string): OfflineReason | null {
  switch (words) {
    case "new_login":
    case "revoked":
    case "token_expired":
      return words;
    case "Token expired":
      return "token_expired";
    case "Invalid token":
    case "Authentication required":
      return "unauthorized";
    default:
      return null;
  }
}

function offline(reason: OfflineReason, retrying: boolean, lastSyncedAt: number | null): Connection {
  return { status: "offline", reason, retrying, lastSyncedAt };
}
