/** Where in the log to listen from, so that no list misses what came after it was asked for. */

import { platform } from "./platform.ts";

/** Of somebody who may load: where the log was when it began to. */
interface Loading {
  readonly load?: unknown;
  readonly ready: boolean;
  readonly position?: number | undefined;
}

const NOTICED = 500; // ms

export class Beginning {
  readonly #interests: ReadonlySet<Loading>;
  readonly #waiting: (() => void)[] = [];

  constructor(interests: ReadonlySet<Loading>) {
    this.#interests = interests;
  }

  /** `undefined`: not known yet; `null`: there is no list. */
  get position(): number | null | undefined {
    // One that is refused waits for nothing.
    const lists = [...this.#interests].filter(({ load, ready, position }) => load !== undefined && !(ready && position === undefined));
    if (lists.length === 0) return null;
    const positions = lists.map(({ position }) => position);
    return positions.includes(undefined) ? undefined : Math.min(...(positions as number[]));
  }

  /** `position`, waited for as long as a person does not notice: not to know it costs asking for all once more. */
  async found(): Promise<number | null | undefined> {
    let late = false;
    const timer = platform.setTimeout(() => {
      late = true;
      this.look();
    }, NOTICED);
    while (this.position === undefined && !late) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    platform.clearTimeout(timer);
    return this.position;
  }

  /** A list has had its first answer, or is not waited for any more. */
  look(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
