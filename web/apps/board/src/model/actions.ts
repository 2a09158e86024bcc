/** What an operator does to an order: shown at once, taken back with a reason where the server says no. */

import { key, Problem, type History, type Id, type Order, type OrdercastClient } from "@ordercast/client";
import type { Board } from "./board.ts";
import type { Steps } from "./workflow.ts";

/** A step that was made and can be taken back. */
export interface Moved {
  /** Which one is meant. */
  readonly order: Order;
  readonly from: string;
  readonly to: string;
  /** When (ms since the epoch). */
  readonly at: number;
  /** The order as the server answered; `undefined`: it was refused. */
  readonly answered: Promise<Order | undefined>;
}

type Client = Pick<OrdercastClient, "changeStatus" | "claim" | "release" | "contact" | "call" | "getOrder">;

interface Me {
  readonly userId: string;
}

export interface Happenings {
  /** The server has agreed. */
  moved(moved: Moved): void;
  /** Something was undone or done that is worth a word. */
  said(text: string): void;
}

const UNREACHABLE = "The server cannot be reached, so this was not done as far as is known. Try again once the board is live.";
const GONE = "No answer came from the server; it is not open any more.";

export class Doing {
  readonly #client: Client;
  readonly #board: Board;
  readonly #steps: Steps;
  readonly #happenings: Happenings;
  readonly #me: Me;
  /** What is asked of an order, one thing after the other. */
  readonly #asked = new Map<string, Promise<unknown>>();
  /** Steps that are not answered yet, and before them the newest that the server agreed to. */
  #made: Moved[] = [];

  constructor(client: Client, board: Board, steps: Steps, me: Me, happenings: Happenings) {
    this.#client = client;
    this.#board = board;
    this.#steps = steps;
    this.#me = me;
    this.#happenings = happenings;
  }

  /** The newest step, answered or not: what somebody means who says "undo". */
  get last(): Moved | undefined {
    return this.#made.at(-1);
  }

  async move(order: Order, to: string, reason?: string): Promise<boolean> {
    const step = this.#steps.status(to)?.step ?? order.step;
    const now = new Date().toISOString();
    const fields = { status: to, step, updatedAt: now, statusSince: now };
    const made = { order, from: order.status, to, at: Date.now(), answered: this.#try(order, fields, () => this.#change(order, to, reason)) };
    this.#made.push(made);
    if ((await made.answered) === undefined) {
      this.#made = this.#made.filter((one) => one !== made);
      return false;
    }
    const at = this.#made.indexOf(made);
    if (at >= 0) this.#happenings.moved(made); // else it is being taken back, or a later one was answered first
    this.#made.splice(0, at);
    return true;
  }

  /** Takes a step back, once it is known to have been made; whether it did. `reason`: said in the order's history. */
  async undo({ answered, from }: Moved, reason: string): Promise<boolean> {
    this.#made = this.#made.filter((one) => one.answered !== answered);
    const order = await answered;
    if (order === undefined) return false; // its card says why
    const now = this.#board.card(key(order.orderId))?.order ?? (await this.#client.getOrder(order.orderId).catch(() => order));
    const label = this.#steps.label(from);
    if (now.status !== order.status) {
      this.#happenings.said(`${name(order)} is not taken back: it is ${this.#lower(now.status)} by now.`);
      return false;
    }
    const step = this.#steps.status(from)?.step ?? now.step;
    const at = new Date().toISOString();
    const fields = { status: from, step, updatedAt: at, statusSince: at };
    const done = await this.#try(now, fields, () => this.#change(now, from, reason));
    if (done !== undefined) this.#happenings.said(`${name(order)} is back in ${label}. Its time there starts again.`);
    return done !== undefined;
  }

  /** Takes the order, also from another who has it. */
  async claim(order: Order): Promise<void> {
    const from = order.claimedBy ?? undefined;
    await this.#try(order, { claimedBy: this.#me.userId }, () => this.#client.claim(order.orderId, { from }));
  }

  async release(order: Order): Promise<void> {
    await this.#try(order, { claimedBy: null }, () => this.#client.release(order.orderId));
  }

  async contacted(order: Order): Promise<void> {
    await this.#try(order, { firstContactAt: new Date().toISOString() }, () => this.#client.contact(order.orderId));
  }

  /** Asks once more where only something else of the order has changed since: what was meant still holds. */
  async #change(order: Order, to: string, reason: string | undefined): Promise<Order> {
    const ask = (version: number) => this.#client.changeStatus(order.orderId, to, { expectedVersion: version, reason });
    try {
      return await ask(order.version);
    } catch (error) {
      if (!(error instanceof Problem && error.status === 409)) throw error;
      const now = await this.#client.getOrder(order.orderId);
      if (now.status !== order.status || now.version === order.version) throw error;
      return ask(now.version);
    }
  }

