/** What the board must know before it can show anything: the workflow, who looks, and how long things may take. */

import { key, type OrdercastClient } from "@ordercast/client";
import { useEffect, useMemo, useState } from "react";
import { Steps } from "../model/workflow.ts";
import { useTargets, type BoardSettings } from "../parts/useTargets.ts";
import type { Me } from "./context.ts";

export interface Shop {
  readonly steps: Steps | undefined;
  readonly me: Me | undefined;
  readonly settings: BoardSettings;
}

export function useShop(client: OrdercastClient): Shop {
  const settings = useTargets(client);
  const steps = useSteps(client);
  const { userId, role } = settings.me ?? {};
  const me = useMemo(() => (userId === undefined || role === undefined ? undefined : { userId: key(userId), role }), [userId, role]);
  return { steps, me, settings };
}

/** Asked for again with each connection until it is there. */
function useSteps(client: OrdercastClient): Steps | undefined {
  const [steps, setSteps] = useState<Steps>();
  useEffect(() => {
    if (steps !== undefined) return;
    let there = true;
    const ask = () =>
      client.workflow().then(
        (workflow) => there && setSteps((known) => known ?? new Steps(workflow)),
        () => undefined,
      );
    void ask();
    const end = client.on("connection", () => void ask());
    return () => {
      there = false;
      end();
    };
  }, [client, steps]);
  return steps;
}
