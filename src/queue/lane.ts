// Keys that could run now, first come, first served, each once. Owned by work-queue.ts.
// An array with a moving head, because taking the first of a JavaScript Set costs time in proportion to what was taken before.

export class Lane {
  readonly #present = new Set<string>();
  #order: string[] = [];
  #head = 0;

  get size(): number {
    return this.#present.size;
  }

  has(key: string): boolean {
    return this.#present.has(key);
  }

  put(key: string): void {
    if (this.#present.has(key)) return;
    this.#present.add(key);
    this.#order.push(key);
  }

  delete(key: string): void {
    this.#present.delete(key);
  }

  take(): string | undefined {
    while (this.#head < this.#order.length) {
      const key = this.#order[this.#head];
      this.#head += 1;
      if (key !== undefined && this.#present.delete(key)) {
        this.#compact();
        return key;
      }
    }
    this.clear();
    return undefined;
  }

  clear(): void {
    this.#present.clear();
    this.#order = [];
    this.#head = 0;
  }

  #compact(): void {
    if (this.#head < 1024 || this.#head * 2 < this.#order.length) return;
    this.#order = this.#order.slice(this.#head);
    this.#head = 0;
  }
}