  async #try(order: Order, fields: Partial<Order>, ask: () => Promise<Order>): Promise<Order | undefined> {
    const id = key(order.orderId);
    this.#board.say(id, undefined);
    const takeBack = this.#board.guess(order, fields);
    try {
      const changed = await this.#inTurn(id, ask);
      takeBack();
      return changed;
    } catch (error) {
      const words = await this.#why(order, error);
      takeBack();
      const now = this.#board.card(id)?.order;
      const unanswered = !(error instanceof Problem);
      if (unanswered && now !== undefined && now.version > order.version && hasBecome(now, fields)) return now; // only the answer was lost
      this.#board.say(id, words);
      if (now === undefined) this.#happenings.said(`${name(order)}: ${unanswered ? GONE : words}`);
      return undefined;
    }
  }

  /** Asks once what was asked before about the same order has been answered. */
  #inTurn(id: string, ask: () => Promise<Order>): Promise<Order> {
    const answer = (this.#asked.get(id) ?? Promise.resolve()).then(ask);
    const settled = answer.then(ignore, ignore).then(() => void (this.#asked.get(id) === settled && this.#asked.delete(id)));
    this.#asked.set(id, settled);
    return answer;
  }

  async #why(order: Order, error: unknown): Promise<string> {
    if (!(error instanceof Problem)) return UNREACHABLE;
    if (error.status !== 409) return error.message;
    const holder = error.details.claimedBy;
    const now = await this.#client.getOrder(order.orderId).catch(() => undefined); // and with it what is shown
    if (typeof holder === "string" || typeof holder === "number") return `${this.#who(holder)} claimed it first.`;
    if (now === undefined || now.version === order.version) return error.message;
    if (now.status === order.status) return "Someone changed it meanwhile. It is shown as it is now; try again.";
    const by = await this.#mover(order.orderId);
    return `${by === undefined ? "Someone" : this.#who(by)} was faster: it is ${this.#lower(now.status)} now.`;
  }

  /** Who made the last step, as the history says. */
  async #mover(id: Id): Promise<Id | undefined> {
    const path = `orders/${encodeURIComponent(id)}/events`;
    const page = await this.#client.call<History>("GET", path).catch(() => undefined);
    return page?.events.filter(({ kind }) => kind === "status_changed").at(-1)?.updatedBy ?? undefined;
  }

  #who(id: Id): string {
    return key(id) === this.#me.userId ? "You (on another screen)" : capital(key(id));
  }

  #lower(status: string): string {
    return this.#steps.label(status).toLowerCase();
  }
}

/** Whether what was meant for the order holds; when it came about is the server's to say. */
const hasBecome = (order: Order, { status, claimedBy, firstContactAt }: Partial<Order>): boolean =>
  (status === undefined || status === order.status) &&
  (claimedBy === undefined || (claimedBy === null ? order.claimedBy === null : order.claimedBy !== null && key(claimedBy) === key(order.claimedBy))) &&
  (firstContactAt === undefined || order.firstContactAt !== null);

const ignore = (): void => {};
export const name = (order: Order): string => `Order ${order.orderId}`;
const capital = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);
