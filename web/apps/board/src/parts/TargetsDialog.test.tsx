// @vitest-environment happy-dom
import { act, cleanup, screen, waitFor } from "@testing-library/react";
import { useOrdercast } from "@ordercast/react";
import userEvent from "@testing-library/user-event";
import type { ReactNode } from "react";
import { afterEach, expect, it } from "vitest";
import { refused, serve } from "./fakeClient.tsx";
import { WORKFLOW } from "./sample.ts";
import { merged, TargetsDialog } from "./TargetsDialog.tsx";
import { useTargets } from "./useTargets.ts";

let closed = 0;
function Page(): ReactNode {
  const board = useTargets(useOrdercast());
  return (
    <>
      <output>{JSON.stringify(board.targets)}</output>
      <TargetsDialog board={board} workflow={WORKFLOW} onClose={() => void (closed += 1)} />
    </>
  );
}
afterEach(cleanup);
const wait = { timeout: 30_000 };
const board = (role: string, shops: string[] | null = null) => ({ targets: { received: 60, preparing: 900 }, me: { userId: "ana", role, shops } });

async function open(answers: Record<string, unknown>) {
  const shop = serve(answers);
  shop.show(<Page />);
  await shop.connect();
  await screen.findByText(/"received":60/, {}, wait);
  return shop;
}

it("lets an admin set minutes, and keeps what others set meanwhile", async () => {
  closed = 0;
  const sent: unknown[] = [];
  const shop = await open({ "GET board": board("admin"), "PUT board": (body: unknown) => (sent.push(body), board("admin")) });
  const received = screen.getByLabelText<HTMLInputElement>("Received");
  expect([received.value, screen.getByLabelText<HTMLInputElement>("Ready").value, screen.queryByLabelText("Delivered")]).toEqual(["1", "", null]);
  await userEvent.clear(received);
  await userEvent.type(received, "2.5");
  await userEvent.tab();
  await shop.hear("board:changed", { targets: { received: 60, preparing: 1200 } });
  await waitFor(() => expect(screen.getByLabelText<HTMLInputElement>("Preparing").value).toBe("20"), wait);
  await userEvent.click(screen.getByRole("button", { name: "Save for everybody" }));
  await waitFor(() => expect(closed).toBe(1), wait);
  expect(sent).toEqual([{ targets: { received: 150, preparing: 1200 } }]);
});

it("tells why the server refuses", async () => {
  closed = 0;
  await open({ "GET board": board("admin"), "PUT board": refused(403, "Only admins set targets.") });
  await userEvent.click(screen.getByRole("button", { name: "Save for everybody" }));
  expect(await screen.findByText("Only admins set targets.", {}, wait)).toBeTruthy();
  expect(closed).toBe(0);
});

it.each([board("operator"), board("admin", ["a"])])("shows them to everybody else: %j", async (answer) => {
  await open({ "GET board": answer });
  expect(screen.queryByRole("textbox")).toBeNull();
  expect(screen.getByText("15 min")).toBeTruthy();
  expect(screen.getByText("no target")).toBeTruthy();
});

it("reads them again with a new connection", async () => {
  let answer = board("operator");
  const shop = await open({ "GET board": () => answer });
  answer = { ...answer, targets: { received: 61, preparing: 1 } };
  await act(async () => shop.socket.drop("transport close"));
  await act(async () => shop.socket.accept());
  await act(async () => shop.socket.hear("caught_up", { position: 1 }));
  expect(await screen.findByText(/"received":61/, {}, wait)).toBeTruthy();
});

it("keeps what was told while an older answer was under way", async () => {
  const slow = board("admin");
  let answer: (board: unknown) => void = () => undefined;
  const shop = serve({ "GET board": () => new Promise((resolve) => (answer = resolve)) });
  shop.show(<Page />);
  await shop.connect();
  await shop.hear("board:changed", { targets: { received: 99 } });
  await act(async () => answer(slow));
  expect(screen.getByText(/"received":99/)).toBeTruthy();
  expect(screen.getByRole("textbox", { name: "Preparing" })).toBeTruthy(); // and who one is, which it says too
});

it("removes a target, and sets none below a second", () => {
  expect(merged({ received: 60, ready: 5, old: null }, { received: null, ready: 0.001, preparing: 1.5 })).toEqual({ received: null, ready: 1, old: null, preparing: 90 });
});
