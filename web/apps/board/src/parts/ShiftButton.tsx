/** Begins and ends a shift, and says that it is on. */

import { useId, type ReactNode } from "react";
import { Button, Dialog, DialogTrigger, Label, Popover, Slider, SliderThumb, SliderTrack, Switch } from "react-aria-components";
import type { ShiftState } from "./useShift.ts";
import { shift as words } from "./words.ts";

export function ShiftButton({ shift }: { shift: ShiftState }): ReactNode {
  const does = useId();
  if (!shift.on) {
    return (
      <span title={words.does}>
        <Button className="button shift" aria-describedby={does} onPress={shift.start}>
          <Bell struck={false} /> {words.start}
        </Button>
        <span id={does} hidden>
          {words.does}
        </span>
      </span>
    );
  }
  const silent = shift.muted || shift.volume === 0 ? words.muted : shift.audible ? "" : words.locked;
  return (
    <DialogTrigger>
      <Button className="button shift on" data-silent={silent !== "" || undefined}>
        <Bell struck={silent !== ""} /> {words.on}
        {silent !== "" && <span className="soft"> · {silent}</span>}
      </Button>
      <Popover className="popover" placement="bottom end">
        <Dialog className="panel" aria-label={words.panel}>
          {({ close }) => (
            <>
              <Switch className="switch" isSelected={!shift.muted} onChange={(loud) => shift.setMuted(!loud)}>
                <span className="track" aria-hidden="true" />
                {words.sound}
              </Switch>
              <Slider className="slider" value={Math.round(shift.volume * 100)} onChange={(value) => shift.setVolume(value / 100)} onChangeEnd={shift.ring}>
                <Label>{words.volume}</Label>
                <SliderTrack className="rail">
                  <SliderThumb className="thumb" />
                </SliderTrack>
              </Slider>
              <Button className="button" onPress={shift.ring}>
                {words.tryIt}
              </Button>
              <p className="soft">{words.awake[shift.awake]}</p>
              <p className="soft">{words.notifications[permission()]}</p>
              <Button
                className="button"
                onPress={() => {
                  close();
                  shift.end();
                }}
              >
                {words.end}
              </Button>
            </>
          )}
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}

/** Drawn, since not every device has a letter for it. */
const Bell = ({ struck }: { struck: boolean }): ReactNode => (
  <svg viewBox="0 0 16 16" width="14" height="14" fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinecap="round" aria-hidden="true">
    <path d="M8 1.5a4 4 0 0 0-4 4V9l-1.5 2.5h11L12 9V5.5a4 4 0 0 0-4-4ZM6.5 13a1.5 1.5 0 0 0 3 0" />
    {struck && <path d="M2 2l12 12" />}
  </svg>
);

const permission = (): keyof typeof words.notifications => ("Notification" in globalThis ? Notification.permission : "missing");
