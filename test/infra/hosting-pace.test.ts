import { describe, expect, it } from 'vitest';
import { type Pace, paced } from '../../src/infra/hosting-pace.ts';

/** Each look at an instant with a list; answers what was rendered when. */
function play(looks: readonly (readonly [at: number, names: readonly string[]])[]): readonly string[] {
  let pace: Pace | undefined;
  return looks.flatMap(([at, names]) => {
    const next = paced(pace, names, at);
    const isNew = next.kind === 'render' && next.pace.rendered?.join() !== pace?.rendered?.join();
    pace = next.pace;
    return isNew ? [`${at}: ${pace.rendered?.join()}`] : [];
  });
}

describe('the list of watched namespaces', () => {
  it('is rendered at once the first time, and again only when it is another', () => {
    expect(
      play([
        [0, ['a']],
        [10, ['a']],
        [9_000, ['a']],
      ]),
    ).toEqual(['0: a']);
  });
  it('waits until nothing has changed for half a second', () => {
    expect(
      play([
        [0, []],
        [100, ['a']],
        [400, ['a', 'b']],
        [700, ['a', 'b']],
        [900, ['a', 'b']],
      ]),
    ).toEqual(['0: ', '900: a,b']);
  });
  it('waits five seconds at most, whatever comes', () => {
    const arrivals = Array.from(
      { length: 60 },
      (_, n) => [1_000 + n * 100, Array.from({ length: n + 1 }, (__, i) => `n${i}`)] as const,
    );
    const rendered = play([[0, []], ...arrivals]);
    expect(rendered.map((line) => line.split(':')[0])).toEqual(['0', '6000']);
  });
  it('is not rendered anew where a namespace went and came back', () => {
    expect(
      play([
        [0, ['a', 'b']],
        [100, ['a']],
        [300, ['a', 'b']],
        [2_000, ['a', 'b']],
      ]),
    ).toEqual(['0: a,b']);
  });
  it('says until when to wait', () => {
    const first = paced(undefined, [], 0).pace;
    expect(paced(first, ['a'], 100)).toMatchObject({ kind: 'wait', until: 600 });
  });
});
