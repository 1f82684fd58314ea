// How the fault proxies name the requests that they see: crash tests speak of edges by these names.

import { expect, test } from 'vitest';
import { readAcmeRequest } from '../rig/proxy/acme-request.ts';
import type { RawRequest } from '../rig/proxy/fault-proxy.ts';
import { readKubeRequest } from '../rig/proxy/kube-request.ts';

const certificateRequests = '/apis/cert-manager.io/v1/namespaces/default/certificaterequests';

function raw(method: string, path: string, body = '', contentType = 'application/json'): RawRequest {
  return { method, path, headers: { 'content-type': contentType }, body: Buffer.from(body) };
}

const apply = 'application/apply-patch+yaml';
const orders = '/apis/acme.cert-manager.io/v1/namespaces/team/orders';
test.each([
  [raw('POST', certificateRequests, '{"metadata":{"name":"foo-1"}}'), 'create certificaterequests', 'foo-1'],
  [raw('PUT', `${orders}/o1/status`), 'update orders/status', 'o1'],
  [raw('PATCH', '/api/v1/namespaces/team/secrets/foo-tls?fieldManager=x', '{}', apply), 'apply secrets', 'foo-tls'],
  [raw('PATCH', '/api/v1/namespaces/team', '{}', 'application/merge-patch+json'), 'patch namespaces', 'team'],
  [raw('PUT', '/api/v1/namespaces/team/finalize'), 'update namespaces/finalize', 'team'],
  [raw('DELETE', `${orders}/o1`), 'delete orders', 'o1'],
  [raw('DELETE', orders), 'deletecollection orders', undefined],
  [raw('GET', `${orders}?watch=true&allowWatchBookmarks=true`), 'watch orders', undefined],
  [raw('GET', '/apis/cert-manager.io/v1/clusterissuers'), 'list clusterissuers', undefined],
  [raw('GET', '/api/v1/namespaces/team/secrets/foo-tls'), 'get secrets', 'foo-tls'],
  [raw('POST', '/api/v1/namespaces/team/events', 'not json'), 'create events', undefined],
  [raw('GET', '/version'), 'get /version', undefined],
])('to the API server, %o is «%s»', (request, edge, name) => {
  const read = readKubeRequest(request);
  expect([read.edge, read.name]).toEqual([edge, name]);
});

const jws = (payload: string) => JSON.stringify({ protected: 'x', payload, signature: 'y' });
test.each([
  [raw('GET', '/dir'), 'directory', undefined],
  [raw('HEAD', '/nonce-plz'), 'newNonce', undefined],
  [raw('POST', '/sign-me-up', jws('e30')), 'newAccount', undefined],
  [raw('POST', '/order-plz', jws('e30')), 'newOrder', undefined],
  [raw('POST', '/my-order/abc', jws('')), 'read order', 'abc'],
  [raw('POST', '/list-orderz/1?cursor=2', jws('')), 'read orders', '1'],
  [raw('POST', '/authZ/abc', jws('')), 'read authz', 'abc'],
  [raw('POST', '/chalZ/abc', jws('e30')), 'challenge', 'abc'],
  [raw('POST', '/chalZ/abc', jws('')), 'read challenge', 'abc'],
  [raw('POST', '/finalize-order/abc', jws('e30')), 'finalize', 'abc'],
  [raw('POST', '/certZ/abc', jws('')), 'read cert', 'abc'],
  [raw('GET', '/draft-ietf-acme-ari-03/renewalInfo/abc'), 'renewalInfo', 'abc'],
  [raw('GET', '/roots/0'), 'other', undefined],
])('to Pebble, %o is «%s»', (request, edge, name) => {
  const read = readAcmeRequest(request);
  expect([read.edge, read.name]).toEqual([edge, name]);
});
