/** A client over a server in memory, for tests of components. */

import { OrdercastProvider } from "@ordercast/react";
import { act, render } from "@testing-library/react";
import type { ReactNode } from "react";
import { found, setUp, type Answer } from "../../../../packages/client/test/fakes.ts";
import { WORKFLOW } from "./sample.ts";

/** What the server was asked: "PATCH orders/17", with the body if there was one. */
export interface Asked {
  readonly what: string;
  readonly body: unknown;
}

/** `answers`: by "METHOD path"; a function is asked each time. What is not there is a 404. */
export function serve(answers: Record<string, unknown>) {
  const asked: Asked[] = [];
  const made = setUp(() => found(null), {
    fetch: async (url, { method, body }) => {
      const what = `${method} ${url.replace("https://shop.example/live/api/", "")}`;
      const sent: unknown = body === undefined ? undefined : JSON.parse(body);
      asked.push({ what, body: sent });
      const known = what === "GET workflow" ? WORKFLOW : answers[what];
      const given: unknown = await (typeof known === "function" ? known(sent) : known);
      const answer = isAnswer(given) ? given : given === undefined ? { status: 404, body: { type: "urn:ordercast:not-found", title: "Not found", detail: "There is no such order." } } : (found(given) as { status: number; body: unknown });
      return { ok: answer.status < 400, status: answer.status, json: async () => answer.body };
    },
  });
  const { client, socket } = made;
  return {
    client,
    socket,
    asked,
    /** How often something was asked. */
    times: (what: string) => asked.filter((one) => one.what === what).length,
    show: (element: ReactNode) => render(<OrdercastProvider client={client}>{element}</OrdercastProvider>),
    connect: () =>
      act(async () => {
        client.connect();
        await socket.accept();
      }),
    hear: (name: string, data: unknown) => act(async () => socket.hear(name, data)),
  };
}

const isAnswer = (given: unknown): given is { status: number; body: unknown } => typeof given === "object" && given !== null && "status" in given && typeof given.status === "number" && "body" in given;

/** For `answers`: a refusal. */
export const refused = (status: number, detail: string, more: object = {}): Answer => ({ status, body: { title: "Conflict", status, detail, ...more } });
