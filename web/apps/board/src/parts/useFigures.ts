/** The figures of the day from the server, and the latency that this screen measures itself. */

import type { OrdercastClient, Stats } from "@ordercast/client";
import { useEffect, useRef, useState } from "react";
import { afterPaint } from "./afterPaint.ts";
import { Asker } from "./asker.ts";
import { Latencies, ServerClock, type Percentiles } from "./latency.ts";

/** After changes, but not more often than every 5 s: figures are looked at, not followed. */
const PACE = { every: 30_000, apart: 5_000 };

const REDRAW = 1_000; // ms between looks at what was measured

/** Figures in ms; `error`: by how much the clocks may be judged wrong. */
export interface Latency extends Percentiles {
  readonly error: number;
}

export interface Figures {
  /** `undefined` until there has been an answer. */
  readonly stats: Stats | undefined;
  /** `undefined` until something has been measured. */
  readonly latency: Latency | undefined;
}

export type FiguresClient = Pick<OrdercastClient, "connection" | "on" | "stats">;

const CHANGES = ["order:created", "order:status_changed", "order:changed", "connection"] as const;

export function useFigures(client: FiguresClient): Figures {
  const [stats, setStats] = useState<Stats>();
  const [latency, setLatency] = useState<Latency>();
  const measured = useRef({ clock: new ServerClock(), latencies: new Latencies() });

  useEffect(() => {
    const { clock } = measured.current;
    let there = true;
    const asker = new Asker(async () => {
      const asked = Date.now();
      const found = await client.stats();
      clock.sample(asked, Date.parse(found.asOf), Date.now());
      if (there) setStats(found);
    }, PACE);
    const ends = [asker.start(), ...CHANGES.map((name) => client.on(name, asker.soon))];
    return () => {
      there = false;
      for (const end of ends) end();
    };
  }, [client]);

  useEffect(() => {
    const { clock, latencies } = measured.current;
    let made: number[] = [];
    let fresh = false;
    const painted = () => {
      const now = Date.now();
      if (!document.hidden) for (const at of made) latencies.add(at, now);
      made = [];
      fresh = true;
    };
    const heard = ({ updatedAt }: { updatedAt: string }) => {
      // What is caught up with was late for another reason, which the banner tells.
      if (client.connection.status !== "live" || document.hidden) return;
      clock.hear(Date.parse(updatedAt), Date.now());
      if (made.push(Date.parse(updatedAt)) === 1) afterPaint(painted);
    };
    const timer = setInterval(() => {
      const { offset } = clock;
      if (!fresh || offset === null) return;
      fresh = false;
      setLatency({ ...latencies.figures(offset.offset), error: offset.error });
    }, REDRAW);
    const ends = [client.on("order:status_changed", heard), client.on("order:created", heard)];
    return () => {
      clearInterval(timer);
      for (const end of ends) end();
    };
  }, [client]);

  return { stats, latency };
}
