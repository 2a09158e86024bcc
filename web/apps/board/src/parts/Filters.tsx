/** Which orders are shown, besides the text that is searched for. */

import { key, type Id, type Workflow } from "@ordercast/client";
import type { ReactNode } from "react";
import { Button, Checkbox, CheckboxGroup, Dialog, DialogTrigger, Heading, Label, Popover, Radio, RadioGroup } from "react-aria-components";
import { count, EVERYTHING, type Filter } from "./filters.ts";
import { waitsIn } from "./statuses.ts";
import { filters as words } from "./words.ts";

export interface FiltersProps {
  readonly filter: Filter;
  readonly onChange: (filter: Filter) => void;
  readonly workflow: Workflow;
  /** Who may have taken orders, besides oneself. */
  readonly people: readonly Id[];
  /** The shops that orders are of; fewer than two are no choice. */
  readonly shops: readonly Id[];
}

const ANY = ""; // no id, and nobody's

export function Filters({ filter, onChange, workflow, people, shops }: FiltersProps): ReactNode {
  const asked = count(filter);
  const change = (part: Partial<Filter>) => onChange({ ...filter, ...part });
  const open = workflow.statuses.filter((status) => waitsIn(workflow, status));
  const claimers = new Set([...people.map(key), ...(filter.claimedBy === null ? [] : [filter.claimedBy])]);
  for (const own of ["me", "nobody"]) claimers.delete(own);
  return (
    <DialogTrigger>
      <Button className="button" data-active={asked > 0 || undefined}>
        {words.button(asked)}
      </Button>
      <Popover className="popover" placement="bottom start">
        <Dialog className="panel filters">
          <Heading slot="title">{words.title}</Heading>
          <CheckboxGroup className="choices" value={[...filter.statuses]} onChange={(statuses) => change({ statuses })}>
            <Label>{words.statuses}</Label>
            {open.map(({ name, label }) => (
              <Check key={name} value={name} label={label} />
            ))}
          </CheckboxGroup>
          <One
            label={words.claimedBy}
            value={filter.claimedBy}
            onChange={(claimedBy) => change({ claimedBy })}
            choices={[["me", words.me], ["nobody", words.nobody], ...[...claimers].map((id): [string, string] => [id, id])]}
          />
          <One
            label={words.fulfilment}
            value={filter.fulfilment}
            onChange={(how) => change({ fulfilment: how as Filter["fulfilment"] })}
            choices={[["delivery", words.delivery], ["pickup", words.pickup]]}
          />
          {(shops.length > 1 || filter.shopId !== null) && (
            <One
              label={words.shop}
              value={filter.shopId}
              onChange={(shopId) => change({ shopId })}
              choices={[...new Set([...shops.map(key), ...(filter.shopId === null ? [] : [filter.shopId])])].map((id): [string, string] => [id, id])}
            />
          )}
          <div className="choices">
            <Check isSelected={filter.late} onChange={(late) => change({ late })} label={words.late} />
            <Check isSelected={filter.hasNoContact} onChange={(hasNoContact) => change({ hasNoContact })} label={words.noContact} />
          </div>
          <Button className="button" slot="close" onPress={() => onChange({ ...EVERYTHING, q: filter.q })}>
            {words.clear}
          </Button>
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}

type CheckProps = { readonly label: string } & ({ readonly value: string } | { readonly isSelected: boolean; readonly onChange: (is: boolean) => void });

const Check = ({ label, ...props }: CheckProps): ReactNode => (
  <Checkbox className="check" {...props}>
    <span className="box" aria-hidden="true" />
    {label}
  </Checkbox>
);

interface OneProps {
  readonly label: string;
  readonly value: string | null;
  readonly choices: readonly (readonly [string, string])[];
  readonly onChange: (value: string | null) => void;
}

/** One of some, or any. */
const One = ({ label, value, choices, onChange }: OneProps): ReactNode => (
  <RadioGroup className="choices" value={value ?? ANY} onChange={(chosen) => onChange(chosen === ANY ? null : chosen)}>
    <Label>{label}</Label>
    {[[ANY, words.any] as const, ...choices].map(([id, name]) => (
      <Radio key={id} className="check" value={id}>
        <span className="box" aria-hidden="true" />
        {name}
      </Radio>
    ))}
  </RadioGroup>
);
