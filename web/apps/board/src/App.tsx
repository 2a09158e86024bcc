/** The page: who is signed in, and what they see. */

import { OrdercastProvider, useConnection, useOrdercast } from "@ordercast/react";
import { useEffect, useLayoutEffect, useState } from "react";
import { I18nProvider } from "react-aria-components";
import { useAddress } from "./model/address.ts";
import { Board } from "./model/board.ts";
import { liveness } from "./parts/Banner.tsx";
import { early, SERVER } from "./parts/early.ts";
import type { Session } from "./parts/session.ts";
import { SignIn } from "./parts/SignIn.tsx";
import { useSession } from "./parts/useSession.ts";
import { BoardView } from "./ui/BoardView.tsx";
import { useShop, type Shop } from "./ui/useShop.ts";

const SOON = 300; // ms
const EVERYTHING = 100_000; // more open orders than any shop has

export function App({ session }: { session: Session }) {
  useSession(session);
  useEffect(() => session.listen(), [session]);
  const { user } = session;
  return (
    // What react-aria says by itself is to be in the board's own language.
    <I18nProvider locale="en-GB">
      {user !== null && (
        <OrdercastProvider key={user} url={SERVER} token={session.token} fetch={early}>
          <Page session={session} />
        </OrdercastProvider>
      )}
      <SignIn session={session} />
    </I18nProvider>
  );
}

function Page({ session }: { session: Session }) {
  const client = useOrdercast();
  const connection = useConnection();
  const { steps, me, settings } = useShop(client);
  const board = useBoard(steps);
  const wall = useAddress().has("wall");
  useEffect(() => session.follow(client), [session, client]);
  useEffect(() => {
    document.body.dataset.connection = liveness(connection);
  }, [connection]);
  useEffect(() => {
    document.documentElement.toggleAttribute("data-wall", wall);
  }, [wall]);
  if (settings.refused !== undefined) return <Message title="This board is for the people who work here" text={settings.refused} />;
  if (steps === undefined || me === undefined || board === undefined) return <Message title="Orders" text="Opening the board …" />;
  return <BoardView client={client} board={board} steps={steps} me={me} settings={settings} shopName={session.state.page?.shopName ?? null} wall={wall} />;
}

function Message({ title, text }: { title: string; text: string }) {
  return (
    <main className="message">
      <h1>{title}</h1>
      <p role="status">{text}</p>
    </main>
  );
}

function useBoard(steps: Shop["steps"]): Board | undefined {
  const client = useOrdercast();
  const [board, setBoard] = useState<Board>();
  useLayoutEffect(() => {
    if (steps === undefined) return;
    const made = new Board(client.watchOrders({ status: steps.open.map(({ name }) => name), limit: EVERYTHING }));
    // With its first orders, or else all of it is drawn twice while somebody waits for them.
    const show = () => setBoard(made);
    const end = made.onAny(show);
    const timer = setTimeout(show, SOON);
    return () => {
      clearTimeout(timer);
      end();
      made.close();
    };
  }, [client, steps]);
  return board;
}
