/** The sound of a new order: made here, so that nothing is fetched, and soft, since it comes often. */

/** Two notes of a bell, a fifth apart; s and Hz. */
const NOTES = [
  { at: 0, pitch: 659.26 },
  { at: 0.18, pitch: 987.77 },
];
const FADES = 1.1; // s until a note is not heard any more
const LOUDEST = 0.4; // of what the device can: two notes sound together

export interface Sound {
  /** Whether it would be heard: browsers are silent until somebody has touched the page. */
  readonly unlocked: boolean;
  /** In the course of a click or a key. */
  unlock(): Promise<void>;
  /** `volume`: 0 to 1. */
  ring(volume: number): void;
  close(): void;
}

export class Chime implements Sound {
  readonly #context = new AudioContext();

  get unlocked(): boolean {
    return this.#context.state === "running";
  }

  async unlock(): Promise<void> {
    await this.#context.resume();
  }

  ring(volume: number): void {
    if (!this.unlocked || volume <= 0) return;
    for (const { at, pitch } of NOTES) this.#note(this.#context.currentTime + at, pitch, volume);
  }

  close(): void {
    void this.#context.close();
  }

  #note(at: number, pitch: number, volume: number): void {
    const gain = this.#context.createGain();
    gain.gain.setValueAtTime(0, at);
    gain.gain.linearRampToValueAtTime(volume * LOUDEST, at + 0.02); // no click at the start
    gain.gain.exponentialRampToValueAtTime(0.0001, at + FADES);
    gain.connect(this.#context.destination);
    const tone = this.#context.createOscillator();
    tone.frequency.value = pitch;
    tone.connect(gain);
    tone.start(at);
    tone.stop(at + FADES);
  }
}
