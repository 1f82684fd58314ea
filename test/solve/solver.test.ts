// Which solver proves a name (cert-manager's cases), and which choices we refuse.

import { describe, expect, test } from 'vitest';
import type { AcmeSolver, SolverSelector } from '../../src/api/certmanager.ts';
import { type ChallengeType, chooseSolver, pickSolver } from '../../src/solve/solver.ts';

const http = (selector?: SolverSelector): AcmeSolver => ({
  http01: { gatewayHTTPRoute: {} },
  ...(selector && { selector }),
});
const dns = (selector?: SolverSelector): AcmeSolver => ({ dns01: {}, ...(selector && { selector }) });

const fallback = http();
const empty = http({});
const exact = http({ dnsNames: ['www.example.com'] });
const zone = http({ dnsZones: ['example.com'] });
const longZone = http({ dnsZones: ['com', 'www.example.com'] });
const label = http({ matchLabels: { a: '1' } });
const labels = http({ matchLabels: { a: '1', b: '2' } });
const otherName = http({ dnsNames: ['example.com'] });
const otherZone = http({ dnsZones: ['ample.com', 'example.org'] });
const otherLabel = http({ matchLabels: { a: '2' } });
const exactOtherLabel = http({ dnsNames: ['www.example.com'], matchLabels: { a: '2' } });
const exactLabel = http({ dnsNames: ['www.example.com'], matchLabels: { a: '1' } });
const exactZone = http({ dnsNames: ['www.example.com'], dnsZones: ['example.com'] });

describe('chooseSolver', () => {
  test.each<[string, readonly AcmeSolver[], AcmeSolver | undefined]>([
    ['none where there is none', [], undefined],
    ['the only one', [fallback], fallback],
    ['one without conditions', [otherName, empty], empty],
    ['none where none matches', [otherName, otherZone, otherLabel], undefined],
    ['the one that matches over the one that does not', [otherZone, fallback, zone], zone],
    ['the exact name over the zone', [zone, exact], exact],
    ['the exact name over more labels', [labels, exact], exact],
    ['the zone over labels', [labels, zone], zone],
    ['labels over nothing', [fallback, label], label],
    ['the longer zone', [zone, longZone], longZone],
    ['more labels', [label, labels], labels],
    ['an exact name with a zone over an exact name', [exact, exactZone], exactZone],
    ['an exact name with labels over an exact name', [exact, exactLabel], exactLabel],
    ['none of whose parts fails', [exactOtherLabel, fallback], fallback],
    ['the first of equals', [http({ dnsZones: ['example.com'] }), zone], http({ dnsZones: ['example.com'] })],
  ])('takes %s, in either order', (_, solvers, chosen) => {
    const question = { name: 'www.example.com', labels: { a: '1', b: '2', c: '3' } };
    expect(chooseSolver({ ...question, solvers })?.solver).toEqual(chosen);
    expect(chooseSolver({ ...question, solvers: solvers.toReversed() })?.solver).toEqual(chosen);
  });

  test('keeps the order of the list among equals', () => {
    const [first, second] = [http(), http()];
    expect(chooseSolver({ solvers: [first, second], name: 'a.b', labels: {} })?.solver).toBe(first);
  });

  test.each<[string, readonly AcmeSolver[], readonly ChallengeType[] | undefined, ChallengeType | undefined]>([
    ['a.com', [dns(), http()], undefined, 'dns-01'],
    ['a.com', [dns(), http()], ['http-01'], 'http-01'],
    ['a.com', [http({ dnsNames: ['a.com'] }), dns()], ['dns-01'], 'dns-01'],
    ['a.com', [{ ...dns(), ...http() }], undefined, 'http-01'],
    ['*.a.com', [{ ...dns(), ...http() }], undefined, 'dns-01'],
    ['*.a.com', [http({ dnsNames: ['*.a.com'] })], undefined, undefined],
    ['*.a.com', [dns({ dnsNames: ['a.com'] })], undefined, undefined],
    ['*.a.com', [dns({ dnsNames: ['*.a.com'] })], undefined, 'dns-01'],
    ['*.a.com', [dns({ dnsZones: ['a.com'] })], undefined, 'dns-01'],
    ['a.com', [{}], undefined, undefined],
  ])('proves %s by what both the solver and the CA offer', (name, solvers, offered, type) => {
    expect(chooseSolver({ solvers, name, labels: {}, ...(offered && { offered }) })?.type).toBe(type);
  });
});

describe('pickSolver', () => {
  test.each<[string, readonly AcmeSolver[], string]>([
    ['a.com', [otherName], 'None of the issuer’s solvers is for a.com.'],
    ['*.a.com', [fallback], 'None of the issuer’s solvers is for *.a.com. A wildcard can be proven by DNS-01 only.'],
    [
      'a.com',
      [{ http01: { ingress: {} } }],
      'The issuer’s solver for a.com uses Ingress; give it http01.gatewayHTTPRoute.',
    ],
  ])('refuses %s in a sentence', (name, solvers, refusal) => {
    expect(pickSolver({ solvers, name, labels: {} })).toEqual({ refusal });
  });

  test.each<[string, readonly AcmeSolver[], ChallengeType]>([
    ['a.com', [fallback], 'http-01'],
    ['a.com', [dns({ dnsNames: ['a.com'] }), fallback], 'dns-01'],
    ['*.a.com', [fallback, dns()], 'dns-01'],
  ])('gives the solver for %s with the way that it goes', (name, solvers, type) => {
    const solver = solvers.find(({ dns01 }) => (dns01 === undefined ? 'http-01' : 'dns-01') === type);
    expect(pickSolver({ solvers, name, labels: {} })).toEqual({ solver, type });
  });
});
