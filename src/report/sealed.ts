// A box for key material that passes through code which may log it: whatever prints the box prints `[secret]`.
// Called by apply/ and acme/ around EAB keys and PEM texts; KeyObjects need none, they print nothing by themselves.

import { inspect } from 'node:util';

const mark = '[secret]';

export class Sealed<T> {
  readonly #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  /** The content, for the one call that needs it. */
  open(): T {
    return this.#value;
  }

  toJSON(): string {
    return mark;
  }

  toString(): string {
    return mark;
  }

  [inspect.custom](): string {
    return mark;
  }
}
