// A real Vault that lets nobody in without a client certificate (mTLS).

import { afterAll, beforeAll, expect, it } from 'vitest';
import { askHealth } from '../../src/vault/health.ts';
import { askSignature } from '../../src/vault/sign.ts';
import { type OwnVault, startOwnVault, wishFor } from './own-vault.ts';

let own: OwnVault;

beforeAll(async () => {
  own = await startOwnVault({ clients: 'demanded' });
});
afterAll(() => own?.[Symbol.asyncDispose]());

it('answers those who show one', async () => {
  const http = own.open({ identity: await own.identity('controller') });
  await expect(askHealth(http)).resolves.toEqual({ ok: true, value: undefined });
  const signed = await askSignature(http, own.vault.rootToken, await wishFor({ dnsNames: ['a.example.com'] }));
  expect(signed).toMatchObject({ ok: true });
});

it('is a network problem to those who show none, with a word on what to set', async () => {
  const answer = await askHealth(own.open());
  const detail = expect.stringMatching(/client certificate.* spec\.vault\.clientCertSecretRef/);
  expect(answer).toEqual({ ok: false, problem: { kind: 'network', sent: 'maybe', detail } });
});
