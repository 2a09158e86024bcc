/** What the workflow says of its statuses. Pure. */

import type { Order, Workflow } from "@ordercast/client";

type Status = Workflow["statuses"][number];

/** Whether orders wait in it for somebody: it is open, or something follows it, as after a failed delivery. */
export const waitsIn = ({ transitions }: Workflow, { name, category }: Status): boolean => category === "open" || transitions.some(({ from }) => from === name);

/** Whether nobody has to act on an order any more. */
export const isOver = (workflow: Workflow, { status }: Pick<Order, "status">): boolean => !workflow.statuses.some((one) => one.name === status && waitsIn(workflow, one));

/** What a status is called; its name, where the workflow has it no longer. */
export const labelOf = ({ statuses }: Workflow, status: string): string => statuses.find(({ name }) => name === status)?.label ?? status;
