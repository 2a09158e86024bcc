/** On a narrow screen: which column is in sight. Swiping between them says so here as well. */

import { useEffect, useState, useSyncExternalStore, type RefObject } from "react";
import type { Status } from "../model/workflow.ts";
import { search as words } from "../parts/words.ts";
import { useDesk } from "./context.ts";
import { Count } from "./Count.tsx";

interface Props {
  readonly statuses: readonly Status[];
  readonly columns: RefObject<HTMLElement | null>;
  /** Whether somebody searches, or asks what is late. */
  readonly finding: boolean;
}

export function Tabs({ statuses, columns, finding }: Props) {
  const [at, setAt] = useState(statuses[0]?.name);
  const found = useFound(statuses, finding);
  useEffect(() => {
    const seen = new IntersectionObserver(
      (entries) => {
        for (const { isIntersecting, target } of entries) if (isIntersecting) setAt((target as HTMLElement).dataset.status);
      },
      { root: columns.current, threshold: 0.6 },
    );
    for (const column of columns.current!.children) seen.observe(column);
    return () => seen.disconnect();
  }, [columns, statuses]);
  useEffect(() => {
    document.getElementById(`tab-${at}`)?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [at, found]);
  useEffect(() => {
    if (found !== "") bringIntoSight(columns.current!, found.split(" "));
  }, [columns, found]);
  const hits = found === "" ? undefined : new Set(found.split(" "));
  return (
    <nav className="tabs" aria-label="Columns">
      {statuses.map(({ name, label }) => (
        <button
          key={name}
          id={`tab-${name}`}
          type="button"
          aria-current={name === at || undefined}
          hidden={hits !== undefined && !hits.has(name) && name !== at}
          onClick={() => show(name)}
        >
          {label} {!finding ? <Count status={name} /> : <Found status={name} />}
        </button>
      ))}
    </nav>
  );
}

const show = (name: string) => document.getElementById(`column-${name}`)?.scrollIntoView({ block: "nearest", inline: "start" });

function Found({ status }: { status: string }) {
  const { board } = useDesk();
  const n = useSyncExternalStore(board.onAny, () => board.column(status).length);
  return (
    <span className="count" data-found={n > 0 || undefined}>
      {n} <span className="visually-hidden">{words.hits}</span>
    </span>
  );
}

/** The columns in which something is found, by a space each; `""`: none, or nobody searches. */
function useFound(statuses: readonly Status[], finding: boolean): string {
  const { board } = useDesk();
  return useSyncExternalStore(board.onAny, () => {
    if (!finding) return "";
    return statuses.flatMap(({ name }) => (board.column(name).length > 0 ? [name] : [])).join(" ");
  });
}

/** Who searches wants to see what is found: the first of these columns, where none is in sight. */
function bringIntoSight(columns: HTMLElement, names: readonly string[]): void {
  const sight = columns.getBoundingClientRect();
  const isSeen = (name: string) => {
    const { left, right, width } = document.getElementById(`column-${name}`)!.getBoundingClientRect();
    return Math.min(right, sight.right) - Math.max(left, sight.left) >= width / 2;
  };
  if (!names.some(isSeen)) show(names[0]!);
}
