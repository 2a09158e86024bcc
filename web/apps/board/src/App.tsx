/** The page: who it belongs to, what it knows, and how live it is. */

import { OrdercastProvider, useConnection } from "@ordercast/react";
import type { OrdercastClient, Workflow } from "@ordercast/client";
import { useEffect, useState } from "react";
import { I18nProvider } from "react-aria-components";
import { Board } from "./model/board.ts";
import type { Me } from "./model/who.ts";
import { Steps } from "./model/workflow.ts";
import type { Targets } from "./parts/ageing.ts";
import { BoardView } from "./ui/BoardView.tsx";

const EVERYTHING = 100_000; // more open orders than any shop has

const NO_TARGETS: Targets = {};

export function App({ client, me }: { client: OrdercastClient; me: Me }) {
  return (
    <I18nProvider locale="en-GB">
      <OrdercastProvider client={client}>
        <Page client={client} me={me} />
      </OrdercastProvider>
    </I18nProvider>
  );
}

function Page({ client, me }: { client: OrdercastClient; me: Me }) {
  const connection = useConnection();
  const steps = useSteps(client);
  const board = useBoard(client, steps);
  const wall = new URLSearchParams(location.search).has("wall");
  useEffect(() => {
    document.body.dataset.connection = connection.status;
  }, [connection]);
  return (
    <main data-wall={wall || undefined}>
      <header className="top">
        <h1>Orders</h1>
      </header>
      {board !== undefined && steps !== undefined && (
        <BoardView client={client} board={board} steps={steps} me={me} targets={NO_TARGETS} wall={wall} />
      )}
    </main>
  );
}

/** The workflow, asked for again with each change of the connection until it is there. */
function useSteps(client: OrdercastClient): Steps | undefined {
  const [workflow, setWorkflow] = useState<Workflow>();
  useEffect(() => {
    if (workflow !== undefined) return;
    const ask = () => client.workflow().then(setWorkflow, () => undefined);
    void ask();
    return client.on("connection", () => void ask());
  }, [client, workflow]);
  const [steps, setSteps] = useState<Steps>();
  useEffect(() => {
    if (workflow !== undefined) setSteps(new Steps(workflow));
  }, [workflow]);
  return steps;
}

function useBoard(client: OrdercastClient, steps: Steps | undefined): Board | undefined {
  const [board, setBoard] = useState<Board>();
  useEffect(() => {
    if (steps === undefined) return;
    const made = new Board(client.watchOrders({ status: steps.open.map(({ name }) => name), limit: EVERYTHING }));
    setBoard(made);
    return made.close;
  }, [client, steps]);
  return board;
}
