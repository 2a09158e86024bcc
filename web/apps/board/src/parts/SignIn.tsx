/** Asks who somebody is: at first, and over the board, which stays as it is, when a sign-in has ended. */

import { useEffect, useState, type FormEvent, type ReactNode } from "react";
import { Button, Dialog, FieldError, Heading, Input, Label, Modal, ModalOverlay, TextField } from "react-aria-components";
import { WINDOW } from "./handover.ts";
import type { Session, SessionState } from "./session.ts";
import { useNow } from "./useNow.ts";
import { useSession } from "./useSession.ts";
import { signIn as words } from "./words.ts";

/** Shows nothing while all is well. */
export function SignIn({ session }: { session: Session }): ReactNode {
  const state = useSession(session);
  const [put, setPut] = useState<"over" | "aside">("over");
  const { status } = state;
  useEffect(() => setPut(status === "expiring" ? "aside" : "over"), [status]);
  if (status === "opening" || status === "signed-in") return null;
  const later = status !== "none";
  return (
    <>
      {later && put === "aside" && <Reminder state={state} onSignIn={() => setPut("over")} />}
      <ModalOverlay className="overlay" isOpen={put === "over" || !later} isKeyboardDismissDisabled={!later} onOpenChange={(open) => setPut(open ? "over" : "aside")}>
        <Modal className="modal">
          <Dialog className="dialog sign-in" role={later ? "alertdialog" : "dialog"}>
            <Question session={session} state={state} onLater={later ? () => setPut("aside") : undefined} />
          </Dialog>
        </Modal>
      </ModalOverlay>
    </>
  );
}

/** What stays on the board of a sign-in that ends or has ended. */
function Reminder({ state, onSignIn }: { state: SessionState; onSignIn: () => void }): ReactNode {
  const now = useNow(1000, state.status === "expiring");
  const left = state.status === "expiring" ? Math.max(0, Math.round(state.expiresAt - now / 1000)) : null;
  return (
    <div className="reminder" role="status">
      {left === null ? words.ended : words.ends}
      {left !== null && <span aria-hidden="true"> {words.left(left)}</span>}
      <Button className="button main" onPress={onSignIn}>
        {words.again}
      </Button>
    </div>
  );
}

interface QuestionProps {
  readonly session: Session;
  readonly state: SessionState;
  readonly onLater: (() => void) | undefined;
}

function Question({ session, state, onLater }: QuestionProps): ReactNode {
  const away = onLater !== undefined;
  const link = session.loginLink(away);
  const elsewhere = state.status === "refused" && state.reason === "new_login";
  return (
    <>
      <Heading slot="title">{away ? words.titleAgain : words.title(state.page?.shopName ?? null)}</Heading>
      <p>{why(state)}</p>
      {elsewhere && (
        <Button className="button main" onPress={() => session.resume()}>
          {words.here}
        </Button>
      )}
      {link !== null && (
        // A window that keeps its opener keeps its name, too, by which it knows what it is for.
        <a className="button main" href={link} {...(away ? { target: WINDOW, rel: "opener" } : {})}>
          {words.toShop(state.page?.shopName ?? null)}
          {away && <span className="soft"> {words.inNewWindow}</span>}
        </a>
      )}
      <Paste session={session} label={link === null ? words.paste : words.orPaste} />
      {onLater !== undefined && (
        <Button className="button" onPress={onLater}>
          {words.later}
        </Button>
      )}
    </>
  );
}

function Paste({ session, label }: { session: Session; label: string }): ReactNode {
  const [text, setText] = useState("");
  const [wrong, setWrong] = useState(false);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const taken = session.accept(text);
    setWrong(!taken);
    if (taken) setText("");
  };
  return (
    <form className="paste" onSubmit={submit}>
      <TextField
        isInvalid={wrong}
        type="password"
        autoComplete="off"
        value={text}
        onChange={(value) => {
          setText(value);
          setWrong(false);
        }}
      >
        <Label>{label}</Label>
        <Input className="field" spellCheck="false" />
        <FieldError className="problem">{words.noToken}</FieldError>
      </TextField>
      <Button className="button" type="submit">
        {words.goOn}
      </Button>
    </form>
  );
}

function why(state: SessionState): string {
  switch (state.status) {
    case "none":
      return state.page?.loginUrl ? words.none : words.noneByLink;
    case "refused":
      return words.refused[state.reason];
    case "expired":
      return state.page?.refreshUrl ? words.expiredTrying : words.expired;
    default:
      return words.ends;
  }
}

/** What a window for signing in says where it may not close itself. */
export const HandedOver = (): ReactNode => <p className="handed-over">{words.handedOver}</p>;
