/** How many orders a column has, and how many of them are late. */

import { useNow } from "../model/clock.ts";
import { level } from "../parts/ageing.ts";
import { useColumn, useDesk, useTotal } from "./context.ts";

export function Count({ status }: { status: string }) {
  const { board, targets } = useDesk();
  const shown = useColumn(status);
  const total = useTotal(status);
  const late = useNow((now) => {
    let late = 0;
    for (const id of shown) {
      const order = board.card(id)?.order;
      if (order !== undefined && level(order, targets, now) === "late") late += 1;
    }
    return late;
  });
  return (
    <>
      <span className="count">{shown.length === total ? total : `${shown.length} of ${total}`}</span>
      {late > 0 && <span className="late-count">{late} late</span>}
    </>
  );
}
