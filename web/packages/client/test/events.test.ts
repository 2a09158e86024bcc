import { describe, expect, expectTypeOf, it } from "vitest";
import schema from "../asyncapi.json" with { type: "json" };
import { isLogEvent, type ClientToServerEvents, type OrderChanged, type OrderCreated, type OrderStatusChanged, type OrderUpdated, type Refreshed, type ServerEvents } from "../src/events.ts";
import type { components } from "../src/generated/asyncapi.ts";
import type { Order } from "../src/models.ts";

type Schemas = components["schemas"];

describe("the events' types", () => {
  it("name each event that the server says, and no other", () => {
    expectTypeOf<keyof ServerEvents>().toEqualTypeOf<keyof Schemas["ServerEvents"]>();
    expectTypeOf<ServerEvents>().toExtend<Schemas["ServerEvents"]>();
    expectTypeOf<Schemas["ServerEvents"]>().toExtend<ServerEvents>();
  });

  it("name each event that the server hears", () => {
    type Said = Omit<Schemas["ClientEvents"], "connect">;
    expectTypeOf<{ [Name in keyof ClientToServerEvents]: Parameters<ClientToServerEvents[Name]>[0] }>().toEqualTypeOf<Said>();
    type Answered = Parameters<Required<Parameters<ClientToServerEvents["watch:order"]>>[1]>[0];
    expectTypeOf<Answered>().toExtend<Schemas["Answers"]["watch:order"]>();
    expectTypeOf<Schemas["Answers"]["watch:order"]>().toExtend<Answered>();
  });

  it("fit the orders of the REST API", () => {
    expectTypeOf<OrderCreated>().toExtend<Order>();
    expectTypeOf<OrderChanged["changes"]>().toExtend<Partial<Order>>();
    expectTypeOf<OrderStatusChanged>().toExtend<OrderUpdated>();
  });

  it("tell an answer to auth:refresh by its error", () => {
    const said = (answer: Refreshed) => ("error" in answer ? answer.error : answer.expiresAt);
    expectTypeOf(said).returns.toEqualTypeOf<"Authentication required" | "Invalid token" | "Token expired" | number | null>();
  });
});

it("knows the log's events by name: those of orders", () => {
  const said = Object.values(schema.operations).filter(({ action }) => action === "send").map(({ title }) => title);
  expect(said.filter((name) => isLogEvent(name))).toEqual(said.filter((name) => name.startsWith("order:")));
  expect(said).toContain("order:created");
});
