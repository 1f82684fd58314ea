// What each verb puts on the wire, and what it refuses to put there.

import { afterEach, beforeEach, expect, test } from 'vitest';
import { certificates, clusterIssuers } from '../../src/api/resources.ts';
import { type Kube, kubeClient } from '../../src/kube/client.ts';
import { openSession, type Session } from '../../src/kube/session.ts';
import { configMaps, item, page, status, stored } from './objects.ts';
import { type ScriptedApi, scriptedApi } from './scripted-api.ts';

let api: ScriptedApi;
let session: Session;
let kube: Kube;
const warnings: string[] = [];

beforeEach(async () => {
  api = await scriptedApi();
  session = await openSession({ kubeconfig: await api.kubeconfig({ token: 'one' }), environment: {} });
  warnings.length = 0;
  kube = kubeClient(session, (warning) => warnings.push(warning));
  api.onAny((turn) => turn.json(200, item('a', 12), { warning: '299 - "mind this"' }));
});

afterEach(async () => {
  await session[Symbol.asyncDispose]();
  await api[Symbol.asyncDispose]();
});

const certificate = {
  apiVersion: '',
  kind: '',
  metadata: { name: 'a', namespace: 'n', resourceVersion: '7' },
  spec: { secretName: 's', issuerRef: { name: 'i' } },
};
const base = '/apis/cert-manager.io/v1/namespaces/n/certificates';
const typed = { apiVersion: 'cert-manager.io/v1', kind: 'Certificate' };

test('every verb has its method, its path and its body', async () => {
  await kube.get(certificates, { namespace: 'n', name: 'a' });
  await kube.get(clusterIssuers, { name: 'i' });
  await kube.create(certificates, certificate);
  await kube.replace(certificates, certificate);
  await kube.replaceStatus(certificates, certificate);
  await kube.apply(certificates, certificate, { fieldManager: 'us', force: true });
  await kube.delete(certificates, { namespace: 'n', name: 'a' });
  await kube.delete(certificates, { namespace: 'n', name: 'a' }, { uid: 'u', resourceVersion: '7' });
  const seen = api.turns.map(({ method, path, query, headers, body }) => [
    method,
    `${path}${query.size > 0 ? `?${query}` : ''}`,
    headers['content-type'] ?? '',
    body === '' ? '' : JSON.parse(body),
  ]);
  const json = 'application/json';
  const deletion = { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: 'Background' };
  expect(seen).toEqual([
    ['GET', `${base}/a`, '', ''],
    ['GET', '/apis/cert-manager.io/v1/clusterissuers/i', '', ''],
    ['POST', base, json, { ...certificate, ...typed }],
    ['PUT', `${base}/a`, json, { ...certificate, ...typed }],
    ['PUT', `${base}/a/status`, json, { ...certificate, ...typed }],
    ['PATCH', `${base}/a?fieldManager=us&force=true`, 'application/apply-patch+yaml', { ...certificate, ...typed }],
    ['DELETE', `${base}/a`, json, deletion],
    ['DELETE', `${base}/a`, json, { ...deletion, preconditions: { uid: 'u', resourceVersion: '7' } }],
  ]);
  expect(new Set(warnings)).toEqual(new Set(['mind this']));
  expect(warnings.length).toBe(8);
});

test('an answer is an object of ours: typed, frozen, without managedFields', async () => {
  const answer = await kube.get(configMaps, { namespace: 'here', name: 'a' });
  expect(answer).toEqual({ ok: true, value: stored('a', 12) });
  expect(answer.ok && Object.isFrozen(answer.value)).toBe(true);
});

test('names cannot leave their place in the path', async () => {
  await kube.get(certificates, { namespace: 'n', name: 'a/../../b?x=1#' });
  expect(api.turns[0]?.path).toBe(`${base}/a%2F..%2F..%2Fb%3Fx%3D1%23`);
  for (const name of ['', '.', '..']) {
    expect(() => kube.get(certificates, { namespace: 'n', name })).toThrow('no Certificate is named');
  }
});

test('a namespaced object without its namespace, and a replacement of what was not read, are bugs', () => {
  expect(() => kube.get(certificates, { name: 'a' })).toThrow('without its namespace');
  expect(() => kube.create(certificates, { ...certificate, metadata: { name: 'a' } })).toThrow('without a namespace');
  const unread = { ...certificate, metadata: { name: 'a', namespace: 'n' } };
  expect(() => kube.replace(certificates, unread)).toThrow('replaced unread');
  expect(() => kube.replaceStatus(certificates, unread)).toThrow('replaced unread');
  expect(api.turns).toEqual([]);
});

test('a list comes in pages and begins again when the reading expires', async () => {
  api.onAny(
    (turn) => turn.json(200, page(10, [item('a', 1)], 'next')),
    (turn) => turn.json(410, status(410, 'Expired')),
    (turn) => turn.json(200, page(20, [item('a', 1)], 'next')),
    (turn) => turn.json(200, page(20, [item('b', 2)])),
  );
  const answer = await kube.list(configMaps, { namespace: 'here', labelSelector: 'a=b' });
  expect(answer).toEqual({ ok: true, value: [stored('a', 1), stored('b', 2)] });
  expect(api.turns.every((turn) => turn.query.get('labelSelector') === 'a=b')).toBe(true);
});

test('a reading that always expires is given up', async () => {
  api.onAny((turn) => turn.json(410, status(410, 'Expired')));
  await expect(kube.list(configMaps)).resolves.toMatchObject({ problem: { kind: 'gone' } });
  expect(api.turns.length).toBe(3);
});

test('an answer that is no object is a problem', async () => {
  api.onAny((turn) => turn.json(200, '<html>'));
  await expect(kube.get(configMaps, { namespace: 'n', name: 'a' })).resolves.toMatchObject({
    problem: { kind: 'unavailable' },
  });
});
