// The command line of `certway status`: kinds as people write them, kubectl's short flags, and every mistake in words.

import { describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config.ts';

describe('certway status', () => {
  it.each([
    [['listenerset', 'web'], { kind: 'ListenerSet', name: 'web', output: 'text' }],
    [['xlistenersets', 'web'], { kind: 'XListenerSet', name: 'web' }],
    [['Gateway/web', '-n', 'a'], { kind: 'Gateway', name: 'web', namespace: 'a' }],
    [['-n=a', 'cert', 'web', '-ojson'], { kind: 'Certificate', name: 'web', output: 'json' }],
    [['gateway', 'web', '--kubeconfig=/k', '--namespace', 'a'], { kubeconfig: '/k', namespace: 'a' }],
  ])('%j', (argv, expected) => {
    expect(readConfig(['status', ...argv], {})).toMatchObject({ ok: true, value: { command: 'status', ...expected } });
  });

  it.each([
    [[], 'name a kind and an object'],
    [['gateway', 'a', 'b'], 'unexpected argument "b"'],
    [['service', 'a'], 'unknown kind "service"'],
    [['gateway', 'a', '-x'], 'unknown flag -x'],
    [['gateway', 'a', '-n'], '-n needs a value'],
    [['gateway', 'a', '-o', 'yaml'], '"yaml" is none of text, json'],
  ])('%j is a mistake', (argv, words) => {
    expect(readConfig(['status', ...argv], {})).toMatchObject({ ok: false, problem: [expect.stringContaining(words)] });
  });

  it('knows the width and whether colours are wanted from the environment', () => {
    const read = readConfig(['status', 'gateway', 'a'], { COLUMNS: '90', NO_COLOR: '1' });
    expect(read).toMatchObject({ value: { columns: 90, noColour: true } });
  });
});
