// @vitest-environment happy-dom
/** What is asked for early is taken once, by whoever asks the same. */

import { afterEach, expect, it, vi } from "vitest";
import { askEarly, early, SERVER } from "./early.ts";
import { WORKFLOW } from "./sample.ts";
import { KEY } from "./tokens.ts";

afterEach(() => void vi.unstubAllGlobals());

const TOKEN = "a.b.c";
const headers = { Authorization: `Bearer ${TOKEN}` };
const turn = () => new Promise((done) => setTimeout(done));

/** Answers each request with its number, but for those to `away`. */
function server(away = "") {
  const asked: string[] = [];
  vi.stubGlobal("fetch", (url: string) => {
    asked.push(url.slice(SERVER.length));
    if (away !== "" && url.endsWith(away) && asked.length < 4) return Promise.reject(new TypeError("away"));
    return Promise.resolve(new Response(JSON.stringify(url.endsWith("workflow") ? WORKFLOW : { number: asked.length })));
  });
  return asked;
}

const ask = async (path: string, authorization = headers.Authorization, method = "GET") =>
  (await early(`${SERVER}api/${path}`, { method, headers: { Authorization: authorization } })).json();

const ORDERS = `orders?status=${encodeURIComponent("received,preparing,ready")}&limit=100`;

it("gives each answer once, to the same question with the same token", async () => {
  sessionStorage.setItem(KEY, TOKEN);
  const asked = server();
  askEarly();
  await turn();
  expect(asked).toEqual(["api/board", "api/workflow", `api/${ORDERS}`]);
  expect(await ask(ORDERS, "Bearer x.y.z")).toEqual({ number: 4 });
  expect(await ask("board", headers.Authorization, "PUT")).toEqual({ number: 5 });
  expect(await ask(ORDERS)).toEqual({ number: 3 });
  expect(await ask(ORDERS)).toEqual({ number: 6 });
  expect(await ask("board")).toEqual({ number: 1 });
  expect(await ask("workflow")).toEqual(WORKFLOW);
});

it("asks anew where the early question did not get through, and not at all where nobody is signed in", async () => {
  sessionStorage.setItem(KEY, TOKEN);
  const asked = server("board");
  askEarly();
  await turn();
  expect(await ask("board")).toEqual({ number: 4 });
  sessionStorage.removeItem(KEY);
  asked.length = 0;
  askEarly();
  expect(asked).toEqual([]);
});
