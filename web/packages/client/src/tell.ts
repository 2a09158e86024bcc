/** Calls each listener. One that throws spoils nothing for the others: its error is seen as an uncaught one of its own. */
export function tell<T extends unknown[]>(listeners: Iterable<(...data: T) => void>, ...data: T): void {
  for (const listener of [...listeners]) {
    try {
      listener(...data);
    } catch (error) {
      void Promise.reject(error);
    }
  }
}
