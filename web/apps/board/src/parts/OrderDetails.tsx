/** Everything of one order, live: who wants what, what happened, and what can be changed. */

import { key, Problem, type Id, type Order, type Workflow } from "@ordercast/client";
import { useOrder, useOrdercast } from "@ordercast/react";
import { useEffect, useRef, useState, type ReactNode, type RefObject } from "react";
import { Button, Dialog, Heading, Modal, ModalOverlay } from "react-aria-components";
import { EditOrder } from "./EditOrder.tsx";
import { contact, lines, money } from "./orderText.ts";
import { PrintView, type Paper } from "./PrintView.tsx";
import { Share } from "./Share.tsx";
import { isOver, labelOf } from "./statuses.ts";
import { hasBeen } from "./timeline.ts";
import { Timeline } from "./Timeline.tsx";
import { clock, exactSpan } from "./times.ts";
import { useDraft } from "./useDraft.ts";
import { useHistory } from "./useHistory.ts";
import { useKeptFocus } from "./useKeptFocus.ts";
import { useNow } from "./useNow.ts";
import { details as words, filters } from "./words.ts";
import "./order.css";

export interface OrderDetailsProps {
  readonly orderId: Id;
  readonly workflow: Workflow;
  readonly onClose: () => void;
  /** What can be done with it: the board's own buttons. */
  readonly actions?: ((order: Order, hasBeen: (status: string) => boolean) => ReactNode) | undefined;
  /** How long an order that is not over has waited, and by what that is measured: as its card says it. */
  readonly waiting?: ((order: Order) => ReactNode) | undefined;
}

export function OrderDetails(props: OrderDetailsProps): ReactNode {
  const { orderId, onClose } = props;
  const { order, error } = useOrder(orderId);
  const [dirty, setDirty] = useState(false);
  const dialog = useRef<HTMLElement>(null);
  return (
    <ModalOverlay className="overlay" isOpen isDismissable={!dirty} isKeyboardDismissDisabled={dirty} onOpenChange={(open) => open || onClose()}>
      <Modal className="modal wide order">
        <Dialog className="dialog details" ref={dialog}>
          <div className="head">
            <Heading slot="title">{words.title(key(orderId))}</Heading>
            <Button className="button" onPress={onClose}>
              {dirty ? words.discardAndClose : words.close}
            </Button>
          </div>
          {error !== undefined && <p role="alert">{error instanceof Problem && error.status === 404 ? words.notThere : words.unreachable}</p>}
          {error === undefined && order === undefined && <p role="status">{words.loading}</p>}
          {order !== undefined && <Known key={key(orderId)} {...props} order={order} dialog={dialog} onDirty={setDirty} />}
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}

interface KnownProps extends OrderDetailsProps {
  readonly order: Order;
  readonly dialog: RefObject<HTMLElement | null>;
  readonly onDirty: (dirty: boolean) => void;
}

function Known({ order, workflow, actions, waiting, dialog, onDirty }: KnownProps): ReactNode {
  const client = useOrdercast();
  const history = useHistory(client, order.orderId, order.version);
  const draft = useDraft(client, order);
  const [paper, setPaper] = useState<Paper>();
  useKeptFocus(dialog);
  const dirty = draft.edited.length > 0;
  const over = isOver(workflow, order);
  useEffect(() => onDirty(dirty), [onDirty, dirty]);
  return (
    <>
      <div className="whole">
        <div className="first">
          <Status order={order} workflow={workflow}>
            {!over && waiting?.(order)}
          </Status>
          {actions !== undefined && <div className="acts">{actions(order, hasBeen(history.history, history.failed))}</div>}
          <Facts order={order} />
          <Items order={order} />
        </div>
        <div className="then">
          <EditOrder order={order} state={draft} events={history.history?.events ?? []} over={over} />
          <Timeline state={history} workflow={workflow} />
        </div>
      </div>
      <div className="buttons foot">
        <Share orderId={order.orderId} />
        <Button className="button" onPress={() => setPaper("sheet")}>
          {words.print}
        </Button>
        <Button className="button" onPress={() => setPaper("receipt")}>
          {words.receipt}
        </Button>
      </div>
      {paper !== undefined && <PrintView order={order} workflow={workflow} paper={paper} onDone={() => setPaper(undefined)} />}
    </>
  );
}

/** Where it is, and for how long that has been waited: `children`. What is over has no such thing, and says since when. */
function Status({ order, workflow, children }: { order: Order; workflow: Workflow; children: ReactNode }): ReactNode {
  return (
    <div className="standing">
      <span className="visually-hidden">{words.status}: </span>
      <strong>{labelOf(workflow, order.status)}</strong>{" "}
      {isOver(workflow, order) ? <time dateTime={order.statusSince}>{clock(Date.parse(order.statusSince), Date.now())}</time> : children}
    </div>
  );
}

/** Whom it is for and how to reach them, then when, then the rest. */
function Facts({ order }: { order: Order }): ReactNode {
  const now = useNow();
  const { name, phone, more } = contact(order);
  const at = (time: string) => clock(Date.parse(time), now);
  const facts: [string, ReactNode][] = [
    [words.customer, name ?? words.number(key(order.customerId))],
    [words.phone, phone !== null && <a href={`tel:${phone.replace(/[^\d+]/g, "")}`}>{phone}</a>],
    [words.contact, more.length > 0 && more.join(" · ")],
    [words.firstContact, order.firstContactAt === null ? words.notYet : words.contacted(at(order.firstContactAt), exactSpan((Date.parse(order.firstContactAt) - Date.parse(order.createdAt)) / 1000))],
    [words.fulfilment, filters[order.fulfilment]],
    [words.expected, order.expectedAt !== null && at(order.expectedAt)],
    [words.note, order.note],
    [words.claimedBy, order.claimedBy ?? words.nobody],
    [words.created, at(order.createdAt)],
    [words.reference, order.reference],
    [words.shop, order.shopId],
  ];
  return (
    <dl className="facts">
      {facts.map(
        ([name, value]) =>
          value !== null &&
          value !== false && (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ),
      )}
    </dl>
  );
}

const Items = ({ order }: { order: Order }): ReactNode => (
  <section aria-label={words.items}>
    <h3>{words.items}</h3>
    <ul className="lines">
      {lines(order).map(({ quantity, name, more, price }, i) => (
        <li key={i}>
          <span>
            <strong>{quantity}</strong> {name} <span className="soft">{more.join(" · ")}</span>
          </span>
          <span>{price !== null && money(price, order.currency)}</span>
        </li>
      ))}
    </ul>
    {order.total !== null && (
      <p className="total">
        {words.total} <strong>{money(order.total, order.currency)}</strong>
      </p>
    )}
  </section>
);
