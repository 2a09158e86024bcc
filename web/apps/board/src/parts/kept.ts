/** A value that this browser keeps, where it keeps any. */

import { useCallback, useState } from "react";

/** Storage may be full, forbidden, or hold what an older page wrote. */
export function read<T>(storage: Storage, name: string, fallback: T, is: (value: unknown) => value is T): T {
  try {
    const value: unknown = JSON.parse(storage.getItem(name) ?? "null");
    return is(value) ? value : fallback;
  } catch {
    return fallback;
  }
}

export function write(storage: Storage, name: string, value: unknown): void {
  try {
    storage.setItem(name, JSON.stringify(value));
  } catch {
    // kept as long as the page is there, then
  }
}

export function useKept<T>(storage: Storage, name: string, fallback: T, is: (value: unknown) => value is T): [T, (value: T) => void] {
  const [value, set] = useState(() => read(storage, name, fallback, is));
  const keep = useCallback(
    (next: T) => {
      set(next);
      write(storage, name, next);
    },
    [storage, name],
  );
  return [value, keep];
}

export const isBoolean = (value: unknown): value is boolean => typeof value === "boolean";
export const isPart = (value: unknown): value is number => typeof value === "number" && value >= 0 && value <= 1;
