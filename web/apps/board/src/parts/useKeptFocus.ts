import { useEffect, type RefObject } from "react";

/**
 * The focus of a button that is disabled or taken away while it has it comes to `box`, which is focusable: with it
 * nowhere, Escape and Tab would reach what lies below.
 */
export function useKeptFocus(box: RefObject<HTMLElement | null>): void {
  useEffect(() => {
    const changes = new MutationObserver(() => {
      const at = document.activeElement;
      if (at === null || at === document.body || (at.matches(":disabled") && box.current?.contains(at))) box.current?.focus({ preventScroll: true });
    });
    changes.observe(box.current!, { subtree: true, childList: true, attributeFilter: ["disabled"] });
    return () => changes.disconnect();
  }, [box]);
}
