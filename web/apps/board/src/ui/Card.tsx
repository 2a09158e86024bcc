/** One order. Drawn again when something in it changes, and by nothing else. */

import { key, type Order } from "@ordercast/client";
import { memo, type KeyboardEvent, type ReactNode, type Ref } from "react";
import type { Card as View } from "../model/board.ts";
import { Ageing, Contact, Promised } from "./Ageing.tsx";
import { useCard, useDesk } from "./context.ts";
import { DragHandle, useCardDrag } from "./drag.tsx";
import { onCardKey } from "./keys.ts";
import { card as words, customer, fulfilment, items } from "./words.ts";

interface Props {
  readonly id: string;
  readonly status: string;
  readonly index: number;
  /** px from the top of the column. */
  readonly start: number;
  /** Whether Tab comes here. */
  readonly stop: boolean;
  readonly measure: Ref<HTMLDivElement>;
}

export const Card = memo(function Card({ id, start, measure, index, status, stop }: Props) {
  const desk = useDesk();
  const card = useCard(id);
  if (card === undefined) return null; // it has just gone, and its column is told next
  const { order, pending, movedAt } = card;
  const came = movedAt !== undefined && performance.now() - movedAt < MOVED;
  return (
    <div
      ref={measure}
      role="row"
      aria-rowindex={index + 1}
      aria-label={label(order)}
      tabIndex={stop ? 0 : -1}
      className="card"
      data-index={index}
      data-order-id={id}
      data-status={order.status}
      data-version={order.version}
      data-pending={pending || undefined}
      data-came={came || undefined}
      style={{ transform: `translateY(${start}px)` }}
      onFocus={() => desk.navigation.set(status, id)}
      onKeyDown={(event: KeyboardEvent) => onCardKey(event, desk, status, order)}
      onClick={(event) => !desk.wall && (event.target as Element).closest("button") === null && desk.openDetails(id)}
    >
      <Face card={card} stop={stop} />
    </div>
  );
});

const MOVED = 1500; // ms that a card is seen to have come

/** Cards above that come and go move this one, and draw nothing of it again. */
const Face = memo(function Face({ card, stop }: { card: View; stop: boolean }) {
  const { wall, board } = useDesk();
  const { order, pending, problem } = card;
  const { dragProps, dragButtonProps, isDragging } = useCardDrag(order);
  return (
    <div role="gridcell" className="face" data-dragging={isDragging || undefined} {...(wall ? {} : dragProps)}>
      <Ageing order={order} />
      <p className="head">
        <span className="number" data-short={id(order).length <= SHORT || undefined}>
          {order.orderId}
        </span>
        {order.reference !== null && <bdi className="reference">{order.reference}</bdi>}
      </p>
      <Who order={order} />
      <Items order={order} />
      <div className="line">
        <Contact order={order} />
        <Holding order={order} stop={stop} pending={pending} />
      </div>
      {!wall && <Acts order={order} stop={stop} pending={pending} handle={<DragHandle order={order} props={dragButtonProps} />} />}
      {problem !== undefined && (
        <p className="problem" role="alert">
          {problem}
          <button type="button" className="plain" tabIndex={stop ? 0 : -1} aria-label="Close this message" onClick={() => board.say(key(order.orderId), undefined)}>
            ✕
          </button>
        </p>
      )}
    </div>
  );
});

const SHORT = 5; // characters of a number that never breaks
const id = (order: Order): string => key(order.orderId);

function label(order: Order): string {
  return [`Order ${order.orderId}`, order.reference, customer(order)].filter(Boolean).join(", ");
}

function Who({ order }: { order: Order }) {
  const name = customer(order);
  const way = fulfilment(order);
  return (
    <p className="who">
      {name !== "" && <bdi className="name">{name}</bdi>}
      {way !== "" && <span className="way">{way}</span>}
      <Promised order={order} />
    </p>
  );
}

const SHOWN = 4; // items on a card; the details have them all

function Items({ order }: { order: Order }) {
  const all = items(order);
  if (all.length === 0) return null;
  return (
    <ul className="items">
      {all.slice(0, SHOWN).map(({ quantity, name }, index) => (
        <li key={index}>
          <span className="quantity">{quantity}</span> <bdi>{name}</bdi>
        </li>
      ))}
      {all.length > SHOWN && <li className="soft">and {all.length - SHOWN} more</li>}
    </ul>
  );
}

/** Who has the order, or the way to take it. */
function Holding({ order, stop, pending }: { order: Order; stop: boolean; pending: boolean }) {
  const { doing, me, wall } = useDesk();
  if (order.claimedBy !== null) {
    const mine = key(order.claimedBy) === me.userId;
    return (
      <p className="holder" data-mine={mine || undefined}>
        <span className="visually-hidden">{words.claimedBy} </span>
        <bdi>{mine ? "You" : order.claimedBy}</bdi>
      </p>
    );
  }
  if (wall) return null;
  return (
    <button type="button" className="take" tabIndex={stop ? 0 : -1} disabled={pending} onClick={() => void doing.claim(order)}>
      {words.claim}
    </button>
  );
}

function Acts({ order, stop, pending, handle }: { order: Order; stop: boolean; pending: boolean; handle: ReactNode }) {
  const desk = useDesk();
  const id = key(order.orderId);
  const next = desk.steps.onward(order, desk.me.role);
  const label = next === undefined ? "" : desk.steps.label(next);
  const tab = stop ? 0 : -1;
  return (
    <div className="acts">
      {next !== undefined && (
        <button type="button" className="next" tabIndex={tab} disabled={pending} onClick={() => void desk.doing.move(order, next)}>
          <span aria-hidden="true">→</span> <span>{label}</span>
        </button>
      )}
      {stop && handle}
      <button
        type="button"
        className="more"
        tabIndex={tab}
        aria-haspopup="menu"
        aria-label={`More for order ${id}`}
        onClick={(event) => desk.openMenu(id, event.currentTarget)}
      >
        <span aria-hidden="true">⋯</span>
      </button>
    </div>
  );
}
