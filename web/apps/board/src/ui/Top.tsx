/** What is above the columns: search, figures, how live it is, and everything else in one menu. */

import { key, type Id } from "@ordercast/client";
import { useEffect, useMemo, useState, useSyncExternalStore, type ReactNode } from "react";
import { Button, Menu, MenuItem, MenuTrigger, Popover, ToggleButton } from "react-aria-components";
import { useNow } from "../model/clock.ts";
import { Banner } from "../parts/Banner.tsx";
import { FiguresBar } from "../parts/FiguresBar.tsx";
import { Filters } from "../parts/Filters.tsx";
import { Online } from "../parts/Online.tsx";
import { SearchField } from "../parts/SearchField.tsx";
import { ShiftButton } from "../parts/ShiftButton.tsx";
import type { ShiftState } from "../parts/useShift.ts";
import { useDesk } from "./context.ts";
import { Outcome, told, toFirst } from "./Outcome.tsx";
import type { Finding } from "./useFilter.ts";
import { useHits, type Hits } from "./useHits.ts";

export interface TopProps {
  readonly shopName: string | null;
  readonly finding: Finding;
  readonly shift: ShiftState;
  readonly more: readonly { readonly id: string; readonly label: string; readonly act: () => void }[];
}

export function Top({ shopName, finding, shift, more }: TopProps): ReactNode {
  const { steps, me, wall } = useDesk();
  const { filter, setFilter } = finding;
  const choices = useChoices();
  const [unfolded, unfold] = useState(false);
  const hits = useHits(finding);
  const enter = useEnter(hits);
  const search = (q: string) => setFilter({ ...filter, q });
  const clear = () => {
    search("");
    document.querySelector<HTMLElement>(".search input")?.focus();
  };
  return (
    <>
      <header className="top" data-unfolded={unfolded || undefined}>
        <h1>{shopName ?? "Orders"}</h1>
        {!wall && (
          <div className="finding" role="search">
            <SearchField q={filter.q} onChange={search} onSubmit={enter} />
            <Filters filter={filter} onChange={setFilter} workflow={steps.workflow} {...choices} />
            <p className="visually-hidden" role="status">
              {hits?.sure && told(hits, steps)}
            </p>
          </div>
        )}
        <Late filter={filter} setFilter={setFilter} />
        <FiguresBar workflow={steps.workflow} />
        <div className="state">
          <Banner />
          {!wall && (
            <>
              <Online me={me.userId} />
              <ShiftButton shift={shift} />
              <button type="button" className="fold" aria-expanded={unfolded} onClick={() => unfold(!unfolded)}>
                <span className="visually-hidden">Figures and who is online</span>
                <span aria-hidden="true">{unfolded ? "▴" : "▾"}</span>
              </button>
              <MenuTrigger>
                <Button className="button" aria-label="More">
                  <span aria-hidden="true">⋯</span>
                </Button>
                <Popover className="popover" placement="bottom end">
                  <Menu className="menu" aria-label="More" onAction={(chosen) => more.find(({ id }) => id === chosen)?.act()}>
                    {more.map(({ id, label }) => (
                      <MenuItem key={id} id={id} className="item">
                        {label}
                      </MenuItem>
                    ))}
                  </Menu>
                </Popover>
              </MenuTrigger>
            </>
          )}
        </div>
      </header>
      {!wall && hits !== undefined && <Outcome hits={hits} clear={clear} />}
    </>
  );
}

/** What Enter does: where the answer is still to come, which may name the order, it waits for that. */
function useEnter(hits: Hits | undefined): (q: string) => void {
  const { openDetails, navigation } = useDesk();
  const [entered, enter] = useState<string>();
  useEffect(() => {
    if (entered === undefined) return;
    if (hits === undefined || hits.q !== entered) return enter(undefined); // one has typed on
    if (![document.querySelector(".search input"), document.body].includes(document.activeElement as HTMLElement)) return enter(undefined); // or gone elsewhere
    if (!hits.sure) return;
    enter(undefined);
    if (hits.meant !== undefined) openDetails(key(hits.meant.orderId));
    else toFirst(hits, navigation);
  }, [entered, hits, openDetails, navigation]);
  return enter;
}

/** How many orders are late, wherever they are: pressed, it shows those alone. */
function Late({ filter, setFilter }: Pick<Finding, "filter" | "setFilter">): ReactNode {
  const { lateness, wall } = useDesk();
  const late = useNow(() => lateness.all());
  if (late === 0 && !filter.late) return null;
  if (wall) return <p className="all-late">{late} late</p>;
  return (
    <ToggleButton className="all-late button" isSelected={filter.late} onChange={(on) => setFilter({ ...filter, late: on })}>
      {late} late{filter.late && <span aria-hidden="true"> ✕</span>}
    </ToggleButton>
  );
}

/** Who has orders and which shops there are, looked up every now and then: choices need not be of this second. */
function useChoices(): { people: Id[]; shops: Id[] } {
  const { board, me } = useDesk();
  const minute = useNow((now) => Math.floor(now / 60_000));
  const complete = useSyncExternalStore(board.onAny, () => board.complete);
  return useMemo(() => {
    const [people, shops] = [new Map<string, Id>(), new Map<string, Id>()];
    for (const { claimedBy, shopId } of board.orders()) {
      if (claimedBy !== null && key(claimedBy) !== me.userId) people.set(key(claimedBy), claimedBy);
      if (shopId !== null) shops.set(key(shopId), shopId);
    }
    return { people: sorted(people), shops: sorted(shops) };
  }, [board, me, minute, complete]);
}

const sorted = (ids: ReadonlyMap<string, Id>): Id[] => [...ids].sort(([a], [b]) => a.localeCompare(b)).map(([, id]) => id);
