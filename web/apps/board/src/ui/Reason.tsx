/** Asks why a step is taken back: one press for the usual reasons, words for the others. */

import { key } from "@ordercast/client";
import { useState } from "react";
import { Button, Dialog, Form, Heading, Input, Label, Modal, ModalOverlay, TextField } from "react-aria-components";
import type { Moved } from "../model/actions.ts";
import { useDesk } from "./context.ts";
import { REASONS } from "./words.ts";

const LONGEST = 200; // characters

export function Reason({ moved, close }: { moved: Moved; close: () => void }) {
  const { doing, steps, navigation } = useDesk();
  const [text, setText] = useState("");
  const undo = (reason: string) => {
    close();
    // From nowhere: the dialog has gone by then.
    void doing.undo(moved, reason).then((done) => done && navigation.follow(key(moved.order.orderId), document.body));
  };
  return (
    <ModalOverlay className="overlay" isOpen isDismissable onOpenChange={(open) => !open && close()}>
      <Modal className="modal">
        <Dialog className="dialog">
          <Heading slot="title">
            Order {moved.order.orderId} back to {steps.label(moved.from)}?
          </Heading>
          <p className="soft">The reason stays in the order’s history.</p>
          <div className="reasons">
            {REASONS.map((reason, index) => (
              <Button key={reason} className="choice" autoFocus={index === 0} onPress={() => undo(reason)}>
                {reason}
              </Button>
            ))}
          </div>
          <Form
            className="other"
            onSubmit={(event) => {
              event.preventDefault();
              undo(text.trim());
            }}
          >
            <TextField value={text} onChange={setText} maxLength={LONGEST}>
              <Label>Another reason</Label>
              <Input />
            </TextField>
            <div className="buttons">
              <Button onPress={close}>Leave it</Button>
              <Button type="submit" className="main" isDisabled={text.trim() === ""}>
                Move back
              </Button>
            </div>
          </Form>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}
