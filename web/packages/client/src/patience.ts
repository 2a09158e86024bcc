/** A limit to how long something is waited for: what is never told of would be waited for for ever. */

import { platform, type Timer } from "./platform.ts";

/** ms. A timer that is set for longer, or for ever, ends at once. */
const LONGEST = 2 ** 31 - 1;

/** As `what`, or rejects after `ms` with `${words} within … s.`; past `LONGEST`, never. `late`: called then, to give it up. */
export async function within<T>(ms: number, what: Promise<T>, words: string, late: () => void = () => undefined): Promise<T> {
  if (!(ms <= LONGEST)) return what;
  let timer: Timer | undefined;
  const over = new Promise<never>((_, reject) => {
    timer = platform.setTimeout(() => {
      reject(new Error(`${words} within ${ms / 1000} s.`));
      late();
    }, ms);
  });
  try {
    return await Promise.race([what, over]);
  } finally {
    platform.clearTimeout(timer);
  }
}
