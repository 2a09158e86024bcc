/** Orders that are over, newest first: folded away until somebody looks for one. */

import { key, type Order } from "@ordercast/client";
import { useOrders } from "@ordercast/react";
import { useRef, type ReactNode } from "react";
import { address, useAddress } from "../model/address.ts";
import { useDesk } from "./context.ts";
import { clockTime, customer } from "./words.ts";

const SHOWN = 100; // older ones are found by searching

export function Closed(): ReactNode {
  const open = useAddress().has("closed");
  const box = useRef<HTMLElement>(null);
  const toggle = () => {
    address.set("closed", open ? null : "1");
    requestAnimationFrame(() => box.current?.scrollIntoView({ block: "nearest", inline: "nearest" }));
  };
  return (
    <section ref={box} className="column closed" id="column-closed" aria-labelledby="heading-closed" data-status="closed" data-quiet={!open || undefined}>
      <h2 id="heading-closed">
        <button type="button" aria-expanded={open} onClick={toggle}>
          Closed
        </button>
      </h2>
      {open && <List />}
    </section>
  );
}

function List(): ReactNode {
  const { steps, openDetails } = useDesk();
  const { orders, complete } = useOrders({ status: steps.closed.map(({ name }) => name), limit: SHOWN });
  if (orders.length === 0) return <p className="nothing">{complete ? "No orders" : "Loading …"}</p>;
  return (
    // Focusable, so that the keyboard can scroll it.
    <ul className="cards" tabIndex={0} aria-labelledby="heading-closed">
      {orders.slice(0, SHOWN).map((order) => (
        <li key={key(order.orderId)}>
          <button type="button" className="over" data-order-id={order.orderId} onClick={() => openDetails(key(order.orderId))}>
            <Line order={order} label={steps.label(order.status)} />
          </button>
        </li>
      ))}
    </ul>
  );
}

function Line({ order, label }: { order: Order; label: string }): ReactNode {
  return (
    <>
      <span className="number">{order.orderId}</span> <bdi className="reference">{order.reference}</bdi>
      <span className="since">
        <span className="status">{label}</span> <time dateTime={order.statusSince}>{clockTime(order.statusSince, Date.now())}</time>
      </span>
      <bdi className="soft">{customer(order)}</bdi>
    </>
  );
}
