/** The day at a glance, and more of it for who asks. */

import type { Stats, Workflow } from "@ordercast/client";
import { useOrdercast } from "@ordercast/react";
import type { ReactNode } from "react";
import { Button, Dialog, DialogTrigger, Heading, Popover } from "react-aria-components";
import { byStatus, milliseconds, seconds, shares, spread, type StatusFigures } from "./figures.ts";
import { clock } from "./times.ts";
import { useFigures, type Latency } from "./useFigures.ts";
import { figures as words } from "./words.ts";

export function FiguresBar({ workflow }: { workflow: Workflow }): ReactNode {
  const { stats, latency } = useFigures(useOrdercast());
  if (stats === undefined) return null;
  const rows = byStatus(stats, workflow);
  return (
    <section className="figures" aria-label={words.today}>
      <Spread rows={rows} />
      <dl>
        <Figure name={words.created} value={String(stats.created)} />
        <Figure name={words.done} value={String(stats.done)} />
        <Figure name={words.firstContact} value={seconds(stats.firstContact.median)} more={words.within(seconds(stats.firstContact.p90))} />
        {latency !== undefined && <Figure name={words.latency} value={milliseconds(latency.median)} more={words.within(milliseconds(latency.p90))} />}
      </dl>
      <DialogTrigger>
        <Button className="button">{words.more}</Button>
        <Popover className="popover" placement="bottom end">
          <Dialog className="panel figures-more">
            <Heading slot="title">{words.today}</Heading>
            <More stats={stats} rows={rows} latency={latency} />
          </Dialog>
        </Popover>
      </DialogTrigger>
    </section>
  );
}

/** `more` is left out where it is narrow. */
const Figure = ({ name, value, more }: { name: string; value: string; more?: string }): ReactNode => (
  <div>
    <dt>{name}</dt>
    <dd>
      {value}
      {more !== undefined && <span className="soft more"> {more}</span>}
    </dd>
  </div>
);

/** A picture of what the numbers beside it say. */
const Spread = ({ rows }: { rows: readonly StatusFigures[] }): ReactNode => (
  <svg className="spread" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
    {shares(rows).map(({ label, from, width }, i) => (
      <rect key={label} x={from} width={width} height="8" data-shade={i % 6}>
        <title>{label}</title>
      </rect>
    ))}
  </svg>
);

function More({ stats, rows, latency }: { stats: Stats; rows: readonly StatusFigures[]; latency: Latency | undefined }): ReactNode {
  const { firstContact } = stats;
  return (
    <>
      <table>
        <thead>
          <tr>
            {[words.status, words.orders, words.median, words.p90].map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.name}>
              <th scope="row">{row.label}</th>
              <td>{row.orders}</td>
              <td>{row.median}</td>
              <td>{row.p90}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className="soft">{words.times}</p>
      <dl>
        <Figure name={words.contactLong} value={spread(firstContact)} />
        <Figure name={words.waiting} value={String(firstContact.waiting)} />
        <Figure name={words.aborted} value={String(stats.aborted)} />
        {latency !== undefined && (
          <Figure name={words.latencyLong} value={words.measured(milliseconds(latency.median), milliseconds(latency.p90), milliseconds(latency.error), latency.count)} />
        )}
      </dl>
      <p className="soft">{words.asOf(clock(Date.parse(stats.asOf), Date.now()), stats.timeZone)}</p>
    </>
  );
}
