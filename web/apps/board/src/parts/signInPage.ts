/** Where the shop's people sign in: `GET /board/sign-in.json`, and a token that is had without asking anybody. */

import type { SignIn } from "@ordercast/client";
import { tokenIn } from "./tokens.ts";

export type SignInPage = SignIn;

const NOWHERE: SignInPage = { shopName: null, loginUrl: null, refreshUrl: null };

const PATIENCE = 10_000; // ms for the shop's own server

/** What the server says; where it cannot be asked, a token can still be pasted. `board`: the page's own URL. */
export async function signInPage(board: string): Promise<SignInPage> {
  try {
    const response = await fetch(new URL("board/sign-in.json", board), { signal: AbortSignal.timeout(PATIENCE) });
    if (!response.ok) return NOWHERE;
    const { shopName, loginUrl, refreshUrl } = (await response.json()) as Partial<SignInPage>;
    return { shopName: shopName || null, loginUrl: loginUrl || null, refreshUrl: refreshUrl || null };
  } catch {
    return NOWHERE;
  }
}

/** A new token for whoever is signed in at the shop: `{"token": "…"}` or the bare token. Rejects where there is none. */
export async function refreshed(refreshUrl: string): Promise<string> {
  const response = await fetch(refreshUrl, { method: "POST", credentials: "include", signal: AbortSignal.timeout(PATIENCE) });
  if (!response.ok) throw new Error(`The shop answered ${response.status}.`);
  const token = tokenIn(tokenOf(await response.text()));
  if (token === null) throw new Error("The shop's answer has no token in it.");
  return token;
}

function tokenOf(text: string): string {
  try {
    const answer: unknown = JSON.parse(text);
    if (typeof answer === "string") return answer;
    return String((answer as { token?: unknown } | null)?.token ?? "");
  } catch {
    return text;
  }
}

/** `loginUrl` with the way back. */
export function loginLink(loginUrl: string, back: string): string {
  const url = new URL(loginUrl, back);
  url.searchParams.set("return", back);
  return url.href;
}
