/** An operator's shift: sound unlocked, notifications asked for, the screen kept awake. */

import { useCallback, useEffect, useRef, useState } from "react";
import { keepAwake, type Awake } from "./awake.ts";
import { isBoolean, isPart, useKept } from "./kept.ts";
import { Chime, type Sound } from "./sound.ts";

export interface ShiftState {
  readonly on: boolean;
  /** Whether the browser lets it sound. After a reload it does not until somebody touches the page. */
  readonly audible: boolean;
  readonly awake: Awake;
  /** 0 to 1. */
  readonly volume: number;
  readonly muted: boolean;
  readonly start: () => void;
  readonly end: () => void;
  readonly setVolume: (volume: number) => void;
  readonly setMuted: (muted: boolean) => void;
  /** Sounds once, as loud as it is set. */
  readonly ring: () => void;
}

const TOUCHES = ["pointerdown", "keydown"] as const;

const chime = (): Sound => new Chime();

/** Volume and mute are kept in this browser, the shift in this tab. `makeSound`: for tests. */
export function useShift(makeSound: () => Sound = chime): ShiftState {
  const [on, setOn] = useKept(sessionStorage, "ordercast.shift", false, isBoolean);
  const [volume, setVolume] = useKept(localStorage, "ordercast.volume", 0.6, isPart);
  const [muted, setMuted] = useKept(localStorage, "ordercast.muted", false, isBoolean);
  const [awake, setAwake] = useState<Awake>("released");
  const [audible, setAudible] = useState(false);
  const sound = useRef<Sound>(undefined);
  const make = useRef(makeSound);

  const unlock = useCallback(async () => {
    sound.current ??= make.current();
    await sound.current.unlock().catch(() => undefined);
    setAudible(sound.current?.unlocked ?? false);
  }, []);
  const start = useCallback(() => {
    void unlock();
    if ("Notification" in globalThis && Notification.permission === "default") void Notification.requestPermission().catch(() => undefined);
    setOn(true);
  }, [unlock, setOn]);
  const end = useCallback(() => setOn(false), [setOn]);
  const ring = useCallback(() => {
    if (sound.current?.unlocked === false) setAudible(false); // telephones take it away after a call
    else if (!muted) sound.current?.ring(volume);
  }, [muted, volume]);

  useEffect(() => {
    if (!on) return;
    const letGo = keepAwake(setAwake);
    return () => {
      letGo();
      setAwake("released");
      sound.current?.close();
      sound.current = undefined;
      setAudible(false);
    };
  }, [on]);
  useEffect(() => {
    if (!on || audible) return;
    for (const touch of TOUCHES) window.addEventListener(touch, unlock);
    return () => {
      for (const touch of TOUCHES) window.removeEventListener(touch, unlock);
    };
  }, [on, audible, unlock]);

  return { on, audible, awake, volume, muted, start, end, setVolume, setMuted, ring };
}
