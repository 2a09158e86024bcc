/** Stops presses on cards that are not meant: see `Presses`. */

import { useEffect, type RefObject } from "react";
import { Presses } from "./presses.ts";

export function usePresses(columns: RefObject<HTMLElement | null>): void {
  useEffect(() => {
    const element = columns.current!;
    const presses = new Presses();
    const cardOf = (event: Event) => (event.target as Element).closest<HTMLElement>(".card")?.dataset.orderId;
    const spot = ({ clientX: x, clientY: y }: MouseEvent) => ({ x, y });
    const over = (event: PointerEvent) => event.pointerType === "mouse" && presses.over(cardOf(event), spot(event), performance.now());
    const press = (event: MouseEvent) => {
      const card = cardOf(event);
      if (card === undefined || event.detail === 0) return; // pressed by key
      if (presses.press(card, spot(event), performance.now())) return;
      event.preventDefault();
      event.stopPropagation();
    };
    element.addEventListener("pointerover", over);
    element.addEventListener("pointermove", over, { passive: true });
    element.addEventListener("click", press, true);
    return () => {
      element.removeEventListener("pointerover", over);
      element.removeEventListener("pointermove", over);
      element.removeEventListener("click", press, true);
    };
  }, [columns]);
}
