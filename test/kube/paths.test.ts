import { expect, test } from 'vitest';
import { certificates, clusterIssuers, namespaces, secrets } from '../../src/api/resources.ts';
import { collectionPath, objectPath, resourceAt } from '../../src/kube/paths.ts';

test('each kind has its place', () => {
  expect([
    collectionPath(secrets),
    collectionPath(secrets, 'n'),
    collectionPath(clusterIssuers, 'ignored'),
    objectPath(namespaces, { name: 'n' }),
    objectPath(certificates, { namespace: 'n', name: 'c' }, 'status'),
  ]).toEqual([
    '/api/v1/secrets',
    '/api/v1/namespaces/n/secrets',
    '/apis/cert-manager.io/v1/clusterissuers',
    '/api/v1/namespaces/n',
    '/apis/cert-manager.io/v1/namespaces/n/certificates/c/status',
  ]);
});

test.each([
  ['/api/v1/secrets', 'secrets'],
  ['/api/v1/namespaces/n', 'namespaces'],
  ['/api/v1/namespaces/n/secrets/s', 'secrets'],
  ['/apis/cert-manager.io/v1/namespaces/n/certificates/c/status', 'certificates/status'],
  ['/apis/cert-manager.io/v1/clusterissuers/i', 'clusterissuers'],
  ['/readyz', 'other'],
])('%s is about %s', (path, resource) => {
  expect(resourceAt(path)).toBe(resource);
});
