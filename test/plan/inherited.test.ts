import { expect, it } from 'vitest';
import { missingInherited } from '../../src/plan/inherited.ts';
import type { WantedCertificate } from '../../src/resolve/world.ts';

const owner = {
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'ListenerSet',
  namespace: 'team',
  name: 'web',
  uid: 'u',
};
const gateway = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'Gateway', namespace: 'infra', name: 'shared' };

function wanted(issuerFrom: WantedCertificate['issuerFrom'], kind: string): WantedCertificate {
  return {
    owner,
    generation: 3,
    namespace: 'team',
    name: 'web-tls',
    spec: { secretName: 'web-tls', issuerRef: { name: 'house-ca', kind } },
    labels: {},
    annotations: {},
    issuerFrom,
    listeners: ['https'],
  };
}

it('tells the owner of the set where the missing issuer comes from, and what can be done', () => {
  const [said] = missingInherited([wanted(gateway, 'Issuer')], () => false);
  expect(said?.event.about).toBe(owner);
  expect(said?.generation).toBe(3);
  expect(said?.event.message).toContain('Gateway "infra/shared"');
  expect(said?.event.message).toContain('does not exist in namespace "team"');
});

it.each([
  ['the issuer exists', wanted(gateway, 'Issuer'), true],
  ['it is a ClusterIssuer', wanted(gateway, 'ClusterIssuer'), false],
  ['the set named it itself', wanted(owner, 'Issuer'), false],
] as const)('says nothing when %s', (_, certificate, exists) => {
  expect(missingInherited([certificate], () => exists)).toEqual([]);
});
