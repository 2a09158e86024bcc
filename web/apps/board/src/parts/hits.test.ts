import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fit, hits, isBlank, isNamed, matches, meant } from "./hits.ts";
import { order } from "./sample.ts";

describe("text", () => {
  const one = order({
    orderId: 1042,
    reference: "T-88",
    contact: { name: "Zoë Strauß", phone: "+49 (171) 555-12 34", vip: true },
    items: [{ name: "Tiramisù", quantity: 2 }, "Café crème", 5, null, { name: { de: "?" } }],
  });

  it.each(["1042", "#1042", "t-88", "zoe", "STRAUSS", "Strauß", "tiramisu", "TIRAMISÙ", "cafe creme", "zoe tira", "  ", "#", "# 104", "171 555", "1715551234", "+49171", "555-1234"])("finds %j", (typed) => {
    expect(matches(typed, one)).toBe(true);
  });
  it.each(["1043", "zoe pizza", "true", "object", "555-9"])("does not find %j", (typed) => {
    expect(matches(typed, one)).toBe(false);
  });
  it("finds an order by any piece of its own words, in either case", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.nat(20), fc.nat(20), (name, from, length) => {
        const piece = [...name].slice(from, from + length).join("");
        const found = order({ contact: { name } });
        expect(matches(name, found)).toBe(true);
        expect(matches(piece.toUpperCase(), found) || !/^[\x20-\x7e]*$/.test(name)).toBe(true);
      }),
    );
  });
});

const numbered = (orderId: number | string, reference: string | null = null) => order({ orderId, reference, contact: { name: "Kofi", phone: "+49 171 780" } });

describe("how well an order fits", () => {
  it.each([
    ["78", 78, "T-1", 0],
    ["  #78 ", 78, "T-1", 0],
    ["# 78", 78, "T-1", 0],
    ["a-b", "A-B", null, 0],
    ["78", 84, "78", 1],
    ["t-7789", 84, "T-7789", 1],
    ["#t-7789", 84, "#T-7789", 1],
    ["table  9", 84, "Table 9", 1],
    ["78", 781, "78-1", 2],
    ["78", 84, "78-1", 3],
    ["78", 84, "T-7789", 4],
    ["780", 84, "T-1", 4], // of a telephone number
    ["79", 84, "T-1", undefined],
    ["# 8", 84, "T-1", 2],
  ])("%j, order %j with reference %j: %j", (typed, id, reference, expected) => {
    expect(fit(typed, numbered(id, reference))).toBe(expected);
  });

  it("agrees with what matches at all", () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(2000), fc.option(fc.string()), (typed, id, reference) => {
        const one = numbered(id, reference);
        if (matches(typed, one)) expect(fit(typed, one)).toBeDefined();
        else expect([undefined, 0, 1]).toContain(fit(typed, one)); // a reference with blanks of its own may be its text and no more
      }),
    );
  });

  it("leaves out nothing where nothing is typed", () => {
    expect(["", " ", "#", " # "].map(isBlank)).toEqual([true, true, true, true]);
    expect(isNamed(" ", [numbered(1)])).toBe(false);
  });
});

describe("hits", () => {
  const [seventy8, eighty4, by, more, begun] = [numbered(78), numbered(84, "T-7789"), numbered(5, "78"), numbered(780, "T-2"), numbered(6, "78-B")];

  it("are an order's very number alone, and who has it as a reference after it", () => {
    const all = [eighty4, by, more, begun, seventy8];
    expect(isNamed(" #78", all)).toBe(true);
    expect(hits(" #78", all, true)).toEqual([seventy8, by]);
    expect(isNamed("78", [eighty4, more], [seventy8])).toBe(true); // also where that one is closed
    expect(hits("78", [eighty4, more], true)).toEqual([]);
  });

  it("are else those whose number begins so, whose reference does, and the others as they were", () => {
    const other = numbered(9, "T-78");
    expect(isNamed("78", [eighty4, begun, other, more])).toBe(false);
    expect(hits("78", [eighty4, begun, other, more], false)).toEqual([more, begun, eighty4, other]);
  });
});

describe("Enter in the search", () => {
  const shown = [numbered(112), numbered(12, "T-7"), numbered("A-1", "12")];
  it("means the order of that very number, then of that reference, however it is written", () => {
    expect(meant("12", shown)).toBe(shown[1]);
    expect(meant(" #112 ", shown)).toBe(shown[0]);
    expect(meant("t-7", shown)).toBe(shown[1]);
    expect(meant("12", shown.slice(2), [], [shown[1]!])).toBe(shown[1]); // closed ones too
  });
  it("means the only one that fits best, an open one first, and none of several", () => {
    expect(meant("kofi", shown.slice(0, 1))).toBe(shown[0]);
    expect(meant("kofi", shown.slice(0, 1), shown.slice(1))).toBe(shown[0]);
    expect(meant("kofi", [], shown.slice(1, 2))).toBe(shown[1]);
    expect(meant("kofi", [], shown)).toBeUndefined();
    expect(meant("1", shown)).toBeUndefined();
    expect(meant("11", shown)).toBe(shown[0]);
    expect(meant(" ", shown.slice(0, 1))).toBeUndefined();
  });
});
