/** The keys, and whether letters count. */

import { Button, Dialog, Heading, Modal, ModalOverlay, Switch } from "react-aria-components";
import { KEYS } from "./keys.ts";

interface Props {
  readonly singleKeys: boolean;
  readonly setSingleKeys: (on: boolean) => void;
  readonly close: () => void;
}

export default function Help({ singleKeys, setSingleKeys, close }: Props) {
  return (
    <ModalOverlay className="overlay" isOpen isDismissable onOpenChange={(open) => !open && close()}>
      <Modal className="modal">
        <Dialog className="dialog help">
          <Heading slot="title">Keys</Heading>
          <dl>
            {KEYS.map(([keys, does]) => (
              <div key={keys}>
                <dt>
                  {keys.split(" ").map((one) => (
                    <kbd key={one}>{one}</kbd>
                  ))}
                </dt>
                <dd>{does}</dd>
              </div>
            ))}
          </dl>
          <p className="soft">
            “Over”: longer in its step than the step’s target. “Late” on an order: past what its customer was promised. The number of late orders counts
            both.
          </p>
          <p className="soft">Tab goes from a card to its buttons, its drag handle among them. There, Enter picks the order up, Tab goes to the columns that it may go to, Enter puts it down, Escape lets it be.</p>
          <div className="buttons">
            <Switch className="switch" isSelected={singleKeys} onChange={setSingleKeys}>
              <span className="track" />
              Single letters and signs are shortcuts
            </Switch>
            <Button className="main" autoFocus onPress={close}>
              Close
            </Button>
          </div>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}
