import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { found, LATER, setUp, shop, turn } from "./fakes.ts";

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

  it("stays where the application has not connected it, or has disconnected it", async () => {
    let token = "old";
    const { client, socket, states, tokens } = setUp(shop().answer, { token: () => token });
    client.renewToken();
    expect(socket.tries).toBe(0);
    client.connect();
    expect(await socket.accept()).toMatchObject({ token: "old" });
    await client.getOrder(17);
    client.disconnect();
    token = "new";
    client.renewToken();
    await turn();
    expect([socket.tries, states.at(-1)]).toEqual([1, "offline closed"]);
    await client.getOrder(17);
    expect(tokens.at(-1)).toBe("Bearer new");
    client.connect();
    expect(await socket.accept()).toMatchObject({ token: "new" });
  });
});

describe("a token function that", () => {
  const ends = (from: string) => (promise: Promise<unknown>) => promise.then(() => `${from}: ok`, (error: Error) => `${from}: ${error.name}: ${error.message}`);

  it("hangs fails after a while, and is asked again at once where one connects anew", async () => {
    const token = vi.fn((): string | Promise<string> => new Promise<string>(() => undefined));
    const { client, socket, states } = setUp(shop().answer, { token, requestTimeout: 1_000 });
    client.connect();
    void socket.accept();
    const asked = ends("REST")(client.getOrder(17));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await asked).toBe("REST: TokenError: The token function has not answered within 1 s.");
    expect(states.at(-1)).toBe("offline token");
    client.renewToken(); // hangs as well
    token.mockReturnValue("t");
    client.disconnect();
    client.connect();
    expect(await socket.accept()).toEqual({ token: "t" });
    expect(await ends("REST")(client.getOrder(17))).toBe("REST: ok");
  });

  it("hangs or fails while it renews leaves the old token in use", async () => {
    const token = vi.fn((): string | Promise<string> => "old");
    const { client, socket, tokens } = setUp(shop().answer, { token });
    const failed = vi.fn();
    client.on("token:refresh_failed", failed);
    client.connect();
    await socket.accept();
    await turn();
    token.mockReturnValue(new Promise<string>(() => undefined));
    socket.hear("token:expiring", { expiresAt: Date.now() / 1000 + 60 });
    expect(await ends("hanging")(client.getOrder(17))).toBe("hanging: ok");
    token.mockImplementation(() => {
      throw new Error("auth server down");
    });
    client.renewToken();
    await turn();
    expect(failed).toHaveBeenCalledWith({ error: "auth server down" });
    expect(await ends("failing")(client.getOrder(17))).toBe("failing: ok");
    token.mockReturnValue("new");
    client.renewToken();
    await turn();
    expect(await ends("renewed")(client.getOrder(17))).toBe("renewed: ok");
    expect(tokens.slice(-3)).toEqual(["Bearer old", "Bearer old", "Bearer new"]);
  });

  it.each([undefined, null, "", " ", "<html>502 Bad Gateway</html>", "<p>no</p>", "two words", "tökén"])("gives %j has failed, and is asked again", async (given) => {
    const token = vi.fn(() => given as string);
    const { client, socket, states } = setUp(shop().answer, { token });
    client.connect();
    void socket.accept();
    await turn();
    expect(states.at(-1)).toBe("offline token");
    expect(await ends("REST")(client.getOrder(17))).toContain("REST: TokenError: What the token function gave is no token.");
    token.mockReturnValue("t");
    await vi.advanceTimersByTimeAsync(LATER);
    expect(await socket.accept()).toEqual({ token: "t" });
  });

  it("is none is said at once", () => {
    for (const token of [undefined, null, 7]) expect(() => setUp(shop().answer, { token: token as unknown as string })).toThrow("Give `token`: a token, or a function that gets one.");
  });
});

it("takes a token from a file or a header as it is", async () => {
  for (const token of ["a.b.c\n", "Bearer a.b.c", () => " bearer a.b.c\r\n"]) {
    const { client, socket, tokens } = setUp(shop().answer, { token });
    client.connect();
    expect(await socket.accept()).toEqual({ token: "a.b.c" });
    expect(tokens[0]).toBe("Bearer a.b.c");
  }
});

it("goes on with a newer token where it polls, and keeps the old one where there is none", async () => {
  let token: () => string = () => "old";
  const { client, socket, tokens, states } = setUp(shop((path) => (path.includes("wait") ? new Promise(() => undefined) : found({ events: [], position: 1, cursor: "log.1" }))).answer, { token: () => token(), since: "log.1" });
  client.connect();
  for (let i = 0; i < 2; i++) socket.refuse("timeout");
  await turn();
  expect(states.at(-1)).toBe("polling");
  token = () => {
    throw new Error("auth server down");
  };
  client.renewToken();
  await turn();
  await client.getOrder(17);
  expect(tokens.at(-1)).toBe("Bearer old");
  token = () => "new";
  client.renewToken();
  await turn();
  expect(await socket.accept()).toMatchObject({ token: "new" });
});
