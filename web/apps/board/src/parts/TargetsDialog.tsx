/** How long an order should stay in each status: admins say so here, everybody sees it. */

import { Problem, type Workflow } from "@ordercast/client";
import { useOrdercast } from "@ordercast/react";
import { useState, type ReactNode } from "react";
import { Button, Dialog, Heading, Input, Label, Modal, ModalOverlay, NumberField } from "react-aria-components";
import type { Targets } from "./ageing.ts";
import { waitsIn } from "./statuses.ts";
import { exactSpan } from "./times.ts";
import { maySet, type BoardSettings } from "./useTargets.ts";
import { targets as words } from "./words.ts";

const LONGEST = 30 * 24 * 60; // min; the server takes no more

export interface TargetsDialogProps {
  readonly board: BoardSettings;
  readonly workflow: Workflow;
  readonly onClose: () => void;
}

export function TargetsDialog({ board, workflow, onClose }: TargetsDialogProps): ReactNode {
  const statuses = workflow.statuses.filter((status) => waitsIn(workflow, status));
  const may = maySet(board.me);
  return (
    <ModalOverlay className="overlay" isOpen isDismissable={!may} onOpenChange={(open) => open || onClose()}>
      <Modal className="modal">
        <Dialog className="dialog targets">
          <Heading slot="title">{words.title}</Heading>
          <p>{words.meaning}</p>
          {may ? <Edit board={board} statuses={statuses} onClose={onClose} /> : <Shown board={board} statuses={statuses} onClose={onClose} />}
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}

interface PartProps extends Pick<TargetsDialogProps, "board" | "onClose"> {
  readonly statuses: Workflow["statuses"];
}

function Shown({ board: { targets }, statuses, onClose }: PartProps): ReactNode {
  return (
    <>
      <dl className="facts">
        {statuses.map(({ name, label }) => (
          <div key={name}>
            <dt>{label}</dt>
            <dd>{typeof targets[name] === "number" ? exactSpan(targets[name]) : words.none}</dd>
          </div>
        ))}
      </dl>
      <p className="soft">{words.adminsOnly}</p>
      <div className="buttons">
        <Button className="button" onPress={onClose} autoFocus>
          {words.close}
        </Button>
      </div>
    </>
  );
}

function Edit({ board: { targets }, statuses, onClose }: PartProps): ReactNode {
  const client = useOrdercast();
  /** Only what was touched, so that the rest follows what other admins do. Minutes; `null`: no target. */
  const [edits, setEdits] = useState<Readonly<Record<string, number | null>>>({});
  const [saving, setSaving] = useState(false);
  const [problem, setProblem] = useState("");
  const save = async () => {
    setSaving(true);
    setProblem("");
    try {
      await client.setTargets(merged(targets, edits));
      onClose();
    } catch (error) {
      setProblem(error instanceof Problem ? error.message : words.unreachable);
      setSaving(false);
    }
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (!saving) void save();
      }}
    >
      {statuses.map(({ name, label }) => (
        <NumberField
          key={name}
          className="minutes"
          value={name in edits ? (edits[name] ?? NaN) : minutes(targets[name])}
          minValue={0}
          maxValue={LONGEST}
          formatOptions={{ maximumFractionDigits: 2 }}
          onChange={(value) => setEdits({ ...edits, [name]: Number.isNaN(value) || value === 0 ? null : value })}
        >
          <Label>{label}</Label>
          <Input className="field" placeholder={words.none} />
          <span className="soft" aria-hidden="true">
            {words.unit}
          </span>
        </NumberField>
      ))}
      <p className="problem" role="alert">
        {problem}
      </p>
      <div className="buttons">
        <Button className="button" onPress={onClose}>
          {words.cancel}
        </Button>
        <Button className="button main" type="submit" isDisabled={saving}>
          {saving ? words.saving : words.save}
        </Button>
      </div>
    </form>
  );
}

const minutes = (seconds: number | null | undefined): number => (typeof seconds === "number" ? seconds / 60 : NaN);

/** All targets in seconds, with what was touched. */
export function merged(targets: Targets, edits: Readonly<Record<string, number | null>>): Record<string, number | null> {
  const kept = Object.entries(targets).map(([name, seconds]): [string, number | null] => [name, seconds ?? null]);
  const touched = Object.entries(edits).map(([name, value]): [string, number | null] => [name, value === null ? null : Math.max(1, Math.round(value * 60))]);
  return Object.fromEntries([...kept, ...touched]);
}
