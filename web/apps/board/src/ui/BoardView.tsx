/** The board: its columns, and what opens over them. */

import { key, type OrdercastClient } from "@ordercast/client";
import { lazy, Suspense, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { Doing, type Moved } from "../model/actions.ts";
import type { Board } from "../model/board.ts";
import { address, useAddress } from "../model/address.ts";
import { Lateness } from "../model/lateness.ts";
import type { Steps } from "../model/workflow.ts";
import { Column } from "./Column.tsx";
import { DeskContext, type Desk, type Me } from "./context.ts";
import { CardMenu, type Asked } from "./Menu.tsx";
import { Navigation } from "./navigation.ts";
import { orderOf, Reason, type Question } from "./Reason.tsx";
import { download, fileName, ordersCsv } from "../parts/csv.ts";
import { isBlank } from "../parts/hits.ts";
import { isBoolean, useKept } from "../parts/kept.ts";
import type { BoardSettings } from "../parts/useTargets.ts";
import { useShift } from "../parts/useShift.ts";
import { Announcer } from "./Announcer.tsx";
import { Closed } from "./Closed.tsx";
import { Others } from "./Others.tsx";
import { Tabs } from "./Tabs.tsx";
import { Top } from "./Top.tsx";
import { useFilter } from "./useFilter.ts";
import { usePresses } from "./usePresses.ts";
import { REASONS, shell as words } from "./words.ts";
import { Zones } from "./Zones.tsx";
import { OFFERS, Toast, type Note } from "./Toast.tsx";

const Details = lazy(() => import("./Details.tsx"));
const TargetsDialog = lazy(async () => ({ default: (await import("../parts/TargetsDialog.tsx")).TargetsDialog }));
const Help = lazy(() => import("./Help.tsx"));

interface Props {
  readonly client: OrdercastClient;
  readonly board: Board;
  readonly steps: Steps;
  readonly settings: BoardSettings;
  readonly me: Me;
  readonly shopName: string | null;
  readonly wall: boolean;
}

export function BoardView({ client, board, steps, settings, me, shopName, wall }: Props) {
  const { targets } = settings;
  const orderId = useAddress().get("order");
  const columns = useRef<HTMLDivElement>(null);
  const [note, setNote] = useState<Note>();
  const [asked, setAsked] = useState<Asked>();
  const [question, setQuestion] = useState<Question>();
  const [open, setOpen] = useState<"keys" | "targets">();
  const close = () => setOpen(undefined);
  const [singleKeys, setSingleKeys] = useKept(localStorage, "ordercast.board.keys", true, isBoolean);
  const finding = useFilter(client, { board, steps, me, targets, wall });
  const { filter } = finding;
  const shift = useShift();
  usePresses();
  const closeMenu = useCallback(() => setAsked(undefined), []);
  const closeNote = useCallback(() => setNote(undefined), []);
  const statuses = useMemo(() => steps.open, [steps]);
  const navigation = useMemo(() => new Navigation(statuses.map(({ name }) => name)), [statuses]);
  const lateness = useMemo(() => new Lateness({ visible: () => board.orders() }, targets), [board, targets]);
  const ask = useCallback((question: Question) => {
    setNote(undefined);
    setQuestion(question);
  }, []);
  const doing = useMemo(() => {
    const moved = (made: Moved) => {
      setNote({ text: words.moved(made.order, steps.label(made.to)), action: { label: words.undo, act: () => undo(made) }, of: made });
    };
    return new Doing(client, board, steps, me, { moved, said: (text) => setNote({ text }) });
  }, [client, board, steps, me]);
  /** At once while it is offered: who undoes then has pressed by mistake. For other reasons there is the order's menu. */
  const undo = (made: Moved) => {
    if (Date.now() - made.at > OFFERS) return ask({ back: made });
    const from = document.activeElement;
    setNote(undefined);
    void doing.undo(made, REASONS[0]).then((done) => done && navigation.follow(key(made.order.orderId), from));
  };
  const desk = useMemo<Desk>(() => {
    const openDetails = (id: string) => address.set("order", id, true);
    const openMenu = (id: string, at: Element) => setAsked({ id, at });
    return { board, steps, doing, me, targets, lateness, navigation, wall, singleKeys, openDetails, openMenu, ask };
  }, [board, steps, doing, me, targets, lateness, navigation, wall, singleKeys, ask]);
  usePageKeys(singleKeys && !wall, {
    "?": () => setOpen("keys"),
    "/": () => document.querySelector<HTMLElement>(".search input")?.focus(),
    b: () => navigation.first(),
    u: () => doing.last !== undefined && undo(doing.last),
  });
  const more = [
    { id: "targets", label: words.targets, act: () => setOpen("targets") },
    { id: "csv", label: words.csv, act: () => download(fileName(filter, Date.now()), ordersCsv([...board.visible()], (status) => steps.label(status))) },
    { id: "keys", label: words.keys, act: () => setOpen("keys") },
    { id: "wall", label: words.wall, act: () => address.set("wall", "", true) },
  ];
  return (
    <DeskContext value={desk}>
      <Announcer shift={shift} title={shopName ?? words.title} />
      <main>
        <Top shopName={shopName} finding={finding} shift={shift} more={more} />
        <Tabs statuses={statuses} columns={columns} finding={!isBlank(filter.q) || filter.late} />
        <div className="columns" ref={columns}>
          {statuses.map((status) => (
            <Column key={status.name} status={status} />
          ))}
          {!wall && <Closed />}
        </div>
        {!wall && <Others finding={finding} />}
      </main>
      <Zones />
      <Toast note={note} close={closeNote} />
      {asked !== undefined && <CardMenu key={asked.id} asked={asked} close={closeMenu} />}
      {question !== undefined && <Reason key={key(orderOf(question).orderId)} question={question} close={() => setQuestion(undefined)} />}
      <Suspense>
        {orderId !== null && <Details orderId={orderId} />}
        {open === "targets" && <TargetsDialog board={settings} workflow={steps.workflow} onClose={close} />}
        {open === "keys" && <Help singleKeys={singleKeys} setSingleKeys={setSingleKeys} close={close} />}
      </Suspense>
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
