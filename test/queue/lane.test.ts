import { expect, test } from 'vitest';
import { Lane } from '../../src/queue/lane.ts';

test('a lane gives each key once, in the order of arrival', () => {
  const lane = new Lane();
  for (const key of ['a', 'b', 'a', 'c']) lane.put(key);
  lane.delete('b');
  expect([lane.size, lane.take(), lane.take(), lane.take(), lane.size]).toEqual([2, 'a', 'c', undefined, 0]);
});

test('a key that was taken may come again', () => {
  const lane = new Lane();
  lane.put('a');
  lane.take();
  lane.put('b');
  lane.put('a');
  expect([lane.take(), lane.take()]).toEqual(['b', 'a']);
});

test('tenants take turns, whoever came first', () => {
  const lane = new Lane();
  for (const key of ['flood/1', 'flood/2', 'flood/3', 'a/1', 'b/1', 'a/2']) lane.put(key);
  const taken = Array.from({ length: 7 }, () => lane.take());
  expect(taken).toEqual(['flood/1', 'a/1', 'b/1', 'flood/2', 'a/2', 'flood/3', undefined]);
});

test('a tenant that comes amid a round waits for one key of each other', () => {
  const lane = new Lane();
  for (let i = 0; i < 500; i += 1) lane.put(`flood/${i}`);
  lane.take();
  lane.put('late/1');
  expect([lane.take(), lane.take()]).toContain('late/1');
});

test('a key that was taken back costs its tenant nothing but its turn is passed on', () => {
  const lane = new Lane();
  for (const key of ['a/1', 'b/1']) lane.put(key);
  lane.delete('a/1');
  expect([lane.take(), lane.size, lane.take()]).toEqual(['b/1', 0, undefined]);
  lane.put('a/1');
  expect(lane.take()).toBe('a/1');
});

test('a hundred thousand keys pass in time linear to their number', () => {
  const lane = new Lane();
  for (let i = 0; i < 100_000; i += 1) lane.put(`k${i}`);
  const started = performance.now();
  const taken = Array.from({ length: 100_000 }, () => lane.take());
  expect(taken[0]).toBe('k0');
  expect(taken.at(-1)).toBe('k99999');
  expect(lane.size).toBe(0);
  expect(performance.now() - started).toBeLessThan(2_000);
});
