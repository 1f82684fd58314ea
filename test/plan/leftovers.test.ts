// Which of the Secrets that a Certificate owns are key Secrets of earlier issuances, and which are not although they bear the label.

import { expect, it } from 'vitest';
import { isKeySecret } from '../../src/apply/leftovers.ts';
import { keySecretName } from '../../src/apply/names.ts';
import { certificate } from './certificate-scene.ts';

const long = 'a'.repeat(250);
const label = { 'cert-manager.io/next-private-key': 'true' };
const issued = { 'cert-manager.io/certificate-name': 'foo' };

it.each<[boolean, string, string, object]>([
  [true, 'foo', 'foo-3-key', { labels: label }],
  [true, 'foo', 'foo-x7k2p', { labels: label }],
  [true, long, keySecretName(long, 12), { labels: label }],
  [true, long, `${'a'.repeat(58)}x7k2p`, { labels: label }],
  [false, 'foo', 'foo-3-key', {}],
  [false, 'foo', 'foo-tls', { labels: label }],
  [false, 'foo', 'foo-3-key', { labels: label, annotations: issued }],
  [false, 'foo', 'foo-03-key', { labels: label }],
  [false, 'foo', 'bar-3-key', { labels: label }],
  [false, 'foo', 'foo-backup', { labels: label }],
])('%s: of Certificate %s the Secret %s with %j', (expected, name, secret, metadata) => {
  const found = { apiVersion: 'v1', kind: 'Secret', metadata: { name: secret, namespace: 'team', ...metadata } };
  expect(isKeySecret(certificate(undefined, { name }), found)).toBe(expected);
});

it('is never the target Secret, whatever its name', () => {
  const found = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'foo-3-key', labels: label } };
  expect(isKeySecret(certificate(undefined, {}, { secretName: 'foo-3-key' }), found)).toBe(false);
});
