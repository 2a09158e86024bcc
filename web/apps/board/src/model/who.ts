/** Who this board belongs to. */

export interface Me {
  readonly userId: string;
  readonly role: string;
}

/** As the token says; the server decides all the same. */
export function ofToken(token: string): Me {
  try {
    const claims = JSON.parse(atob(token.split(".")[1]!.replace(/-/g, "+").replace(/_/g, "/"))) as Record<string, unknown>;
    return { userId: String(claims.userId ?? claims.sub ?? ""), role: typeof claims.role === "string" ? claims.role : "operator" };
  } catch {
    return { userId: "", role: "operator" };
  }
}
