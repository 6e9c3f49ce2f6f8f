/** Whether something serves, for those who wait for it. Shut at first. */
export class ServingGate {
  #state: "open" | "shut" = "shut";
  #service = pendingService();

  /** Lets everybody in who waits, and who comes. */
  open(): void {
    this.#state = "open";
    this.#service.resolve();
  }

  /** Who comes now waits, with those who wait already. */
  shut(): void {
    if (this.#state === "open") this.#service = pendingService();
    this.#state = "shut";
  }

  /** Shuts, and sends everybody away who waits; who comes later waits. */
  dismiss(error: Error): void {
    this.shut();
    this.#service.reject(error);
    this.#service = pendingService();
  }

  /** Resolves when it is open; rejects when those who wait are dismissed. */
  async entry(): Promise<void> {
    return this.#service.promise;
  }
}

function pendingService(): PromiseWithResolvers<void> {
  const service = Promise.withResolvers<void>();
  service.promise.catch(() => {}); // whoever waits hears of it; nobody has to
  return service;
}
