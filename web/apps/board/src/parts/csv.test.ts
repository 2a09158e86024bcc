import fc from "fast-check";
import { expect, it } from "vitest";
import { fileName, ordersCsv, toCsv } from "./csv.ts";
import { EVERYTHING } from "./filters.ts";
import { order } from "./sample.ts";

/** Reads what RFC 4180 describes. */
function parse(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let at = 1; // after the BOM
  while (at < text.length) {
    let cell = "";
    if (text[at] === '"') {
      at += 1;
      for (; !(text[at] === '"' && text[at + 1] !== '"'); at += 1) {
        cell += text[at];
        if (text[at] === '"') at += 1;
      }
      at += 1;
    } else {
      while (text[at] !== "," && text[at] !== "\r") cell += text[at++];
    }
    row.push(cell);
    if (text[at] === ",") at += 1;
    else {
      expect(text.slice(at, at + 2)).toBe("\r\n");
      at += 2;
      rows.push(row);
      row = [];
    }
  }
  return rows;
}

const cells = fc.oneof(fc.string({ unit: "grapheme" }), fc.constantFrom('"', ",", "\r\n", "=1+1", "+49", "-", "@x", "\t=1", " a ", 'a"b,c\nd', "'=", "a;=1+1", 'a;"=1', "a\n@x"));

it("is read back as it was, with nothing left to compute", () => {
  fc.assert(
    fc.property(fc.array(fc.array(cells, { minLength: 2, maxLength: 5 }), { minLength: 1 }), (rows) => {
      const back = parse(toCsv(rows));
      const bare = (table: string[][]) => table.map((row) => row.map((cell) => cell.replaceAll("'", "")));
      expect(bare(back)).toEqual(bare(rows));
      expect(back.flat().filter((cell) => /^[=+\-@\t\r]/.test(cell))).toEqual([]);
    }),
  );
});

it("has nothing to compute where another separator parts the cells", () => {
  const inSemicolons = (note: string) => toCsv([["17", note, "end"]]).slice(1).split(/[;\t\r\n]/);
  for (const note of ["x;=cmd|' /C calc'!A0;y", 'x;"=1+1"', 'x;=HYPERLINK("http://a.example","b")', "x\n=1+1", "x\t@a", "x;;+1"]) {
    expect(inSemicolons(note).filter((cell) => /^"*[=+\-@]/.test(cell)), note).toEqual([]);
  }
  expect(toCsv([["ring; then wait - or call"]])).toBe("\uFEFFring; then wait - or call\r\n");
});

it("has a row for each order, times of the reader and labels of the shop", () => {
  const text = ordersCsv(
    [order({ reference: "=cmd", contact: { name: 'Ana "A"', phone: "+49 1", address: {} }, items: [{ name: "Pizza", quantity: 2 }, { name: "Cola" }], total: 12.5, currency: "EUR", claimedBy: "ben" })],
    (status) => status.toUpperCase(),
    "Europe/Berlin",
  );
  expect(text.startsWith("\uFEFFOrder,Reference,Status,")).toBe(true);
  expect(parse(text)[1]).toEqual(["17", "'=cmd", "RECEIVED", "delivery", "2 × Pizza, Cola", "12.5", "EUR", 'Ana "A"', "'+49 1", "", "ben", "", "", "2026-01-01 01:00:00", "2026-01-01 01:00:00", "42", ""]);
});

it("has what is in it and the time in its name", () => {
  const now = Date.parse("2026-11-25T13:05:59.000Z");
  expect(fileName(EVERYTHING, now, "Europe/Berlin")).toBe("orders-2026-11-25-1405.csv");
  const filter = { ...EVERYTHING, late: true, statuses: ["out_for_delivery"], claimedBy: "nobody", q: "Tiramisù / 2" };
  expect(fileName(filter, now, "UTC")).toBe("orders-late-out-for-delivery-unclaimed-tiramisu-2-2026-11-25-1305.csv");
});
