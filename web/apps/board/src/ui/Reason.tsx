/** Asks why an order goes back or comes to nothing: one press for the usual reasons, words for the others. */

import { key, type Order } from "@ordercast/client";
import { useState } from "react";
import { Button, Dialog, Form, Heading, Input, Label, Modal, ModalOverlay, TextField } from "react-aria-components";
import type { Moved } from "../model/actions.ts";
import { useDesk } from "./context.ts";
import { ABORTS, questions as words, REASONS } from "./words.ts";

const LONGEST = 200; // characters

/** What waits for a reason: a step to take back, or one after which there is no other. */
export type Question = { readonly back: Moved } | { readonly order: Order; readonly to: string };
export const orderOf = (question: Question): Order => ("back" in question ? question.back.order : question.order);

export function Reason({ question, close }: { question: Question; close: () => void }) {
  const { doing, steps, navigation } = useDesk();
  const [text, setText] = useState("");
  const order = orderOf(question);
  const isBack = "back" in question;
  const answer = (reason: string) => {
    close();
    if (!isBack) {
      void doing.move(order, question.to, reason);
      return void requestAnimationFrame(() => document.activeElement === document.body && navigation.first());
    }
    // From nowhere: the dialog has gone by then.
    void doing.undo(question.back, reason).then((done) => done && navigation.follow(key(order.orderId), document.body));
  };
  return (
    <ModalOverlay className="overlay" isOpen isDismissable onOpenChange={(open) => !open && close()}>
      <Modal className="modal">
        <Dialog className="dialog">
          <Heading slot="title">{isBack ? words.back(order, steps.label(question.back.from)) : words.abort(order, steps.label(question.to))}</Heading>
          <p className="soft">{isBack ? words.keptBack : words.keptAbort}</p>
          <div className="reasons">
            {(isBack ? REASONS : ABORTS).map((reason, index) => (
              <Button key={reason} className="choice" autoFocus={isBack && index === 0} onPress={() => answer(reason)}>
                {reason}
              </Button>
            ))}
          </div>
          <Form
            className="other"
            onSubmit={(event) => {
              event.preventDefault();
              answer(text.trim());
            }}
          >
            <TextField value={text} onChange={setText} maxLength={LONGEST}>
              <Label>Another reason</Label>
              <Input />
            </TextField>
            <div className="buttons">
              <Button autoFocus={!isBack} onPress={close}>
                Leave it
              </Button>
              <Button type="submit" className="main" isDisabled={text.trim() === ""}>
                {isBack ? words.goBack : words.goThere}
              </Button>
            </div>
          </Form>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}
