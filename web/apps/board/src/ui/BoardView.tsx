/** The board: its columns, and what opens over them. */

import { key, type OrdercastClient } from "@ordercast/client";
import { lazy, Suspense, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { Doing, type Moved } from "../model/actions.ts";
import type { Board } from "../model/board.ts";
import type { Me } from "../model/who.ts";
import type { Steps } from "../model/workflow.ts";
import type { Targets } from "../parts/ageing.ts";
import { Column } from "./Column.tsx";
import { DeskContext, type Desk } from "./context.ts";
import { CardMenu, type Asked } from "./Menu.tsx";
import { Navigation } from "./navigation.ts";
import { Reason } from "./Reason.tsx";
import { Tabs } from "./Tabs.tsx";
import { Toast, type Note } from "./Toast.tsx";

const Help = lazy(() => import("./Help.tsx"));

const SINGLE_KEYS = "ordercast.board.keys";

interface Props {
  readonly client: OrdercastClient;
  readonly board: Board;
  readonly steps: Steps;
  readonly me: Me;
  readonly targets: Targets;
  readonly wall: boolean;
}

export function BoardView({ client, board, steps, me, targets, wall }: Props) {
  const columns = useRef<HTMLDivElement>(null);
  const [note, setNote] = useState<Note>();
  const [asked, setAsked] = useState<Asked>();
  const [undoing, setUndoing] = useState<Moved>();
  const [help, setHelp] = useState(false);
  const [singleKeys, setSingleKeys] = useState(() => localStorage.getItem(SINGLE_KEYS) !== "off");
  const last = useRef<Moved>(undefined);
  const closeNote = useCallback(() => setNote(undefined), []);
  const statuses = useMemo(() => steps.open, [steps]);
  const navigation = useMemo(() => new Navigation(statuses.map(({ name }) => name)), [statuses]);
  const doing = useMemo(() => {
    const moved = (made: Moved) => {
      last.current = made;
      setNote({ text: `Order ${made.order.orderId} moved to ${steps.label(made.to)}`, action: { label: "Undo", act: () => setUndoing(made) } });
    };
    return new Doing(client, board, steps, me, { moved, said: (text) => setNote({ text }) });
  }, [client, board, steps, me]);
  const desk = useMemo<Desk>(
    () => ({
      board,
      steps,
      doing,
      me,
      targets,
      navigation,
      wall,
      singleKeys,
      openDetails: () => undefined,
      openMenu: (id, at) => setAsked({ id, at }),
      askReason: setUndoing,
    }),
    [board, steps, doing, me, targets, navigation, wall, singleKeys],
  );
  usePageKeys(singleKeys && !wall, {
    "?": () => setHelp(true),
    b: () => navigation.first(),
    u: () => last.current !== undefined && setUndoing(last.current),
  });
  return (
    <DeskContext value={desk}>
      <Tabs statuses={statuses} columns={columns} />
      <div className="columns" ref={columns}>
        {statuses.map((status) => (
          <Column key={status.name} status={status} />
        ))}
      </div>
      <Toast note={note} close={closeNote} />
      {asked !== undefined && <CardMenu key={asked.id} asked={asked} close={() => setAsked(undefined)} />}
      {undoing !== undefined && <Reason key={key(undoing.order.orderId)} moved={undoing} close={() => setUndoing(undefined)} />}
      {help && (
        <Suspense>
          <Help
            singleKeys={singleKeys}
            setSingleKeys={(on) => {
              localStorage.setItem(SINGLE_KEYS, on ? "on" : "off");
              setSingleKeys(on);
            }}
            close={() => setHelp(false)}
          />
        </Suspense>
      )}
    </DeskContext>
  );
}

/** Signs that count wherever the focus is, but for where one types. */
function usePageKeys(on: boolean, acts: Readonly<Record<string, () => void>>): void {
  const latest = useRef(acts);
  latest.current = acts;
  useEffect(() => {
    if (!on) return;
    const press = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      if ((event.target as Element).closest("input, textarea, select, [contenteditable], [role=dialog], [role=menu]") !== null) return;
      const act = latest.current[event.key.toLowerCase()];
      if (act === undefined) return;
      event.preventDefault();
      act();
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, [on]);
}
