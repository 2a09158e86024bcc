/** While an order is dragged: where it may go that has no column. */

import { useRef, useSyncExternalStore, type ReactNode } from "react";
import type { Status } from "../model/workflow.ts";
import { useDesk } from "./context.ts";
import { dragging, useColumnDrop } from "./drag.tsx";

export function Zones(): ReactNode {
  const { steps, me } = useDesk();
  const order = useSyncExternalStore(dragging.subscribe, dragging.order);
  if (order === undefined) return null;
  const next = steps.next(order, me.role);
  const there = steps.closed.filter(({ name }) => next.includes(name));
  if (there.length === 0) return null;
  return (
    <div className="zones">
      {there.map((status) => (
        <Zone key={status.name} status={status} />
      ))}
    </div>
  );
}

function Zone({ status }: { status: Status }) {
  const ref = useRef<HTMLDivElement>(null);
  const { dropProps, isDropTarget } = useColumnDrop(status.name, ref);
  return (
    <div ref={ref} className="zone" role="group" aria-label={status.label} tabIndex={-1} data-zone={status.name} data-over={isDropTarget || undefined} {...dropProps}>
      {status.label}
    </div>
  );
}
