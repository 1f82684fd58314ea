import { expect, test } from 'vitest';
import { byTurns } from '../../src/queue/turns.ts';

test.each([
  ['', ''],
  ['a1', 'a1'],
  ['a1 a2 a3 b1 c1 b2', 'a1 b1 c1 a2 b2 a3'],
  ['b1 a1 b2 a2', 'b1 a1 b2 a2'],
])('«%s» is dealt as «%s»', (list, dealt) => {
  const given = list.split(' ').filter((each) => each !== '');
  expect(byTurns(given, (each) => each.charAt(0)).join(' ')).toBe(dealt);
});
