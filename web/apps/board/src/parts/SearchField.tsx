/** Filters what is shown as one types, and finds what is not shown any more. */

import { key, type Order } from "@ordercast/client";
import { useOrdercast } from "@ordercast/react";
import type { ReactNode } from "react";
import { Button, Input, SearchField as Field } from "react-aria-components";
import { summary } from "../../../shared/orders.ts";
import { clock } from "./times.ts";
import { others, useSearch } from "./useSearch.ts";
import { search as words } from "./words.ts";

export interface SearchFieldProps {
  readonly q: string;
  readonly onChange: (q: string) => void;
  /** Enter was pressed. */
  readonly onSubmit?: ((q: string) => void) | undefined;
}

export function SearchField({ q, onChange, onSubmit }: SearchFieldProps): ReactNode {
  return (
    <Field className="search" aria-label={words.label} value={q} onChange={onChange} {...(onSubmit && { onSubmit })}>
      <Input className="field" placeholder={words.placeholder} />
      <Button className="clear" aria-label={words.clear}>
        <span aria-hidden="true">✕</span>
      </Button>
    </Field>
  );
}

export interface OthersProps {
  readonly q: string;
  /** Whether the board shows this order already. */
  readonly isShown: (id: string) => boolean;
  /** What a status is called. */
  readonly label: (status: string) => string;
  readonly onOpen: (id: string) => void;
}

/** What the server has found besides: closed orders, and those that a filter hides. */
export function Others({ q, isShown, label, onOpen }: OthersProps): ReactNode {
  const found = useSearch(useOrdercast(), q);
  if (found.status === "idle") return null;
  const orders = others(found, isShown);
  return (
    <section className="others" aria-label={words.others} aria-busy={found.status === "asking"}>
      <h2>{words.others}</h2>
      <p className="soft" role="status">
        {words.outcome(found.status, orders.length, found.more)}
      </p>
      <ul>
        {orders.map((order) => (
          <li key={key(order.orderId)}>
            <Button className="button result" onPress={() => onOpen(key(order.orderId))}>
              <Result order={order} label={label} />
            </Button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Result({ order, label }: { order: Order; label: (status: string) => string }): ReactNode {
  const name = typeof order.contact?.name === "string" ? order.contact.name : null;
  return (
    <>
      <strong>#{order.orderId}</strong> <span className="status">{label(order.status)}</span>{" "}
      <span className="soft">{[order.reference, name, summary(order), clock(Date.parse(order.createdAt), Date.now())].filter(Boolean).join(" · ")}</span>
    </>
  );
}
