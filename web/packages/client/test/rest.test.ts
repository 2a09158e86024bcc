import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { LATER, setUp, shop } from "./fakes.ts";
import { platform, type AbortSignalLike } from "../src/platform.ts";
import type { Fetch } from "../src/rest.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("a request that is never answered", () => {
  interface Signal extends AbortSignalLike {
    addEventListener(name: "abort", act: () => void): void;
  }
  const swallowed = () => {
    const signals: Signal[] = [];
    const fetch: Fetch = (_, { signal }) => new Promise((_, reject) => {
      signals.push(signal as Signal);
      (signal as Signal).addEventListener("abort", () => reject(new Error("aborted")));
    });
    return { signals, fetch };
  };

  it("fails after a while, and is given up", async () => {
    const { signals, fetch } = swallowed();
    const { client } = setUp(shop().answer, { fetch });
    const asked = client.changeStatus(17, "accepted").catch((error: Error) => error.message);
    await vi.advanceTimersByTimeAsync(14_999);
    expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
    await vi.advanceTimersByTimeAsync(1);
    expect(await asked).toBe("The server has not answered within 15 s.");
    expect(signals[0]?.aborted).toBe(true);
  });

  it("waits for ever where it is told to", async () => {
    const fetch = () => new Promise<never>(() => {});
    for (const requestTimeout of [Infinity, 2 ** 31]) {
      const { client } = setUp(shop().answer, { fetch, requestTimeout });
      const ended = vi.fn();
      void client.call("GET", "stats").then(ended, ended);
      await vi.advanceTimersByTimeAsync(LATER);
      expect(ended).not.toHaveBeenCalled();
    }
  });

  it("waits as long as it is told to, or as its caller's own signal says", async () => {
    const { signals, fetch } = swallowed();
    const { client } = setUp(shop().answer, { fetch, requestTimeout: 100 });
    const own = new platform.AbortController();
    const asked = [client.call("GET", "stats"), client.call("GET", "stats", { signal: own.signal })].map((one) => one.catch((error: Error) => error.message));
    await vi.advanceTimersByTimeAsync(LATER);
    expect(await asked[0]).toBe("The server has not answered within 0.1 s.");
    expect(signals[1]).toBe(own.signal);
    expect(own.signal.aborted).toBe(false);
    own.abort();
    expect(await asked[1]).toBe("aborted");
  });
});
