/** Tokens as people paste them. Pure. Nothing here is trusted: the server alone says who somebody is. */

/** Where this tab keeps its token. */
export const KEY = "ordercast.board.token";

/** A JWT in what was pasted: a token, with or without `Bearer`, or a link with `#token=`; `null`: there is none. */
export function tokenIn(pasted: string): string | null {
  const text = pasted.trim();
  const inLink = /[#&?]token=([^&\s]+)/.exec(text) ?? /^token=([^&\s]+)/.exec(text);
  const token = inLink === null ? text.replace(/^bearer\s+/i, "") : decoded(inLink[1]!);
  return /^[\w-]+\.[\w-]+\.[\w-]*$/.test(token) && token.length <= LONGEST ? token : null;
}

/** The server refuses longer ones. */
const LONGEST = 4096;

/** Who a token is of, as it says itself; `null` where it says nothing. Another text: another user. */
export function userOf(token: string): string | null {
  try {
    const text = atob(token.split(".")[1]!.replaceAll("-", "+").replaceAll("_", "/"));
    const claims = JSON.parse(text) as { userId?: unknown; sub?: unknown };
    const id = claims.userId ?? claims.sub;
    return typeof id === "string" || typeof id === "number" ? String(id) : null;
  } catch {
    return null;
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
