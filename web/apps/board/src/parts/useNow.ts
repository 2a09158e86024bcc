import { useEffect, useState } from "react";

/** The time (ms since the epoch), anew every `every` ms while `running` and the page is looked at. */
export function useNow(every = 1000, running = true): number {
  const [now, set] = useState(Date.now);
  useEffect(() => {
    if (!running) return;
    const tick = () => {
      if (!document.hidden) set(Date.now());
    };
    tick();
    const timer = setInterval(tick, every);
    document.addEventListener("visibilitychange", tick);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", tick);
    };
  }, [every, running]);
  return now;
}
