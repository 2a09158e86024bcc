/** Notifications of the browser, for readers who ask for them, while they look elsewhere. */

export class Notifier {
  readonly #button: HTMLButtonElement;
  #possible = false;
  #wanted = false;

  /** `button` asks for them, `answer` says what came of that. Neither is shown where there are none to have. */
  constructor(button: HTMLButtonElement, answer: HTMLElement, words: { notified: string; notify_refused: string }) {
    this.#button = button;
    if (!("Notification" in globalThis) || Notification.permission === "denied") return;
    this.#possible = true;
    button.addEventListener("click", async () => {
      this.#wanted = (await Notification.requestPermission()) === "granted";
      this.#possible = false;
      button.hidden = true;
      answer.textContent = this.#wanted ? words.notified : words.notify_refused;
      answer.tabIndex = -1;
      answer.focus(); // which was on the button
    });
  }

  /** Shows the button, where there is something to ask for and still something to come. */
  offer(open: boolean): void {
    this.#button.hidden = !(this.#possible && open);
  }

  /** One for each change; a newer one takes the place of the last. */
  notify(title: string, body: string): void {
    if (!this.#wanted || (document.visibilityState === "visible" && document.hasFocus())) return;
    try {
      new Notification(title, { body, tag: "ordercast" });
    } catch {
      this.#wanted = false; // Chrome on Android has them for service workers alone
    }
  }
}
