/** How live the board is, in words, with the age of what is shown where it is not. */

import { type Connection } from "@ordercast/client";
import { useConnection } from "@ordercast/react";
import { useEffect, useState, type ReactNode } from "react";
import { span } from "./times.ts";
import { useNow } from "./useNow.ts";
import { banner as words } from "./words.ts";

/** ms that a state lasts before it is said aloud: a connection that comes right back is no news. */
const SETTLES = 2_000;

export type Liveness = "live" | "resuming" | "polling" | "offline" | "ended";

/** What a connection is called here. A polling board is live, only slower. */
export const liveness = (connection: Connection): Liveness =>
  connection.status !== "offline" ? connection.status : connection.retrying || connection.reason === "idle" ? "offline" : "ended";

export function wordsFor(connection: Connection, onLine: boolean): string {
  const is = liveness(connection);
  if (is === "resuming" || (connection.status === "offline" && connection.reason === "idle")) return connection.lastSyncedAt === null ? words.connecting : words.resuming;
  if (is === "offline") return onLine ? words.unreachable : words.offline;
  return words[is];
}

export function Banner(): ReactNode {
  const connection = useConnection();
  const onLine = useOnLine();
  const is = liveness(connection);
  const text = wordsFor(connection, onLine);
  const said = useSettled(text);
  const now = useNow(1000, is !== "live");
  const { lastSyncedAt } = connection;
  return (
    <div className="banner" data-liveness={is}>
      <span aria-hidden="true">
        {text}
        {is !== "live" && lastSyncedAt !== null && <span className="age"> {words.age(span((now - lastSyncedAt) / 1000))}</span>}
      </span>
      <span className="visually-hidden" role="status">
        {said}
      </span>
    </div>
  );
}

/** A text once it has stayed the same for a while. */
function useSettled(text: string): string {
  const [settled, set] = useState("");
  useEffect(() => {
    const timer = setTimeout(() => set(text), SETTLES);
    return () => clearTimeout(timer);
  }, [text]);
  return settled;
}

function useOnLine(): boolean {
  const [is, set] = useState(() => navigator.onLine);
  useEffect(() => {
    const look = () => set(navigator.onLine);
    for (const name of ["online", "offline"]) window.addEventListener(name, look);
    return () => {
      for (const name of ["online", "offline"]) window.removeEventListener(name, look);
    };
  }, []);
  return is;
}
