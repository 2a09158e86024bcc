/** How many orders a column has, and how many of them are late. */

import { useNow } from "../model/clock.ts";
import { useDesk, useShown, useTotal } from "./context.ts";

export function Count({ status }: { status: string }) {
  const { lateness } = useDesk();
  const shown = useShown(status);
  const total = useTotal(status);
  const late = useNow(() => lateness.in(status));
  return (
    <>
      <span className="count">
        {shown !== total && (
          <>
            {shown}
            <span className="of"> of </span>
          </>
        )}
        {total}
      </span>
      {late > 0 && <span className="late-count">{late} late</span>}
    </>
  );
}
