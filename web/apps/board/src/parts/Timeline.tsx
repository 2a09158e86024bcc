/** What has happened to an order, oldest first. */

import type { Workflow } from "@ordercast/client";
import type { ReactNode } from "react";
import { Button } from "react-aria-components";
import { moments, type Moment } from "./timeline.ts";
import { clock, exactSpan } from "./times.ts";
import type { HistoryState } from "./useHistory.ts";
import { timeline as words } from "./words.ts";

export function Timeline({ state: { history, failed, again }, workflow }: { state: HistoryState; workflow: Workflow }): ReactNode {
  return (
    <section className="timeline" aria-label={words.title}>
      <h3>{words.title}</h3>
      {failed && (
        <p className="problem" role="alert">
          {words.failed} <Button className="button" onPress={again}>{words.again}</Button>
        </p>
      )}
      {history !== undefined && !history.complete && <p className="soft">{words.incomplete}</p>}
      {/* Scrolls by itself where there is room beside it; the newest is what one comes for. Focusable for the keyboard. */}
      <div className="past" role="group" aria-label={words.title} tabIndex={0}>
        <ol>{history !== undefined && moments(history.events, workflow).map((moment) => <One key={moment.version} moment={moment} />)}</ol>
      </div>
    </section>
  );
}

function One({ moment: { at, text, by, reason, forced, before } }: { moment: Moment }): ReactNode {
  const more = [by !== null && words.by(String(by)), before !== null && words.after(exactSpan(before.seconds), before.label), forced && words.forced, reason !== null && words.reason(reason)];
  return (
    <li data-moved={before !== null || undefined}>
      <time dateTime={new Date(at).toISOString()}>{clock(at, Date.now())}</time> <strong>{text}</strong> <span className="soft">{more.filter(Boolean).join(", ")}</span>
    </li>
  );
}
