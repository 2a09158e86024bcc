/**
 * Which presses are meant. Orders come and go at any moment, and the next card slides to where a finger already is: who
 * presses twice, or presses what has been there for a blink, would move an order that they have not seen. Pure.
 */

/** ms between the presses of a double press, and in which a person sees that something else is there now. */
export const BLINK = 400;
const NEAR = 40; // px between the presses of a double press: a finger is no needle
const STILL = 4; // px that a hand moves a pointer which it holds still

interface Spot {
  readonly x: number;
  readonly y: number;
}

export class Presses {
  #pointer: Spot | undefined;
  #over: string | undefined;
  /** Where and when the card that the pointer is at came to it, and not the pointer to the card; ms. */
  #slid: (Spot & { readonly at: number }) | undefined;
  #scrolled = -Infinity;
  #last: (Spot & { readonly card: string | undefined; readonly at: number }) | undefined;

  /** The pointer is over a card, or over something else: it went there, or that came. */
  over(card: string | undefined, spot: Spot, now: number): void {
    const rests = this.#pointer !== undefined && distance(this.#pointer, spot) === 0 && now - this.#scrolled >= BLINK;
    this.#pointer = spot;
    if (card !== this.#over) {
      this.#over = card;
      this.#slid = card !== undefined && rests ? { ...spot, at: now } : undefined;
    } else if (this.#slid !== undefined && distance(this.#slid, spot) > STILL) this.#slid = undefined; // it is meant by now
  }

  /** Whoever turns the wheel brings the cards there themselves. */
  scroll(now: number): void {
    this.#scrolled = now;
  }

  /** A press on a card, or on something else, which is always meant; whether it is meant for that card. */
  press(card: string | undefined, spot: Spot, now: number): boolean {
    const [last, slid] = [this.#last, this.#slid];
    const isSecond = last !== undefined && last.card !== card && now - last.at < BLINK && distance(last, spot) < NEAR;
    const hasSlid = slid !== undefined && this.#over === card && now - slid.at < BLINK;
    if (card !== undefined && isSecond) return false;
    this.#last = { ...spot, card, at: now };
    return card === undefined || !hasSlid;
  }
}

const distance = (one: Spot, other: Spot): number => Math.hypot(one.x - other.x, one.y - other.y);
