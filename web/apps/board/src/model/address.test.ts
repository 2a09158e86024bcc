import { expect, it, vi } from "vitest";

it("goes back once, however often it is closed on the way", async () => {
  let arrive = (): void => {};
  const back = vi.fn();
  const history = { state: { opened: true } as unknown, back, pushState: vi.fn(), replaceState: vi.fn() };
  vi.stubGlobal("location", { search: "?order=1", pathname: "/board" });
  vi.stubGlobal("history", history);
  vi.stubGlobal("addEventListener", (_: string, listener: () => void) => (arrive = listener));
  const { address } = await import("./address.ts");
  address.close("order");
  address.close("order");
  expect(back).toHaveBeenCalledTimes(1);
  arrive();
  address.close("order");
  expect(back).toHaveBeenCalledTimes(2);
  arrive();
  history.state = null;
  address.close("order");
  expect(history.replaceState).toHaveBeenCalledTimes(1);
  vi.unstubAllGlobals();
});
