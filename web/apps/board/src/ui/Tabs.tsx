/** On a narrow screen: which column is in sight. Swiping between them says so here as well. */

import { useEffect, useState, type RefObject } from "react";
import type { Status } from "../model/workflow.ts";
import { Count } from "./Count.tsx";

export function Tabs({ statuses, columns }: { statuses: readonly Status[]; columns: RefObject<HTMLElement | null> }) {
  const [at, setAt] = useState(statuses[0]?.name);
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
  }, [at]);
  return (
    <nav className="tabs" aria-label="Columns">
      {statuses.map(({ name, label }) => (
        <button
          key={name}
          id={`tab-${name}`}
          type="button"
          aria-current={name === at || undefined}
          onClick={() => document.getElementById(`column-${name}`)?.scrollIntoView({ block: "nearest", inline: "start" })}
        >
          {label} <Count status={name} />
        </button>
      ))}
    </nav>
  );
}
