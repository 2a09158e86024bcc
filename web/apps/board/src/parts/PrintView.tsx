/** One order on paper: a sheet, or a receipt of 80 mm. Nothing of it is on the screen. */

import { key, type Order, type Workflow } from "@ordercast/client";
import { useEffect, type ReactNode } from "react";
import { createPortal } from "react-dom";
import { contact, lines, money } from "./orderText.ts";
import { labelOf } from "./statuses.ts";
import { clock } from "./times.ts";
import { filters, print as words } from "./words.ts";
import "./print.css";

export type Paper = "sheet" | "receipt";

export interface PrintViewProps {
  readonly order: Order;
  readonly workflow: Workflow;
  readonly paper: Paper;
  /** It has been printed, or it has been thought better of. */
  readonly onDone: () => void;
}

/** Prints as soon as it is there. */
export function PrintView({ order, workflow, paper, onDone }: PrintViewProps): ReactNode {
  useEffect(() => {
    window.addEventListener("afterprint", onDone);
    window.print();
    return () => window.removeEventListener("afterprint", onDone);
  }, []);
  return createPortal(<Sheet order={order} workflow={workflow} paper={paper} />, document.body);
}

function Sheet({ order, workflow, paper }: Omit<PrintViewProps, "onDone">): ReactNode {
  const { name, phone, more } = contact(order);
  const now = Date.now();
  const time = (at: string) => clock(Date.parse(at), now);
  return (
    <article className="print" data-paper={paper}>
      <header>
        <h1>#{key(order.orderId)}</h1>
        <p>
          {[order.reference, filters[order.fulfilment], labelOf(workflow, order.status)].filter(Boolean).join(" · ")}
        </p>
      </header>
      <dl>
        <Entry name={words.created} value={time(order.createdAt)} />
        {order.expectedAt !== null && <Entry name={words.expected} value={time(order.expectedAt)} />}
        {name !== null && <Entry name={words.name} value={name} />}
        {phone !== null && <Entry name={words.phone} value={phone} />}
        {more.map((line) => (
          <Entry key={line} name="" value={line} />
        ))}
      </dl>
      <table>
        <tbody>
          {lines(order).map(({ quantity, name, more, price }, i) => (
            <tr key={i}>
              <td className="quantity">{quantity || "1 ×"}</td>
              <td>
                {name}
                {more.map((line) => (
                  <div key={line} className="more">
                    {line}
                  </div>
                ))}
              </td>
              <td className="price">{price !== null && money(price, order.currency)}</td>
            </tr>
          ))}
        </tbody>
        {order.total !== null && (
          <tfoot>
            <tr>
              <td />
              <td>{words.total}</td>
              <td className="price">{money(order.total, order.currency)}</td>
            </tr>
          </tfoot>
        )}
      </table>
      {order.note && <p className="note">{order.note}</p>}
      <footer>{words.printed(clock(now, NaN))}</footer>
    </article>
  );
}

const Entry = ({ name, value }: { name: string; value: string }): ReactNode => (
  <div>
    <dt>{name}</dt>
    <dd>{value}</dd>
  </div>
);
