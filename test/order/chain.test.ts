// Which of a CA's chains is served, with chains whose roots are made here.

import { describe, expect, it } from 'vitest';
import { chooseChain } from '../../src/order/chain.ts';
import { createCsr } from '../../src/pki/csr.ts';
import { selfSign, signCsr } from '../../src/pki/sign.ts';
import { day, keyFor, only, serial, start, value } from '../pki/fixtures.ts';

const key = await keyFor({ algorithm: 'ECDSA' });
const terms = { key, notBefore: start, notAfter: start + day, usages: [] };

/** A leaf, an intermediate, and no root: as CAs send it. */
async function endingAt(root: string): Promise<string> {
  const ca = async (commonName: string) => createCsr({ key, names: only({ commonName }), isCA: true });
  const top = value(await selfSign({ ...terms, csr: await ca(root), isCA: true, serial: serial(1) }));
  const between = await signCsr({
    ...terms,
    csr: await ca('Intermediate'),
    issuer: { key, chain: [top.chainPem] },
    isCA: true,
    serial: serial(2),
  });
  const csr = await createCsr({ key, names: only({ dnsNames: ['a.example.com'] }) });
  const issuer = { key, chain: [value(between).chainPem] };
  return value(await signCsr({ ...terms, csr, issuer, isCA: false, serial: serial(3) })).chainPem;
}

const [one, two, three] = await Promise.all(['Root One', 'Root Two', 'Root Three'].map(endingAt));
const [first = '', second = '', third = ''] = [one, two, three];

describe('the chain that is served', () => {
  it.each([
    ['the default, where it ends there', 'Root One', first],
    ['an alternate', 'Root Two', second],
    ['the last alternate', 'Root Three', third],
  ] as const)('is %s', (_, preferred, chainPem) => {
    expect(chooseChain(first, [second, third], preferred)).toEqual({ kind: 'preferred', chainPem });
  });

  it('is the first of several that end there', () => {
    expect(chooseChain(first, [`${second}\n`, second], 'Root Two').chainPem).toBe(`${second}\n`);
  });

  it.each(['Root Four', 'root one', 'Root', 'Intermediate', 'a.example.com'])(
    'is the default where none ends at %j, and the choice says where they end',
    (preferred) => {
      const choice = chooseChain(first, [third, second, second], preferred);
      expect(choice).toEqual({
        kind: 'missing',
        chainPem: first,
        offered: ['Root One', 'Root Three', 'Root Two'],
      });
    },
  );
});
