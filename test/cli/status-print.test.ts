// How the answer looks: a tree that keeps its shape when it is wrapped, no colours where nobody sees them, and no way for other people's texts
// to steer the terminal.

import { describe, expect, it } from 'vitest';
import type { StatusView } from '../../src/cli/status-node.ts';
import { statusLines } from '../../src/cli/status-print.ts';

const view: StatusView = {
  object: { kind: 'ListenerSet', namespace: 'team', name: 'set' },
  tree: [
    { mark: 'good', what: 'Gateway', name: 'infra/gw', says: 'admits namespace team' },
    {
      mark: 'bad',
      what: 'listener',
      name: 'web',
      says: 'foo.com, HTTPS on port 443',
      under: [
        { mark: 'bad', what: 'Issuer', name: 'x', says: 'named on this ListenerSet; does not exist in namespace team' },
        { mark: 'hidden', what: 'Secret', name: 'foo-tls', says: 'you may not\nlook' },
      ],
    },
  ],
  unseen: ['you may not look'],
  verdict: { state: 'missing', who: 'developer', sentence: 'The developer can fix this: create it.' },
};

describe('the lines', () => {
  it('are not wrapped in a pipe', () => {
    expect(statusLines(view, { width: Number.POSITIVE_INFINITY, colours: 'none' })).toEqual([
      'ListenerSet team/set',
      '├─ ✓ Gateway infra/gw: admits namespace team',
      '└─ ✗ listener web: foo.com, HTTPS on port 443',
      '   ├─ ✗ Issuer x: named on this ListenerSet; does not exist in namespace team',
      '   └─ ? Secret foo-tls: you may not look',
      '',
      'Not seen:',
      '  you may not look',
      '',
      'The developer can fix this: create it.',
    ]);
  });

  it('keep the tree when they are', () => {
    const lines = statusLines(view, { width: 40, colours: 'none' });
    expect(lines.slice(3, 7)).toEqual([
      '└─ ✗ listener web: foo.com, HTTPS on',
      '   │ port 443',
      '   ├─ ✗ Issuer x: named on this',
      '   │    ListenerSet; does not exist in',
    ]);
    expect(lines.every((line) => line.length <= 40)).toBe(true);
  });

  it('can be read in a terminal of no width', () => {
    const lines = statusLines(view, { width: 0, colours: 'none' });
    expect(lines.join(' ')).toContain('Issuer x: named');
  });

  it('have colours only where they are wanted', () => {
    const csi = '\u001b[';
    expect(statusLines(view, { width: 80, colours: 'none' }).join('')).not.toContain(csi);
    expect(statusLines(view, { width: 80, colours: 'some' })[1]).toBe(
      `├─ ${csi}32m✓${csi}0m Gateway infra/gw: admits namespace team`,
    );
  });

  it('let no message of others move the cursor or turn the text', () => {
    const evil = { mark: 'bad' as const, what: 'Certificate', name: 'a', says: 'x\u001b[2J\u202ey' };
    const lines = statusLines({ ...view, tree: [evil] }, { width: 80, colours: 'none' });
    expect(lines[1]).toBe('└─ ✗ Certificate a: x\ufffd[2J\ufffdy');
  });
});
