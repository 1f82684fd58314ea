// Keys that could run now, each once: first come, first served within a tenant, and tenants in turn, so that a flood of one delays the others by
// one key a round. Owned by work-queue.ts.
// Rows are arrays with a moving head, because taking the first of a JavaScript Set costs time in proportion to what was taken before.

interface Row {
  readonly tenant: string;
  keys: string[];
  head: number;
}

export class Lane {
  readonly #present = new Set<string>();
  readonly #rows = new Map<string, Row>();
  /** Rows that hold something, in the order of their turns. */
  #round: Row[] = [];
  #turn = 0;

  get size(): number {
    return this.#present.size;
  }

  has(key: string): boolean {
    return this.#present.has(key);
  }

  put(key: string): void {
    if (this.#present.has(key)) return;
    this.#present.add(key);
    const tenant = tenantOf(key);
    const row = this.#rows.get(tenant);
    if (row !== undefined) {
      row.keys.push(key);
      return;
    }
    const first = { tenant, keys: [key], head: 0 };
    this.#rows.set(tenant, first);
    this.#round.push(first);
  }

  delete(key: string): void {
    this.#present.delete(key);
  }

  take(): string | undefined {
    for (;;) {
      const row = this.#round[this.#turn];
      if (row === undefined) {
        if (!this.#nextRound()) return undefined;
        continue;
      }
      this.#turn += 1;
      const key = this.#first(row);
      if (key !== undefined) return key;
    }
  }

  clear(): void {
    this.#present.clear();
    this.#rows.clear();
    this.#round = [];
    this.#turn = 0;
  }

  /** Whoever has nothing left leaves the round; false when nobody has anything. */
  #nextRound(): boolean {
    const round = [];
    for (const row of this.#round) {
      if (row.head < row.keys.length) round.push(row);
      else this.#rows.delete(row.tenant);
    }
    this.#round = round;
    this.#turn = 0;
    return round.length > 0;
  }

  #first(row: Row): string | undefined {
    while (row.head < row.keys.length) {
      const key = row.keys[row.head];
      row.head += 1;
      if (key === undefined || !this.#present.delete(key)) continue;
      if (row.head >= 1024 && row.head * 2 >= row.keys.length) {
        row.keys = row.keys.slice(row.head);
        row.head = 0;
      }
      return key;
    }
    return undefined;
  }
}

/** The namespace of "namespace/name"; keys without one are served as one tenant's. */
function tenantOf(key: string): string {
  const slash = key.indexOf('/');
  return slash === -1 ? '' : key.slice(0, slash);
}
