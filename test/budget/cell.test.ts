// One cell: GCRA as Boulder has it, with reservations, holds and clocks that are set back.

import { describe, expect, test } from 'vitest';
import { arrival, type Cell, freshCell, heldUntil, left, nextFree, spend } from '../../src/budget/cell.ts';
import { per } from '../../src/budget/limits.ts';
import { born, day, hour, minute } from './dice.ts';

const five = per(5, hour);
const each = 12 * minute;

function spent(units: number, at = born): Cell {
  return Array.from({ length: units }).reduce((cell: Cell) => spend(cell, five, at), freshCell);
}

describe('a cell', () => {
  test.each<[string, Cell, number, number, number]>([
    ['gives its whole burst at once', freshCell, 0, 5, born],
    ['counts what is reserved as if it were spent', freshCell, 3, 2, born],
    ['is empty when everything is reserved', freshCell, 5, 0, born + each],
    ['gives one more per emission', spent(5), 0, 0, born + each],
    ['adds the reserved to the spent', spent(3), 2, 0, born + each],
    ['has what is left', spent(3), 1, 1, born],
  ])('%s', (_, cell, reserved, remaining, free) => {
    expect(left(cell, reserved, five, born)).toBe(remaining);
    expect(nextFree(cell, reserved, five, born)).toBe(free);
  });

  test('yields nearly twice its burst in the first period, as Boulder does', () => {
    let cell = freshCell;
    let units = 0;
    for (let now = born; now < born + hour; now += minute) {
      while (nextFree(cell, 0, five, now) <= now) {
        cell = spend(cell, five, now);
        units += 1;
      }
    }
    expect(units).toBe(9);
  });

  test('gives the next unit when the CA says so', () => {
    const held = heldUntil(freshCell, five, born + 30 * minute, born);
    expect(nextFree(held, 0, five, born)).toBe(born + 30 * minute);
    expect(nextFree(held, 0, five, born + 30 * minute)).toBe(born + 30 * minute);
    expect(left(held, 0, five, born + 30 * minute)).toBe(1);
  });

  test('keeps what it knows where that is stricter than the CA', () => {
    expect(nextFree(heldUntil(spent(5), five, born + minute, born), 0, five, born)).toBe(born + each);
  });

  test('does not believe a Retry-After of a year', () => {
    const held = heldUntil(freshCell, five, born + 365 * day, born);
    expect(nextFree(held, 0, five, born)).toBeLessThanOrEqual(born + 8 * day + each);
  });

  test('is never fuller than full, whatever the clock said before', () => {
    const ahead = spent(5, born + 30 * day);
    expect(arrival(ahead, five, born) - born).toBeLessThanOrEqual(hour + each);
    expect(nextFree(ahead, 0, five, born)).toBeLessThanOrEqual(born + 2 * each);
  });
});
