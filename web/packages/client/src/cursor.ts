/** Cursors: `<logId>.<position>`, where somebody stands in the log. Pure. */

export type Cursor = string;

function split(cursor: Cursor): { log: string; position: number } {
  const dot = cursor.lastIndexOf(".");
  return { log: cursor.slice(0, Math.max(dot, 0)), position: Number(cursor.slice(dot + 1)) };
}

/** The later of two; one of another log is of a newer one. */
export function newest(a: Cursor | null, b: Cursor): Cursor {
  if (a === null) return b;
  const [x, y] = [split(a), split(b)];
  return x.log === y.log && x.position > y.position ? a : b;
}

/** The cursor of a later position of the same log; `null` where the log is not known. */
export function movedTo(cursor: Cursor | null, position: number): Cursor | null {
  return cursor === null ? null : newest(cursor, `${split(cursor).log}.${position}`);
}
