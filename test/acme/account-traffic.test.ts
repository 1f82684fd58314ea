// What is under way in an account's name while its key is to be changed, over real sockets.

import { expect, test } from 'vitest';
import { answer, readChallengeAt, readOrder } from '../../src/acme/order.ts';
import type { Issuer } from '../../src/api/certmanager.ts';
import { accountTraffic, longestValidationMs } from '../../src/apply/account-traffic.ts';
import { accountId } from '../../src/apply/accounts.ts';
import { until } from '../rig/wait.ts';
import { startScriptedCa } from './scripted-ca.ts';
import { got, problemOf } from './steps.ts';

const challenge = JSON.stringify({ type: 'http-01', status: 'pending', url: 'https://127.0.0.1/chall', token: 'abc' });

async function guarded(now = Date.now) {
  const ca = await startScriptedCa(({ path }) =>
    path.startsWith('/chall') ? { kind: 'reply', body: challenge } : undefined,
  );
  const traffic = accountTraffic(now);
  const session = ca.session();
  const open = () => ({ ...session, endpoint: traffic.guard(session.endpoint, session.accountUrl) });
  return { ca, traffic, url: session.accountUrl, open, [Symbol.asyncDispose]: () => ca[Symbol.asyncDispose]() };
}

test('a challenge that was answered is under way until the CA has its verdict, or could not have it any more', async () => {
  let now = 1_000_000;
  await using world = await guarded(() => now);
  const session = world.open();
  const [one, two] = [`${world.ca.origin}/chall/1`, `${world.ca.origin}/chall/2`];
  got(await readChallengeAt(session, one));
  expect(world.traffic.underWay(world.url)).toEqual({ requests: 0, challenges: [] });
  got(await answer(session, one));
  got(await answer(session, two));
  expect(world.traffic.underWay(world.url).challenges).toEqual([one, two]);
  world.traffic.settle(world.url, one);
  expect(world.traffic.underWay(world.url).challenges).toEqual([two]);
  now += longestValidationMs;
  expect(world.traffic.underWay(world.url).challenges).toEqual([]);
});

test('an answer that the CA did not take is not under way', async () => {
  const slowDown = JSON.stringify({ type: 'urn:ietf:params:acme:error:rateLimited', detail: 'Slow down.' });
  await using ca = await startScriptedCa(() => ({
    kind: 'reply',
    status: 429,
    headers: { 'content-type': 'application/problem+json', 'retry-after': '60' },
    body: slowDown,
  }));
  const traffic = accountTraffic(Date.now);
  const session = ca.session();
  const through = { ...session, endpoint: traffic.guard(session.endpoint, session.accountUrl) };
  expect(problemOf(await answer(through, `${ca.origin}/chall/1`))).toMatchObject({ kind: 'rateLimited' });
  expect(traffic.underWay(session.accountUrl)).toEqual({ requests: 0, challenges: [] });
});

test('nothing is sent while the account is paused, and requests on their way are counted', async () => {
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  await using world = await guarded();
  const session = world.open();
  const slow = {
    ...session.endpoint,
    post: <T>(request: Parameters<typeof session.endpoint.post<T>>[0]) =>
      held.then(() => session.endpoint.post(request)),
  };
  const traffic = accountTraffic(Date.now);
  const through = { ...session, endpoint: traffic.guard(slow, world.url) };
  const reading = readOrder(through, `${world.ca.origin}/order/1`);
  await until('the request to be under way', () => traffic.underWay(world.url).requests === 1);
  traffic.pause(world.url);
  expect(problemOf(await readOrder(through, `${world.ca.origin}/order/2`))).toMatchObject({
    kind: 'network',
    sent: 'no',
  });
  release();
  got(await reading);
  expect(traffic.underWay(world.url).requests).toBe(0);
  expect(world.ca.asked.filter(({ path }) => path === '/order/2')).toEqual([]);
});

test('after the change only sessions that were opened since are served, from the moment on that was said', async () => {
  let now = 1_000_000;
  await using world = await guarded(() => now);
  const before = world.open();
  world.traffic.pause(world.url);
  world.traffic.resume(world.url, now + 2_000);
  const after = world.open();
  const order = `${world.ca.origin}/order/1`;
  expect(problemOf(await readOrder(after, order))).toMatchObject({ sent: 'no' });
  now += 2_000;
  expect(problemOf(await readOrder(before, order))).toMatchObject({ sent: 'no' });
  got(await readOrder(after, order));
});

test('another account goes on', async () => {
  await using world = await guarded();
  world.traffic.pause('https://ca.example/another');
  got(await readOrder(world.open(), `${world.ca.origin}/order/1`));
});

test.each([
  ['another CA’s', 'https://evil.example/dir', 'key', 'team'],
  ['another Secret’s', 'https://ca.example/dir', 'other', 'team'],
  ['another namespace’s', 'https://ca.example/dir', 'key', 'team-b'],
])('an account with the URL of another is not that one: %s', async (_, server, name, namespace) => {
  await using world = await guarded();
  const issuer = (server: string, name: string): Issuer => ({
    apiVersion: 'cert-manager.io/v1',
    kind: 'Issuer',
    metadata: { name: 'le', namespace: 'team' },
    spec: { acme: { server, privateKeySecretRef: { name } } },
    status: { acme: { uri: world.url } },
  });
  const session = world.ca.session();
  const id = accountId(issuer('https://ca.example/dir', 'key'), 'team');
  const open = { ...session, endpoint: world.traffic.guard(session.endpoint, id) };
  world.traffic.pause(accountId(issuer(server, name), namespace));
  got(await readOrder(open, `${world.ca.origin}/order/1`));
  world.traffic.pause(accountId(issuer('https://ca.example/dir', 'key'), 'team'));
  expect(problemOf(await readOrder(open, `${world.ca.origin}/order/1`))).toMatchObject({ sent: 'no' });
});
