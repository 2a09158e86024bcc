import { afterEach, describe, expect, it, vi } from "vitest";
import { retryOnReturn } from "../src/returning.ts";

afterEach(() => void vi.unstubAllGlobals());

class Target {
  readonly #listeners = new Map<string, () => void>();

  addEventListener(type: string, listener: () => void): void {
    this.#listeners.set(type, listener);
  }

  removeEventListener(type: string, listener: () => void): void {
    if (this.#listeners.get(type) === listener) this.#listeners.delete(type);
  }

  happen(type: string): void {
    this.#listeners.get(type)?.();
  }
}

const counting = () => {
  const client = { tries: 0, retryNow: () => void (client.tries += 1) };
  return client;
};

describe("in React Native", () => {
  it("tries when the application comes to the front and when the network is back", () => {
    const client = counting();
    let appState: (state: string) => void = () => undefined;
    let network: (state: { isConnected: boolean | null; type?: string }) => void = () => undefined;
    const removed: string[] = [];
    const stop = retryOnReturn(client, {
      AppState: { addEventListener: (_, listener) => ((appState = listener), { remove: () => void removed.push("AppState") }) },
      NetInfo: { addEventListener: (listener) => ((network = listener), () => void removed.push("NetInfo")) },
    });
    network({ isConnected: true }); // it tells the present state at first
    appState("background");
    expect(client.tries).toBe(0);
    appState("active");
    expect(client.tries).toBe(1);
    network({ isConnected: false });
    network({ isConnected: null });
    expect(client.tries).toBe(1);
    network({ isConnected: false });
    network({ isConnected: true });
    expect(client.tries).toBe(2);
    network({ isConnected: true, type: "wifi" });
    network({ isConnected: true, type: "wifi" });
    expect(client.tries).toBe(2);
    network({ isConnected: true, type: "cellular" });
    expect(client.tries).toBe(3);
    stop();
    stop();
    expect(removed).toEqual(["AppState", "NetInfo"]);
  });

  it("needs no DOM", () => {
    vi.stubGlobal("window", {}); // React Native's
    expect(() => retryOnReturn(counting())()).not.toThrow();
  });
});

describe("in a browser", () => {
  it("tries when online again and when the tab is shown", () => {
    const client = counting();
    const window = new Target();
    const document = Object.assign(new Target(), { hidden: true });
    vi.stubGlobal("window", window);
    vi.stubGlobal("document", document);
    const stop = retryOnReturn(client);
    window.happen("online");
    document.happen("visibilitychange");
    expect(client.tries).toBe(1);
    document.hidden = false;
    document.happen("visibilitychange");
    expect(client.tries).toBe(2);
    stop();
    window.happen("online");
    expect(client.tries).toBe(2);
  });
});
