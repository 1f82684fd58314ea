// The flags that say who issues.

import { expect, it } from 'vitest';
import { readConfig } from '../../src/config.ts';

function ownership(...flags: readonly string[]) {
  const config = readConfig(['controller', ...flags], {});
  if (!config.ok) return config.problem;
  return config.value.command === 'controller' ? config.value.ownership : [];
}

it('by default Certway looks whose the CRDs are, and at cert-manager’s own Lease', () => {
  expect(ownership()).toEqual({ wish: 'auto', lease: { namespace: 'kube-system', name: 'cert-manager-controller' } });
});

it('each can be told', () => {
  expect(ownership('--issuance=external')).toMatchObject({ wish: 'external' });
  expect(ownership('--cert-manager-lease=cert-manager/other')).toMatchObject({
    lease: { namespace: 'cert-manager', name: 'other' },
  });
  expect(ownership('--takeover-after=10m')).toMatchObject({ wish: 'auto', takeoverAfterMs: 600_000 });
});

it.each([
  ['--issuance=mine', /--issuance "mine" is none of auto, builtin, external/],
  [
    '--cert-manager-lease=cert-manager-controller',
    /--cert-manager-lease "cert-manager-controller" is not namespace\/name/,
  ],
  ['--takeover-after=9m', /--takeover-after "9m" is shorter than 10m/],
  ['--takeover-after=soon', /--takeover-after "soon" is not a duration/],
])('%s is a mistake', (flag, sentence) => {
  expect(ownership(flag)).toEqual([expect.stringMatching(sentence)]);
});

it('a takeover means nothing where it is said who issues', () => {
  expect(ownership('--issuance=builtin', '--takeover-after=1h')).toEqual([expect.stringContaining('means nothing')]);
});
