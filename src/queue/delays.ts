// Keys that wait for an instant, earliest first: a binary heap with one place per key. Owned by work-queue.ts.

export interface Delay {
  readonly key: string;
  at: number;
  priority: 'live' | 'initial';
}

export class Delays {
  readonly #heap: Delay[] = [];
  readonly #places = new Map<string, number>();

  get size(): number {
    return this.#heap.length;
  }

  /** Undefined when nothing waits. */
  get earliest(): number | undefined {
    return this.#heap[0]?.at;
  }

  /** A key that waits already keeps the earlier instant and the higher priority. */
  put(key: string, at: number, priority: 'live' | 'initial'): void {
    const place = this.#places.get(key);
    const present = place === undefined ? undefined : this.#heap[place];
    if (place === undefined || present === undefined) {
      this.#heap.push({ key, at, priority });
      this.#places.set(key, this.#heap.length - 1);
      this.#rise(this.#heap.length - 1);
      return;
    }
    if (priority === 'live') present.priority = 'live';
    if (at >= present.at) return;
    present.at = at;
    this.#rise(place);
  }

  /** Removes and returns the earliest when its instant has come. */
  takeDue(now: number): Delay | undefined {
    const [top] = this.#heap;
    if (top === undefined || top.at > now) return undefined;
    const last = this.#heap.pop();
    this.#places.delete(top.key);
    if (last !== undefined && last !== top) {
      this.#set(0, last);
      this.#sink(0);
    }
    return top;
  }

  #rise(from: number): void {
    let place = from;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!this.#swapIfEarlier(place, parent)) return;
      place = parent;
    }
  }

  #sink(from: number): void {
    let place = from;
    for (;;) {
      const left = 2 * place + 1;
      const child = this.#at(left + 1) < this.#at(left) ? left + 1 : left;
      if (!this.#swapIfEarlier(child, place)) return;
      place = child;
    }
  }

  #swapIfEarlier(lower: number, upper: number): boolean {
    const [below, above] = [this.#heap[lower], this.#heap[upper]];
    if (below === undefined || above === undefined || below.at >= above.at) return false;
    this.#set(lower, above);
    this.#set(upper, below);
    return true;
  }

  #set(place: number, delay: Delay): void {
    this.#heap[place] = delay;
    this.#places.set(delay.key, place);
  }

  #at(place: number): number {
    return this.#heap[place]?.at ?? Number.POSITIVE_INFINITY;
  }
}
