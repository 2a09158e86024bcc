/** What a search has found that has no card: orders that are over, and those that the filter leaves out. */

import { key, type Order } from "@ordercast/client";
import { useEffect, useId, useRef, type ReactNode } from "react";
import { EVERYTHING } from "../parts/filters.ts";
import { summary } from "../../../shared/orders.ts";
import { clock } from "../parts/times.ts";
import { filters, search as words } from "../parts/words.ts";
import { useDesk } from "./context.ts";
import type { Finding } from "./useFilter.ts";
import { useHits, type Hits } from "./useHits.ts";
import { customer } from "./words.ts";

export function Others({ finding }: { finding: Finding }): ReactNode {
  const hits = useHits(finding);
  useClosing(hits, finding.search.again);
  if (hits === undefined || hits.left.length + hits.over.length === 0) return null;
  const { filter, setFilter } = finding;
  return (
    <div className="others">
      <Section title={words.leftTitle} orders={hits.left}>
        <button type="button" onClick={() => setFilter({ ...EVERYTHING, q: filter.q })}>
          {filters.clear}
        </button>
      </Section>
      <Section title={words.overTitle} orders={hits.over}>
        {hits.more && <span className="soft">{words.more}</span>}
      </Section>
    </div>
  );
}

function Section({ title, orders, children }: { title: string; orders: readonly Order[]; children: ReactNode }): ReactNode {
  const { steps, openDetails } = useDesk();
  const heading = useId();
  if (orders.length === 0) return null;
  return (
    <section aria-labelledby={heading}>
      <div className="title">
        <h2 id={heading}>{title}</h2> {children}
      </div>
      <ul>
        {orders.map((order) => (
          <li key={key(order.orderId)}>
            <button type="button" className="result" data-order-id={order.orderId} onClick={() => openDetails(key(order.orderId))}>
              <strong>#{order.orderId}</strong> <span className="status">{steps.label(order.status)}</span>{" "}
              <span className="soft">{[clock(Date.parse(order.statusSince), Date.now()), order.reference, customer(order), summary(order)].filter(Boolean).join(" · ")}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** An order that fitted and has left the board is over now: the server is asked for it. */
function useClosing(hits: Hits | undefined, again: () => void): void {
  const { board } = useDesk();
  const before = useRef<Hits>(undefined);
  useEffect(() => {
    const last = before.current;
    before.current = hits;
    if (hits === undefined || last?.q !== hits.q) return;
    if ([...last.shown, ...last.left].some(({ orderId }) => board.card(key(orderId)) === undefined)) again();
  });
}
