/** Below the search: what it has found and where, and what Enter does. */

import { key } from "@ordercast/client";
import type { ReactNode } from "react";
import { search as words } from "../parts/words.ts";
import { useDesk } from "./context.ts";
import type { Steps } from "../model/workflow.ts";
import type { Navigation } from "./navigation.ts";
import type { Hits } from "./useHits.ts";

const PLACES = 3; // that are named; orders in more of them are counted

export function Outcome({ hits, clear }: { hits: Hits; clear: () => void }): ReactNode {
  const { steps, openDetails } = useDesk();
  const { shown, left, over, meant, sure, status } = hits;
  const all = shown.length + left.length + over.length;
  const none = all === 0 && status === "found";
  return (
    <div className="outcome" data-on-board={shown.length}>
      <span>{[(none || all > 0) && found(hits, steps), !sure && words.looking].filter(Boolean).join(" ")}</span>{" "}
      {hits.byItem && <span>{words.notByItem}</span>}
      {status === "failed" && <span className="problem">{words.failed}</span>}
      {sure && all > 0 && (
        <span className="enter">
          <kbd>{words.enter[0]}</kbd>{" "}
          {meant === undefined ? (
            words.first
          ) : (
            <>
              {words.enter[1]}{" "}
              <button type="button" aria-label={words.open1(key(meant.orderId))} onClick={() => openDetails(key(meant.orderId))}>
                #{meant.orderId}
              </button>
            </>
          )}
        </span>
      )}
      {none && (
        <button type="button" onClick={clear}>
          {words.clearAll}
        </button>
      )}
    </div>
  );
}

/** For those who hear it: all that is found, once it is known. */
export function told(hits: Hits, steps: Steps): string {
  if (hits.status === "failed") return words.failed;
  const { meant } = hits;
  return [found(hits, steps), hits.byItem && words.notByItem, meant !== undefined && `${words.enter[0]} ${words.enter[1]} #${meant.orderId}`].filter(Boolean).join(" ");
}

function found(hits: Hits, steps: Steps): string {
  const all = hits.shown.length + hits.left.length + hits.over.length;
  return all === 0 ? words.none(hits.q.trim()) : words.found(parts(hits, steps));
}

function parts({ shown, left, over, more }: Hits, steps: Steps): string[] {
  const places = steps.open.map(({ name, label }) => ({ label, n: shown.filter(({ status }) => status === name).length })).filter(({ n }) => n > 0);
  const open = places.length > PLACES ? [words.open(shown.length)] : places.map(({ n, label }) => words.inColumn(n, label));
  return [...open, ...(left.length > 0 ? [words.left(left.length)] : []), ...(over.length > 0 ? [words.over(over.length, more)] : [])];
}

/** What Enter does where no single order is meant: goes to the first there is, of which Enter opens the one it is at. */
export function toFirst({ shown }: Hits, navigation: Navigation): void {
  const [first] = shown;
  if (first === undefined) return document.querySelector<HTMLElement>(".others .result")?.focus();
  document.getElementById(`column-${first.status}`)?.scrollIntoView({ block: "nearest", inline: "nearest" });
  navigation.to(key(first.orderId));
}
