// Accounts of tenants' own go through the CA's limit for new accounts: who finds no room waits, is told until when, and asks the CA for nothing.

import { afterAll, beforeAll, expect, it } from 'vitest';
import { type OwnCa, startOwnCa } from '../acme/own-ca.ts';
import { type SharedWorld, sharedWorld } from '../rig/shared-world.ts';
import { until } from '../rig/wait.ts';
import { issuerNamed, listening, makeTemplate, patience, registered, type Template } from './stamp-scene.ts';
import { makeTeam } from './team.ts';

let world: SharedWorld;
let ca: OwnCa;
let template: Template;

beforeAll(async () => {
  world = await sharedWorld();
  ca = await startOwnCa();
  const limits = JSON.stringify({ limits: { newAccountsPerIp: { count: 2, period: '12h' } } });
  template = await makeTemplate(world, { ca, annotations: { 'certway.dev/limits': limits } });
});
afterAll(async () => {
  await template?.[Symbol.asyncDispose]();
  await ca?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

it('the third account of two waits for its turn, and those that exist are found without one', async () => {
  await using first = await makeTeam(world, 'first');
  await using second = await makeTeam(world, 'second');
  await template.set();
  await until('the ClusterIssuer to have an account', () => template.account(), patience);
  await first.kubectl.apply(listening(first, template.name));
  const { uri } = await registered(first, template.stamped);
  await second.kubectl.apply(listening(second, template.name));
  const said = await second.issuerSays(
    template.stamped,
    'False',
    /newAccountsPerIp leaves no room .* Tried again at \d{4}-/,
    60_000,
  );
  expect(said.reason).toBe('ErrRegisterACMEAccount');
  expect((await issuerNamed(second, template.stamped))?.status?.acme?.uri).toBeUndefined();
  await second.says('web-tls', 'Issuing', /^IssuerNotReady: .*newAccountsPerIp/);
  // The key is there, so its account is asked for by it.
  await first.kubectl.run(['delete', 'issuer', template.stamped, '-n', first.namespace]);
  expect((await registered(first, template.stamped)).uri).toBe(uri);
});
