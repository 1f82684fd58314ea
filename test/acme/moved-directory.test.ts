// A CA that moves while we know its old addresses: the directory is read again, and what was refused for nothing but its address is asked at the new one.

import { describe, expect, test } from 'vitest';
import { register } from '../../src/acme/account.ts';
import { changeKey } from '../../src/acme/key-change.ts';
import { newOrder, readOrder } from '../../src/acme/order.ts';
import { type Asked, type Deed, refusal, type ScriptedCa, startScriptedCa } from './scripted-ca.ts';
import { accountKey, got, problemOf } from './steps.ts';

const wish = { identifiers: [{ type: 'dns', value: 'a.example.com' }] } as const;
const places = ['newNonce', 'newAccount', 'newOrder', 'keyChange'];

/** Reads of the directory after the first name addresses below /v2; those below /v1 are gone then. */
function movingCa(gone: Deed): Promise<ScriptedCa> {
  let version = 1;
  return startScriptedCa(({ path }, nth) => {
    if (path === '/dir') {
      version = nth;
      const urls = places.map((name) => [name, `${origin}/v${nth}/${name}`]);
      return { kind: 'reply', body: JSON.stringify(Object.fromEntries(urls)) };
    }
    if (version === 1 && path.startsWith('/v1/') && !path.endsWith('newNonce')) return gone;
    if (path.endsWith('/newAccount')) return account;
    return path.endsWith('/newOrder') ? { kind: 'reply', headers: { location: `${origin}/order/1` } } : undefined;
  }).then((ca) => {
    origin = ca.origin;
    return ca;
  });
}

let origin = '';
const account: Deed = {
  kind: 'reply',
  status: 201,
  headers: { location: 'https://127.0.0.1/account' },
  body: '{"status":"valid"}',
};

const posts = ({ asked }: ScriptedCa) => asked.filter(({ method }) => method === 'POST').map(({ path }) => path);
const urlOf = ({ header }: Asked) => header.url;

describe.each([
  ['404 without a word', { kind: 'reply', status: 404, body: '' }],
  ['404 in words', refusal(404, 'malformed', 'Page not found')],
  ['405', { kind: 'reply', status: 405, body: '<html>' }],
  ['410', { kind: 'reply', status: 410, body: '' }],
] as const)('an old address that answers %s', (_, gone) => {
  test('costs an order one more request', async () => {
    await using ca = await movingCa(gone);
    got(await newOrder(ca.session(), wish));
    expect(posts(ca)).toEqual(['/v1/newOrder', '/v2/newOrder']);
    expect(ca.asked.filter(({ method }) => method === 'POST').map(urlOf)).toEqual(
      posts(ca).map((path) => `${ca.origin}${path}`),
    );
  });
});

const gone: Deed = { kind: 'reply', status: 404, body: '' };

test('a binding is signed anew for the address where it is sent', async () => {
  await using ca = await movingCa(gone);
  const eab = { keyId: 'kid', macKey: 'c2VjcmV0LXNlY3JldA' };
  got(await register({ endpoint: ca.open(), key: await accountKey(), eab }));
  const bound = ca.asked
    .filter(({ method }) => method === 'POST')
    .map(({ payload }) => {
      const { externalAccountBinding } = JSON.parse(payload);
      return JSON.parse(Buffer.from(externalAccountBinding.protected, 'base64url').toString()).url;
    });
  expect(bound).toEqual([`${ca.origin}/v1/newAccount`, `${ca.origin}/v2/newAccount`]);
});

test('so is the consent of a new account key', async () => {
  await using ca = await movingCa(gone);
  got(await changeKey(ca.session(), await accountKey()));
  const inner = ca.asked
    .filter(({ method }) => method === 'POST')
    .map(({ payload }) => {
      const header = JSON.parse(Buffer.from(JSON.parse(payload).protected, 'base64url').toString());
      return [header.url, header.alg, Object.keys(header).includes('nonce')];
    });
  expect(inner).toEqual([
    [`${ca.origin}/v1/keyChange`, 'ES256', false],
    [`${ca.origin}/v2/keyChange`, 'ES256', false],
  ]);
});

test('a nonce is fetched from where it is given now', async () => {
  await using ca = await startScriptedCa(({ path }, nth) => {
    if (path === '/dir') {
      const urls = places.map((name) => [name, `${ca.origin}/v${nth}/${name}`]);
      return { kind: 'reply', body: JSON.stringify(Object.fromEntries(urls)) };
    }
    return path === '/v1/newNonce' ? { kind: 'reply', status: 404, body: '' } : undefined;
  });
  got(await readOrder(ca.session(), `${ca.origin}/order/1`));
  expect(ca.asked.map(({ method, path }) => `${method} ${path}`)).toEqual([
    'GET /dir',
    'HEAD /v1/newNonce',
    'GET /dir',
    'HEAD /v2/newNonce',
    'POST /order/1',
  ]);
});

test('an address that is gone and has no new one is refused once', async () => {
  await using ca = await startScriptedCa(({ path }) => (path === '/new-order' ? gone : undefined));
  expect(problemOf(await newOrder(ca.session(), wish))).toMatchObject({ kind: 'refused', status: 404 });
  expect(posts(ca)).toEqual(['/new-order']);
});

test('a profile at a CA without profiles is refused before it is left out in silence', async () => {
  await using ca = await startScriptedCa();
  const problem = problemOf(await newOrder(ca.session(), { ...wish, profile: 'shortlived' }));
  expect(problem).toMatchObject({ kind: 'refused', status: 0, type: 'invalidProfile' });
  expect(posts(ca)).toEqual([]);
});
