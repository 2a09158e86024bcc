/** What the board shows first, asked for while most of its code is still being read. */

import type { ClientOptions, Workflow } from "@ordercast/client";
import { Steps } from "../model/workflow.ts";
import { KEY, tokenIn } from "./tokens.ts";

/** Where the server is, which the page is from: `https://shop.example/live/` for `https://shop.example/live/board`. */
export const SERVER = new URL(".", location.href).href;

const GOOD_FOR = 10_000; // ms

/** Answers that nobody has taken yet, by URL and token. */
const answers = new Map<string, Promise<Response>>();

/** Asks as the client will: with the same URLs and the token that it will begin with. */
export function askEarly(): void {
  const token = tokenIn(location.hash) ?? sessionStorage.getItem(KEY);
  if (token === null) return;
  const authorization = `Bearer ${token}`;
  const ask = (path: string): Promise<Response> => {
    const url = `${SERVER}api/${path}`;
    const answer = fetch(url, { headers: { Authorization: authorization, Accept: "application/json" } });
    answers.set(`${url} ${authorization}`, answer);
    return answer;
  };
  ask("board").catch(ignore);
  ask("workflow")
    .then((answer) => (answer.ok ? answer.clone().json() : undefined))
    .then((workflow: Workflow | undefined) => workflow && ask(`orders?status=${encodeURIComponent(open(workflow))}&limit=100`))
    .catch(ignore);
  setTimeout(() => answers.clear(), GOOD_FOR);
}

/** `fetch`, but for what has been asked early: each answer is good once. */
export const early: NonNullable<ClientOptions["fetch"]> = (url, init) => {
  if (init.method !== "GET") return fetch(url, init as RequestInit);
  const name = `${url} ${init.headers.Authorization}`;
  const answer = answers.get(name);
  answers.delete(name);
  const ask = () => fetch(url, init as RequestInit);
  return answer?.catch(ask) ?? ask();
};

const open = (workflow: Workflow): string => new Steps(workflow).open.map(({ name }) => name).join(",");
const ignore = (): void => {}; // whoever takes the answer hears of it
