/** The link by which a customer sees one order. */

import type { Id } from "@ordercast/client";
import { useOrdercast } from "@ordercast/react";
import { useState, type ReactNode } from "react";
import { Button, Input, TextField } from "react-aria-components";
import { share as words } from "./words.ts";

export function Share({ orderId }: { orderId: Id }): ReactNode {
  const client = useOrdercast();
  const [url, setUrl] = useState<string>();
  const [said, say] = useState("");
  const [asking, setAsking] = useState(false);
  const share = async () => {
    setAsking(true);
    say("");
    try {
      const { url } = await client.call<{ url: string }>("POST", `orders/${encodeURIComponent(orderId)}/share`);
      const copied = await copy(url);
      setUrl(url);
      say(copied ? words.copied : words.copyYourself);
    } catch {
      say(words.failed);
    }
    setAsking(false);
  };
  return (
    <div className="share">
      <Button className="button" onPress={share} isDisabled={asking}>
        {words.copy}
      </Button>
      {url !== undefined && (
        <TextField className="link" aria-label={words.link} value={url} isReadOnly>
          <Input className="field" onFocus={(event) => event.currentTarget.select()} />
        </TextField>
      )}
      <span className="soft" role="status">
        {said}
      </span>
    </div>
  );
}

/** Browsers have a clipboard for pages of HTTPS alone, and may refuse it. */
async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
