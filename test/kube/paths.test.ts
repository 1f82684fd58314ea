import { expect, test } from 'vitest';
import { certificates, clusterIssuers, namespaces, secrets } from '../../src/api/resources.ts';
import { collectionPath, objectPath } from '../../src/kube/paths.ts';

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
