// The steps of one issuance as the controller takes them, for tests that want a certificate and not its story: polls as the CA says, and
// takes a step again when the CA was not available for it.

import type { KeyObject } from 'node:crypto';
import { register } from '../../src/acme/account.ts';
import { authorization } from '../../src/acme/authorization.ts';
import { download } from '../../src/acme/certificate.ts';
import { type AcmeOrder, answer, finalize, newOrder, readOrder } from '../../src/acme/order.ts';
import type { AcmeProblem } from '../../src/acme/problem.ts';
import type { AcmeSession, Answer } from '../../src/acme/session.ts';
import type { AcmeEndpoint } from '../../src/acme/transport.ts';
import type { Reply } from '../../src/api/reply.ts';
import { createCsr } from '../../src/pki/csr.ts';
import { generateKey } from '../../src/pki/keys.ts';
import { until } from '../rig/wait.ts';

export function got<T>(reply: Reply<T, AcmeProblem>): T {
  if (!reply.ok) throw new Error(`the CA failed us: ${JSON.stringify(reply.problem)}`);
  return reply.value;
}

export function problemOf<T>(reply: Reply<T, AcmeProblem>): AcmeProblem {
  if (reply.ok) throw new Error(`no problem, but ${JSON.stringify(reply.value)}`);
  return reply.problem;
}

export function accountKey(): Promise<KeyObject> {
  return generateKey({ algorithm: 'ECDSA', size: 256 });
}

export async function newSession(endpoint: AcmeEndpoint, key?: KeyObject): Promise<AcmeSession> {
  const mine = key ?? (await accountKey());
  const account = await patiently(() => register({ endpoint, key: mine }));
  return { endpoint, key: mine, accountUrl: account.url };
}

export function placeOrder(session: AcmeSession, ...names: readonly string[]): Promise<Answer<AcmeOrder>> {
  return patiently(() => newOrder(session, { identifiers: names.map((value) => ({ type: 'dns', value })) }));
}

/** Proves every name of the order and waits until the CA has seen the proofs. */
export async function prove(session: AcmeSession, order: AcmeOrder, answers: Map<string, string>): Promise<void> {
  const thumbprint = await session.endpoint.thumbprint(session.key);
  for (const url of order.authorizations) {
    const opened = await patiently(() => authorization(session, url));
    const challenge = opened.resource.challenges.find((each) => each.type === 'http-01');
    if (challenge?.token === undefined) throw new Error('no HTTP-01 challenge');
    answers.set(challenge.token, `${challenge.token}.${thumbprint}`);
    await patiently(() => answer(session, challenge.url));
    await until('the authorization to be valid', async () => {
      const { status } = (await patiently(() => authorization(session, url))).resource;
      if (status === 'invalid') throw new Error('the CA calls the authorization invalid');
      return status === 'valid';
    });
  }
}

/** A chain for the names, from a fresh key. */
export async function issue(session: AcmeSession, names: readonly string[], answers: Map<string, string>) {
  const placed = await placeOrder(session, ...names);
  await prove(session, placed.resource, answers);
  const key = await accountKey();
  const csr = await createCsr({ key, names: { dnsNames: names, ipAddresses: [], uris: [], emailAddresses: [] } });
  await patiently(() => finalize(session, placed.resource, csr));
  const certificateUrl = await until('the order to be valid', async () => {
    const { status, certificate } = (await patiently(() => readOrder(session, placed.url))).resource;
    return status === 'valid' && certificate;
  });
  return {
    key,
    order: placed.url,
    certificateUrl,
    ...(await patiently(() => download(session, certificateUrl))).resource,
  };
}

/** As the order machine does: an unavailable CA is asked again, everything else is an answer. */
async function patiently<T>(step: () => Promise<Reply<T, AcmeProblem>>): Promise<T> {
  return until('the CA to be available', async () => {
    const reply = await step();
    return reply.ok || reply.problem.kind !== 'unavailable' ? { value: got(reply) } : undefined;
  }).then(({ value }) => value);
}
