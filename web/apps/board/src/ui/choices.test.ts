import { expect, test, vi } from "vitest";
import { Steps } from "../model/workflow.ts";
import { order, WORKFLOW } from "../parts/sample.ts";
import { bring, choices } from "./choices.ts";
import type { Desk } from "./context.ts";

const both = ["operator", "admin"];
const workflow = {
  ...WORKFLOW,
  statuses: [...WORKFLOW.statuses, { name: "failed", label: "Delivery failed", step: 0, category: "aborted" as const }],
  transitions: [
    ...WORKFLOW.transitions,
    { from: "received", to: "failed", roles: both, fulfilment: null },
    { from: "failed", to: "ready", roles: both, fulfilment: null },
  ],
};

function desk() {
  const move = vi.fn(() => Promise.resolve(true));
  const ask = vi.fn();
  return { move, ask, desk: { steps: new Steps(workflow), doing: { move }, me: { userId: "ana", role: "operator" }, ask } as unknown as Desk };
}

test("a reason is asked for where it is over, and not where there is a way on", () => {
  const { desk: at, move, ask } = desk();
  const one = order({ status: "received" });
  expect(choices(at, one)[0]!.list.map(({ label }) => label)).toEqual(["Preparing", "Cancelled …", "Delivery failed"]);
  expect(bring(at, one, "failed")).toBe(true);
  expect(move).toHaveBeenCalledExactlyOnceWith(one, "failed");
  expect(bring(at, one, "cancelled")).toBe(false);
  expect(ask).toHaveBeenCalledExactlyOnceWith({ order: one, to: "cancelled" });
});

test("back is asked for, too", () => {
  const { desk: at, move, ask } = desk();
  const one = order({ status: "preparing" });
  expect(bring(at, one, "received")).toBe(false);
  expect(move).not.toHaveBeenCalled();
  expect(ask.mock.calls[0]![0]).toMatchObject({ back: { order: one, from: "received", to: "preparing" } });
});
