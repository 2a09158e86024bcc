/**
 * Which presses are meant. Orders come and go at any moment, and the next card slides to where a finger already is: who
 * presses twice, or presses what has been there for a blink, would move an order that they have not seen. Pure.
 */

/** ms between the presses of a double press, and in which a person sees that something else is there now. */
export const BLINK = 400;
const NEAR = 40; // px between the presses of a double press: a finger is no needle

interface Spot {
  readonly x: number;
  readonly y: number;
}

export class Presses {
  #pointer: Spot | undefined;
  #over: string | undefined;
  /** When the card that the pointer is at came to it, and not the pointer to the card; ms. */
  #slid = -Infinity;
  #last: (Spot & { readonly card: string; readonly at: number }) | undefined;

  /** The pointer is over a card: it went there, or the card came. */
  over(card: string | undefined, { x, y }: Spot, now: number): void {
    if (card !== this.#over) {
      const rests = this.#pointer !== undefined && this.#pointer.x === x && this.#pointer.y === y;
      this.#slid = card !== undefined && rests ? now : -Infinity;
      this.#over = card;
    }
    this.#pointer = { x, y };
  }

  /** A press on a card; whether it is meant for that one. */
  press(card: string, { x, y }: Spot, now: number): boolean {
    const last = this.#last;
    const again = last !== undefined && last.card !== card && now - last.at < BLINK && Math.hypot(x - last.x, y - last.y) < NEAR;
    const slid = this.#over === card && now - this.#slid < BLINK;
    if (!again) this.#last = { x, y, card, at: now };
    return !again && !slid;
  }
}
