// The certificates between Envoy Gateway and its proxies: made, kept, renewed under the same CA, and moved to a new CA in two steps. Keys and
// certificates are real; the handshakes are OpenSSL's.

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:tls';
import { describe, expect, it } from 'vitest';
import type { Secret } from '../../src/api/core.ts';
import {
  certificatesDigest,
  leafLife,
  learnedAfter,
  planCertificates,
  webhookAuthority,
} from '../../src/infra/certgen.ts';
import { readCertificate, splitPem } from '../../src/pki/certificate.ts';
import { makeCertificates } from '../../src/provision/certgen.ts';
import { day, hmac, leaves, ofChart, type Secrets, systemNamespace } from './certgen-chart.ts';

const start = Date.parse('2026-11-21T12:00:00Z');

/** One turn: what is planned is made, and stands. */
async function turn(secrets: Secrets, now: number) {
  const seen = { systemNamespace, secrets };
  const plan = planCertificates(seen, now);
  const made = await makeCertificates(plan, seen, 'uid', now);
  if (!made.ok) throw new Error(made.problem.message);
  const written = made.value.map(({ object }) => object as unknown as Secret);
  const next = new Map([...secrets, ...written.map((secret) => [secret.metadata.name, secret] as const)]);
  const did = plan.actions.map((each) => ('secret' in each ? `${each.kind} ${each.secret}` : each.kind));
  return { next, did, plan, made: made.value };
}

const text = (secrets: Secrets, name: string, key: string) =>
  Buffer.from(secrets.get(name)?.data?.[key] ?? '', 'base64').toString();

function factsOf(secrets: Secrets, name: string) {
  const facts = readCertificate(text(secrets, name, 'tls.crt'));
  if (!facts.ok) throw new Error(facts.problem.message);
  return facts.value;
}

