/** Keeps the screen from going dark. Browsers let go of it whenever the page is hidden, so it is asked for again. */

/** `unsupported`: by the browser, or outside of HTTPS; `refused`: by the device, which may be low on power. */
export type Awake = "held" | "released" | "refused" | "unsupported";

/** Tells what has become of it; returns what ends it. */
export function keepAwake(tell: (state: Awake) => void): () => void {
  const { wakeLock } = navigator as { wakeLock?: WakeLock };
  if (wakeLock === undefined) {
    tell("unsupported");
    return () => undefined;
  }
  let ended = false;
  let lock: WakeLockSentinel | undefined;
  const hold = async () => {
    if (document.visibilityState !== "visible" || (lock !== undefined && !lock.released)) return;
    try {
      const got = await wakeLock.request("screen");
      if (ended) return void got.release();
      lock = got;
      got.addEventListener("release", () => ended || tell("released"));
      tell("held");
    } catch {
      if (!ended) tell("refused");
    }
  };
  void hold();
  document.addEventListener("visibilitychange", hold);
  return () => {
    ended = true;
    document.removeEventListener("visibilitychange", hold);
    void lock?.release();
  };
}
