/** Notifications of the browser, for readers who ask for them, while they look elsewhere. */

export class Notifier {
  readonly #button: HTMLButtonElement;
  readonly #answer: HTMLElement;
  readonly #worker: string;
  #possible = false;
  #wanted = false;

  /**
   * `button` asks for them, `answer` says what came of that, and stays as it is where there are none to have.
   * Both are in a place of their own, which has its size before this runs.
   * `worker`: the address of public/track-worker.js.
   */
  constructor(button: HTMLButtonElement, answer: HTMLElement, words: { notified: string; notify_refused: string }, worker: string) {
    this.#button = button;
    this.#answer = answer;
    this.#worker = worker;
    if (!("Notification" in globalThis) || Notification.permission === "denied") return;
    this.#possible = true;
    button.addEventListener("click", async () => {
      this.#wanted = (await Notification.requestPermission()) === "granted";
      this.#possible = false;
      button.hidden = true;
      answer.textContent = this.#wanted ? words.notified : words.notify_refused;
      answer.tabIndex = -1;
      answer.focus(); // which was on the button
      if (this.#wanted) await this.#register();
    });
  }

  /** Shows the place while something is to come, with the button where there is something to ask for. */
  offer(open: boolean): void {
    this.#button.parentElement!.hidden = !open;
    this.#button.hidden = !this.#possible;
    if (this.#possible) this.#answer.textContent = "";
  }

  /** One for each change; a newer one takes the place of the last. */
  notify(title: string, body: string): void {
    if (!this.#wanted || (document.visibilityState === "visible" && document.hasFocus())) return;
    const options = { body, tag: location.pathname, renotify: true, data: { page: location.href } };
    try {
      new Notification(title, options).onclick = () => window.focus();
    } catch {
      // Chrome on Android has them for service workers alone.
      void navigator.serviceWorker?.ready.then((registration) => registration.showNotification(title, options)).catch(() => undefined);
    }
  }

  /** While the page is in front, since by the time of the first change it may sleep. */
  async #register(): Promise<void> {
    await navigator.serviceWorker?.register(this.#worker, { scope: "./" }).catch(() => undefined); // not over plain HTTP
  }
}
