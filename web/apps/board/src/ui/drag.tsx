/** Moving cards onto columns: by pointer, by keyboard (react-aria's own session) and by screen readers on touch. */

import { key, type Order } from "@ordercast/client";
import { useRef, useSyncExternalStore, type RefObject } from "react";
import { Button } from "react-aria-components";
import { useDrag, useDrop, type DragResult } from "react-aria";
import { bring } from "./choices.ts";
import { useDesk } from "./context.ts";

/** The order under way, and where it may go: at most one per page. */
class Dragging {
  #order: Order | undefined;
  readonly #listeners = new Set<() => void>();
  readonly order = (): Order | undefined => this.#order;
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };
  set(order: Order | undefined): void {
    this.#order = order;
    for (const listener of [...this.#listeners]) listener();
  }
}
export const dragging = new Dragging();

const TYPE = "application/x-ordercast-order";

export function useCardDrag(order: Order): DragResult {
  return useDrag({
    hasDragButton: true,
    getItems: () => [{ [TYPE]: key(order.orderId), "text/plain": `Order ${order.orderId}` }],
    getAllowedDropOperations: () => ["move"],
    onDragStart: () => dragging.set(order),
    onDragEnd: () => dragging.set(undefined),
  });
}

export function DragHandle({ order, props }: { order: Order; props: DragResult["dragButtonProps"] }) {
  return (
    <Button {...props} className="handle" aria-label={`Drag order ${order.orderId}`}>
      <span aria-hidden="true">⠿</span>
    </Button>
  );
}

/** `allowed`: what is being dragged may go here; `refused`: not; `none`: nothing is being dragged, or it is from here. */
export type Dropping = "none" | "allowed" | "refused";

export function useColumnDrop(status: string, ref: RefObject<HTMLElement | null>) {
  const desk = useDesk();
  const latest = useRef(desk);
  latest.current = desk;
  const may = (order: Order) => {
    const { steps, me } = latest.current;
    return steps.next(order, me.role).includes(status) || steps.back(order, me.role).includes(status);
  };
  const state = useSyncExternalStore(dragging.subscribe, (): Dropping => {
    const order = dragging.order();
    if (order === undefined || order.status === status) return "none";
    return may(order) ? "allowed" : "refused";
  });
  const { dropProps, isDropTarget } = useDrop({
    ref,
    getDropOperation: (types) => {
      const order = dragging.order();
      return types.has(TYPE) && order !== undefined && may(order) ? "move" : "cancel";
    },
    onDrop: () => {
      const order = dragging.order();
      if (order === undefined || !may(order)) return;
      if (!bring(latest.current, order, status)) return;
      requestAnimationFrame(() => latest.current.navigation.to(key(order.orderId))); // the keyboard goes with it
    },
  });
  return { dropProps, isDropTarget, state };
}
