/** A draft of an order's note and expected time, saved without taking anything back that others have changed. */

import { Problem, type Order, type OrdercastClient } from "@ordercast/client";
import { useEffect, useState } from "react";
import { begin, conflicts, edit, edited, follow, patch, settle, type Draft, type Field } from "./draft.ts";
import { edit as words } from "./words.ts";

/** Tries against versions that move on by changes of other things. */
const TRIES = 4;

export interface DraftState {
  readonly draft: Draft;
  readonly edited: readonly Field[];
  readonly conflicts: readonly Field[];
  readonly saving: boolean;
  /** Why the last try to save failed, or that it went well. */
  readonly outcome: { readonly saved: boolean; readonly text: string } | undefined;
  readonly edit: (field: Field, value: string) => void;
  readonly settle: (field: Field, mine: boolean) => void;
  readonly discard: () => void;
  readonly save: () => Promise<void>;
}

export function useDraft(client: Pick<OrdercastClient, "changeOrder" | "getOrder">, order: Order): DraftState {
  const [kept, set] = useState<Draft>(() => begin(order));
  const [saving, setSaving] = useState(false);
  const [outcome, setOutcome] = useState<DraftState["outcome"]>();
  const draft = follow(kept, order);
  useEffect(() => set(draft), [draft]);

  const save = async () => {
    setSaving(true);
    setOutcome(undefined);
    try {
      const saved = await sent(client, order, draft);
      if (saved === undefined) return; // the conflict is shown instead
      set(begin(saved));
      setOutcome({ saved: true, text: words.saved });
    } catch (error) {
      setOutcome({ saved: false, text: error instanceof Problem ? error.message : words.unreachable });
    } finally {
      setSaving(false);
    }
  };
  const change = (next: Draft) => {
    set(next);
    setOutcome(undefined);
  };
  return {
    draft,
    edited: edited(draft),
    conflicts: conflicts(draft, order),
    saving,
    outcome,
    edit: (field, value) => change(edit(draft, field, value)),
    settle: (field, mine) => change(settle(draft, order, field, mine)),
    discard: () => change(begin(order)),
    save,
  };
}

/** The order as saved; `undefined` where somebody has changed the same meanwhile, which the client then shows. */
async function sent(client: Pick<OrdercastClient, "changeOrder" | "getOrder">, order: Order, draft: Draft): Promise<Order | undefined> {
  let seen = order;
  for (let left = TRIES; ; left -= 1) {
    try {
      return await client.changeOrder(seen.orderId, { ...patch(draft), expectedVersion: seen.version });
    } catch (error) {
      if (!(error instanceof Problem && error.status === 409) || left === 1) throw error;
      seen = await client.getOrder(seen.orderId);
      if (conflicts(draft, seen).length > 0) return undefined;
    }
  }
}
