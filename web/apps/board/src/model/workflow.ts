/** What the workflow says of an order: where it may go, and from where it may be taken back. Pure. */

import type { Order, Workflow } from "@ordercast/client";

export type Status = Workflow["statuses"][number];
type Fulfilled = Pick<Order, "status" | "fulfilment">;

const fits = (step: Workflow["transitions"][number], order: Fulfilled, role: string): boolean =>
  step.roles.includes(role) && (step.fulfilment === null || step.fulfilment === order.fulfilment);

/** The workflow, asked often. */
export class Steps {
  readonly workflow: Workflow;
  readonly #byName: ReadonlyMap<string, Status>;

  constructor(workflow: Workflow) {
    this.workflow = workflow;
    this.#byName = new Map(workflow.statuses.map((status) => [status.name, status]));
  }

  label(status: string): string {
    return this.#byName.get(status)?.label ?? status;
  }

  status(name: string): Status | undefined {
    return this.#byName.get(name);
  }

  /** Whether somebody still has to act: it is open, or there is a step out of it. */
  isOpen(status: string): boolean {
    return this.#byName.get(status)?.category === "open" || this.workflow.transitions.some(({ from }) => from === status);
  }

  /** Whether it goes wrong there; there may be a way on. */
  aborts(status: string): boolean {
    return this.#byName.get(status)?.category === "aborted";
  }

  /** Whether it is over there, and nothing has come of it. */
  isLost(status: string): boolean {
    return this.aborts(status) && !this.isOpen(status);
  }

  get open(): Status[] {
    return this.workflow.statuses.filter(({ name }) => this.isOpen(name));
  }

  get closed(): Status[] {
    return this.workflow.statuses.filter(({ name }) => !this.isOpen(name));
  }

  /** Where a person of this role may move the order, in the workflow's order. */
  next(order: Fulfilled, role: string): string[] {
    return this.workflow.transitions.filter((step) => step.from === order.status && fits(step, order, role)).map(({ to }) => to);
  }

  /** The one step that leads on, if any leads on: the first that does not abort. */
  onward(order: Fulfilled, role: string): string | undefined {
    return this.next(order, role).find((name) => !this.aborts(name));
  }

  /**
   * Statuses that the order may be taken back to, with a reason: those from which a step leads where it is. One that it
   * may go on to as well is no way back to anybody.
   */
  back(order: Fulfilled, role: string): string[] {
    if (!this.workflow.corrections) return [];
    const on = this.next(order, role);
    const from = this.workflow.transitions.filter((step) => step.to === order.status && fits(step, order, role)).map(({ from }) => from);
    return from.filter((name) => !on.includes(name));
  }
}
