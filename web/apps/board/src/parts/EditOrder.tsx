/** An order's note and expected time, to be changed beside others who may change them too. */

import { key, type HistoryEntry, type Order } from "@ordercast/client";
import type { ReactNode } from "react";
import { Button, Input, Label, TextArea, TextField } from "react-aria-components";
import type { Field } from "./draft.ts";
import { lastChangedBy } from "./timeline.ts";
import { clock } from "./times.ts";
import type { DraftState } from "./useDraft.ts";
import { edit as words, timeline } from "./words.ts";

const nameOf = (field: Field): string => timeline.fields[field] ?? field;

export interface EditOrderProps {
  readonly order: Order;
  readonly state: DraftState;
  readonly events: readonly HistoryEntry[];
  /** Whether it is over: nothing is promised of it any more. */
  readonly over: boolean;
}

export function EditOrder({ order, state, events, over }: EditOrderProps): ReactNode {
  const { draft, edited, conflicts, saving, outcome } = state;
  const conflict = (field: Field) => conflicts.includes(field) && <Conflict field={field} order={order} state={state} events={events} />;
  const promises = !over || edited.includes("expectedAt");
  const unsaved = (field: Field) => edited.includes(field) || undefined;
  return (
    <form
      className="edit"
      aria-label={words.title}
      onSubmit={(event) => {
        event.preventDefault();
        if (edited.length > 0 && conflicts.length === 0 && !saving) void state.save();
      }}
    >
      <TextField data-unsaved={unsaved("note")} value={draft.now.note} onChange={(value) => state.edit("note", value)} maxLength={2000}>
        <Label>{words.note}</Label>
        <TextArea className="field" rows={2} />
      </TextField>
      {promises && (
        <TextField data-unsaved={unsaved("expectedAt")} value={draft.now.expectedAt} onChange={(value) => state.edit("expectedAt", value)}>
          <Label>{words.expectedAt}</Label>
          <Input className="field" type="datetime-local" />
        </TextField>
      )}
      {/* What comes and goes stands after the button to save, which stays where one is about to press it. */}
      <div className="saving">
        <Button className="button main" type="submit" isDisabled={edited.length === 0 || saving || conflicts.length > 0}>
          {saving ? words.saving : words.save}
        </Button>
        {edited.length > 0 && (
          <Button className="button" onPress={state.discard} isDisabled={saving}>
            {words.discard}
          </Button>
        )}
        <p className={outcome?.saved === false ? "problem" : "soft"} role="status">
          {outcome?.text ?? (edited.length > 0 && words.unsaved(edited.map(nameOf)))}
        </p>
      </div>
      {conflict("note")}
      {conflict("expectedAt")}
    </form>
  );
}

function Conflict({ field, order, state, events }: Omit<EditOrderProps, "over"> & { field: Field }): ReactNode {
  const by = lastChangedBy(events, field);
  const theirs = field === "note" ? order.note : order.expectedAt && clock(Date.parse(order.expectedAt), Date.now());
  return (
    <div className="conflict" role="alert">
      <p>{words.conflict(nameOf(field), by === null ? null : key(by), theirs || null)}</p>
      <Button className="button" onPress={() => state.settle(field, true)}>
        {words.mine}
      </Button>
      <Button className="button" onPress={() => state.settle(field, false)}>
        {words.theirs}
      </Button>
    </div>
  );
}
