// Secondary keys of a store, kept in step with it at the cost of each change alone. Owned by store.ts.

export type IndexFunctions<T> = Readonly<Record<string, (object: T) => readonly string[]>>;

export class Indexes<T> {
  readonly #functions: IndexFunctions<T>;
  readonly #onBug: (error: unknown) => void;
  readonly #found = new Map<string, Map<string, Map<string, T>>>();
  /** What each key is filed under: index functions are asked once per object, so that one which changes its mind leaves no remains. */
  readonly #filed = new Map<string, readonly (readonly [index: string, value: string])[]>();

  constructor(functions: IndexFunctions<T>, onBug: (error: unknown) => void) {
    this.#functions = functions;
    this.#onBug = onBug;
    for (const index of Object.keys(functions)) this.#found.set(index, new Map());
  }

  find(index: string, value: string): readonly T[] {
    const values = this.#found.get(index);
    if (values === undefined) throw new Error(`no index named ${index}`);
    const objects = values.get(value);
    return objects === undefined ? [] : [...objects.values()];
  }

  put(key: string, object: T): void {
    this.remove(key);
    if (this.#found.size === 0) return;
    const filed: (readonly [string, string])[] = [];
    for (const [index, values] of this.#found) {
      for (const value of new Set(this.#ask(index, object))) {
        const objects = values.get(value);
        if (objects === undefined) values.set(value, new Map([[key, object]]));
        else objects.set(key, object);
        filed.push([index, value]);
      }
    }
    if (filed.length > 0) this.#filed.set(key, filed);
  }

  remove(key: string): void {
    for (const [index, value] of this.#filed.get(key) ?? []) {
      const values = this.#found.get(index);
      const objects = values?.get(value);
      objects?.delete(key);
      if (objects?.size === 0) values?.delete(value);
    }
    this.#filed.delete(key);
  }

  #ask(index: string, object: T): readonly string[] {
    try {
      return this.#functions[index]?.(object) ?? [];
    } catch (error) {
      this.#onBug(error);
      return [];
    }
  }
}
