/** Where one types what to look for. */

import type { ReactNode } from "react";
import { Button, Input, SearchField as Field } from "react-aria-components";
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
      <Input className="field" placeholder={words.placeholder} enterKeyHint="go" />
      <Button className="clear" aria-label={words.clear}>
        <span aria-hidden="true">✕</span>
      </Button>
    </Field>
  );
}