/** Whether a proxy that trusts `ca` accepts the controller, asking for the name that Envoy Gateway's proxies ask for. */
async function handshake(secrets: Secrets, ca: string, servername = 'envoy-gateway'): Promise<string> {
  await using server = createServer({
    key: text(secrets, 'envoy-gateway', 'tls.key'),
    cert: text(secrets, 'envoy-gateway', 'tls.crt'),
    ca: text(secrets, 'envoy-gateway', 'ca.crt'),
    minVersion: 'TLSv1.3',
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const socket = connect({ port, host: '127.0.0.1', ca, servername, minVersion: 'TLSv1.3' });
  const answer = await Promise.race([
    once(socket, 'secureConnect').then(() => 'good'),
    once(socket, 'error').then(([error]) => String(error.code)),
  ]).catch((error) => String(error.code));
  socket.destroy();
  return answer;
}

describe('where nothing stands', () => {
  it('everything is made in one turn, and left alone after it', async () => {
    const { next, did, made } = await turn(new Map(), start);
    expect(did).toEqual(['makeAuthority', ...leaves.map((name) => `issue ${name}`), 'makeHmac']);
    expect(made.map(({ object }) => object.metadata.name)).toEqual([
      'certway-envoy-gateway-ca',
      ...leaves,
      'envoy-oidc-hmac',
    ]);
    const again = planCertificates({ systemNamespace, secrets: next }, start + 1000);
    expect(again).toMatchObject({ actions: [], refusals: [] });
    expect(again.revisitAt).toBeGreaterThan(start);
  });

  it('the controller proves its name to a proxy that has the CA alone', async () => {
    const now = Date.now();
    const { next } = await turn(new Map(), now);
    const ca = text(next, 'envoy', 'ca.crt');
    expect(await handshake(next, ca)).toBe('good');
    expect(await handshake(next, ca, `envoy-gateway.${systemNamespace}.svc.cluster.local`)).toBe('good');
    expect(await handshake(next, ca, 'elsewhere')).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
    expect(webhookAuthority({ systemNamespace, secrets: next })).toBe(ca);
  });

  it('the CA’s key stands in one Secret only', async () => {
    const { next } = await turn(new Map(), start);
    const keys = [...next.values()].flatMap(({ metadata, data }) =>
      data?.['tls.key'] ? [[metadata.name, data['tls.key']]] : [],
    );
    expect(new Set(keys.map(([, key]) => key)).size).toBe(keys.length);
    expect(keys.map(([name]) => name)).toEqual(['certway-envoy-gateway-ca', ...leaves]);
  });
});

describe('what stands and serves', () => {
  it('is not written, the chart’s neither', async () => {
    const secrets = await ofChart(start, 5 * 365 * day);
    expect(planCertificates({ systemNamespace, secrets }, start).actions).toEqual([]);
  });

  it('of the last secret lost, the others stay', async () => {
    const { next } = await turn(new Map(), start);
    const without = new Map([...next].filter(([name]) => name !== 'envoy-rate-limit'));
    expect((await turn(without, start + day)).did).toEqual(['issue envoy-rate-limit']);
  });

  it('of cert-manager is not ours to renew', async () => {
    const chart = await ofChart(start, 90 * day);
    const secrets = new Map(
      [...chart].map(([name, secret]) => {
        const annotations = { 'cert-manager.io/certificate-name': name };
        return [name, { ...secret, metadata: { ...secret.metadata, annotations } }];
      }),
    );
    expect(planCertificates({ systemNamespace, secrets }, start + 80 * day).actions).toEqual([]);
  });
});

describe('renewal', () => {
  it('happens 90 days before the end, under the same CA', async () => {
    const { next } = await turn(new Map(), start);
    const ca = text(next, 'envoy', 'ca.crt');
    const early = planCertificates({ systemNamespace, secrets: next }, start + leafLife - 91 * day);
    expect(early.actions).toEqual([]);
    const later = start + leafLife - 89 * day;
    expect(early.revisitAt).toBeLessThanOrEqual(later);
    const renewed = await turn(next, later);
    expect(renewed.did).toEqual(leaves.map((name) => `issue ${name}`));
    for (const name of leaves) {
      expect(text(renewed.next, name, 'ca.crt')).toBe(ca);
      expect(factsOf(renewed.next, name).notAfter).toBeGreaterThan(later + leafLife - day);
    }
    expect(certificatesDigest({ systemNamespace, secrets: renewed.next })).not.toBe(
      certificatesDigest({ systemNamespace, secrets: next }),
    );
  });

  it('of the chart’s moves to a CA of ours in two steps, each of which both sides can follow', async () => {
    const moving = Date.now() - 10 * 60_000;
    const due = moving - learnedAfter - 60_000;
    const chart = await ofChart(due - 1765 * day, 5 * 365 * day);
    const old = text(chart, 'envoy', 'ca.crt');
    const told = await turn(chart, due);
    expect(told.did).toEqual(['makeAuthority', ...leaves.map((name) => `trust ${name}`)]);
    const both = text(told.next, 'envoy', 'ca.crt');
    expect(splitPem(both)).toHaveLength(2);
    for (const name of leaves) expect(text(told.next, name, 'tls.crt')).toBe(text(chart, name, 'tls.crt'));
    expect(await handshake(told.next, old)).toBe('good');
    expect(await handshake(told.next, both)).toBe('good');

    const halfWay = await turn(told.next, due + learnedAfter / 2);
    expect(halfWay.did).toEqual([]);
    expect(halfWay.plan.revisitAt).toBeLessThanOrEqual(moving);
    const moved = await turn(told.next, moving);
    expect(moved.did).toEqual(leaves.map((name) => `issue ${name}`));
    expect(text(moved.next, 'envoy', 'ca.crt')).toBe(both);
    expect(await handshake(moved.next, both)).toBe('good');
    expect(await handshake(moved.next, old)).not.toBe('good');
  });

  it('drops a CA that has ended from what is trusted', async () => {
    const chart = await ofChart(start, 100 * day);
    const told = await turn(chart, start + 90 * day);
    const moved = await turn(told.next, start + 95 * day);
    const later = await turn(moved.next, start + 90 * day + leafLife - 10 * day);
    expect(later.did).toEqual(leaves.map((name) => `issue ${name}`));
    expect(splitPem(text(later.next, 'envoy', 'ca.crt'))).toHaveLength(1);
  });

  it('makes a new CA when ours cannot outlive one more certificate', async () => {
    let secrets: Secrets = new Map();
    let now = start;
    const authorities = new Set<string>();
    for (let renewals = 0; renewals < 14; renewals += 1) {
      const made = await turn(secrets, now);
      const settled = await turn(made.next, now + learnedAfter + 60_000);
      secrets = settled.next;
      authorities.add(text(secrets, 'certway-envoy-gateway-ca', 'tls.crt'));
      for (const name of leaves) expect(factsOf(secrets, name).notAfter).toBeGreaterThan(now + leafLife - 2 * day);
      now += leafLife - 80 * day;
    }
    expect(authorities.size).toBe(2);
  });
});

describe('what cannot be used', () => {
  it.each([
    ['has ended', (_: Secret): Secret => _, 6 * 365 * day],
    [
      'has another key',
      (secret: Secret): Secret => ({ ...secret, data: { ...secret.data, 'tls.key': secret.data?.['tls.crt'] ?? '' } }),
      0,
    ],
    ['has no CA beside it', (secret: Secret): Secret => ({ ...secret, data: { ...secret.data, 'ca.crt': '' } }), 0],
    ['is empty', (secret: Secret): Secret => ({ ...secret, data: {} }), 0],
  ])('because it %s is made anew at once', async (_, spoil, after) => {
    const chart = await ofChart(start, 5 * 365 * day);
    const secrets = new Map([...chart].map(([name, each]) => [name, name === 'envoy-gateway' ? spoil(each) : each]));
    expect((await turn(secrets, start + after)).did).toContain('issue envoy-gateway');
  });

  it('because of its type is told, for a type cannot be changed', async () => {
    const chart = await ofChart(start, 5 * 365 * day);
    const opaque = { ...hmac, metadata: { name: 'envoy', namespace: systemNamespace } };
    const plan = planCertificates({ systemNamespace, secrets: new Map([...chart, ['envoy', opaque]]) }, start);
    expect(plan.actions).toEqual([]);
    expect(plan.refusals).toMatchObject([
      { step: 'Certificates', object: 'Secret envoy-gateway-system/envoy', reason: 'SecretTypeWrong' },
    ]);
  });
});
