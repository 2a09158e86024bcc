/** Text as people search for it. Pure. */

/** Letters that are no other letter with a mark on it. */
const OTHERS: Record<string, string> = { ß: "ss", ø: "o", ł: "l", đ: "d", ð: "d", þ: "th", æ: "ae", œ: "oe", ı: "i" };

/** In one case and without accents: "Tiramisù" and "TIRAMISU" are the same. */
export const plain = (text: string): string =>
  text
    .toLowerCase()
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .replace(/[ßøłđðþæœı]/g, (letter) => OTHERS[letter]!);

/** The words of what was typed; an order's number may have its `#`. */
export const terms = (typed: string): string[] =>
  plain(typed)
    .split(/\s+/)
    .map((word) => word.replace(/^#(?=.)/, ""))
    .filter((word) => word !== "" && word !== "#");

/** The digits of what may be a part of a telephone number, however it is written; `null` where it is none. */
export function digits(word: string): string | null {
  if (!/^[+(]?[\d()/.-]+$/.test(word)) return null;
  const found = word.replace(/\D/g, "");
  return found.length >= 3 ? found : null; // fewer are in every number
}
