import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { LATER, setUp, shop, turn } from "./fakes.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("tokens", () => {
  it("renews one that is about to end", async () => {
    const token = vi.fn(() => `t${token.mock.calls.length}`);
    const { client, socket } = setUp(shop().answer, { token });
    client.connect();
    expect(await socket.accept()).toMatchObject({ token: "t1" });
    socket.hear("token:expiring", { expiresAt: Date.now() / 1000 + 60 });
    await turn();
    expect(socket.said).toEqual([["auth:refresh", "t2", expect.any(Function)]]);
  });

  it("tries once with a new one where the old one is refused", async () => {
    const token = vi.fn(() => `t${token.mock.calls.length}`);
    const { client, socket, states } = setUp(shop().answer, { token });
    client.connect();
    await turn();
    socket.refuse("Token expired");
    await turn();
    expect([socket.tries, states.at(-1)]).toEqual([2, "resuming"]);
    socket.refuse("Token expired");
    await vi.advanceTimersByTimeAsync(LATER);
    expect([socket.tries, states.at(-1)]).toEqual([2, "offline token_expired"]);
  });

  it("comes back with a new one where the old one ended without a warning", async () => {
    const token = vi.fn(() => `t${token.mock.calls.length}`);
    const { client, socket, states } = setUp(shop().answer, { token });
    client.connect();
    await socket.accept();
    socket.hear("force_disconnect", { reason: "token_expired" });
    socket.drop("io server disconnect");
    await turn();
    expect([socket.tries, states.at(-1)]).toEqual([2, "resuming"]);
    expect(await socket.accept()).toMatchObject({ token: "t2" });
  });

  it("goes on with a newer one as soon as it is told of it, also after the end", async () => {
    let token = "old";
    const { client, socket, states } = setUp(shop().answer, { token: () => token });
    client.connect();
    await socket.accept();
    token = "newer";
    client.renewToken();
    await turn();
    expect(socket.said).toEqual([["auth:refresh", "newer", expect.any(Function)]]);
    socket.hear("force_disconnect", { reason: "token_expired" });
    socket.drop("io server disconnect");
    await turn();
    socket.refuse("Token expired"); // there was no newer one yet
    await turn();
    expect(states.at(-1)).toBe("offline token_expired");
    token = "newest";
    client.renewToken();
    expect(await socket.accept()).toMatchObject({ token: "newest" });
  });
});
