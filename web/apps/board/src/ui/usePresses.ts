/** Stops presses on cards that are not meant, wherever the press before was: see `Presses`. */

import { useEffect } from "react";
import { Presses } from "./presses.ts";

export function usePresses(): void {
  useEffect(() => {
    const presses = new Presses();
    const cardOf = (event: Event) => (event.target as Element).closest<HTMLElement>(".columns .card")?.dataset.orderId;
    const spot = ({ clientX: x, clientY: y }: MouseEvent) => ({ x, y });
    const over = (event: PointerEvent) => event.pointerType === "mouse" && presses.over(cardOf(event), spot(event), performance.now());
    const scroll = () => presses.scroll(performance.now());
    const press = (event: MouseEvent) => {
      if (event.detail === 0) return; // pressed by key
      if (presses.press(cardOf(event), spot(event), performance.now())) return;
      event.preventDefault();
      event.stopPropagation();
    };
    const all = new AbortController();
    const options = { capture: true, passive: true, signal: all.signal };
    document.addEventListener("pointerover", over, options);
    document.addEventListener("pointermove", over, options);
    document.addEventListener("wheel", scroll, options);
    document.addEventListener("click", press, { capture: true, signal: all.signal });
    return () => all.abort();
  }, []);
}
