/** What the board must know before it can show anything: the workflow, who looks, and how long things may take. */

import { key, Problem, type OrdercastClient } from "@ordercast/client";
import { useEffect, useState } from "react";
import { Steps } from "../model/workflow.ts";
import type { Targets } from "../parts/ageing.ts";
import type { Me } from "./context.ts";

export interface Shop {
  readonly steps: Steps;
  readonly me: Me;
  readonly targets: Targets;
}

/** Asked for again whenever the connection changes, for what may have changed meanwhile. `refused`: in words. */
export function useShop(client: OrdercastClient): { shop: Shop | undefined; refused: string | undefined } {
  const [shop, setShop] = useState<Shop>();
  const [refused, setRefused] = useState<string>();
  useEffect(() => {
    let there = true;
    const ask = async () => {
      try {
        const [workflow, { me, targets }] = await Promise.all([client.workflow(), client.board()]);
        if (!there) return;
        setRefused(undefined);
        setShop((before) => ({
          steps: before?.steps.workflow === workflow ? before.steps : new Steps(workflow),
          me: before?.me.userId === key(me.userId) && before.me.role === me.role ? before.me : { userId: key(me.userId), role: me.role },
          targets,
        }));
      } catch (error) {
        if (there && error instanceof Problem && error.status === 403) setRefused(error.message);
      }
    };
    void ask();
    const ends = [
      client.on("connection", ({ status }) => void (status !== "offline" && ask())),
      client.on("board:changed", ({ targets }) => setShop((before) => before && { ...before, targets })),
    ];
    return () => {
      there = false;
      for (const end of ends) end();
    };
  }, [client]);
  return { shop, refused };
}
