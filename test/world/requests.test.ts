// CertificateRequests that nobody's Certificate stands behind, as CSI drivers, istio-csr and people make them: signed by our issuers of every type, or
// told why not. Requests for other groups are left alone.

import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CertificateRequest } from '../../src/api/certmanager.ts';
import { annotations } from '../../src/api/names.ts';
import { certificateRequests, httpRoutes, orders } from '../../src/api/resources.ts';
import { createCsr, derToPem } from '../../src/pki/csr.ts';
import { generateKey, keyToPem } from '../../src/pki/keys.ts';
import { conditionOf } from '../../src/plan/conditions.ts';
import { type SharedWorld, sharedWorld } from '../rig/shared-world.ts';
import { until } from '../rig/wait.ts';
import { acmeIssuer, caIssuer, gateway, makeTeam, type Team } from './team.ts';

let world: SharedWorld;
let team: Team;

beforeAll(async () => {
  world = await sharedWorld();
  team = await makeTeam(world, 'requests');
  const objects = [...caIssuer(team.namespace), acmeIssuer(team.namespace, world.acme), gateway(team.namespace)];
  await team.kubectl.apply(objects);
});
afterAll(async () => {
  await team?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

const key = await generateKey({ algorithm: 'ECDSA' });

async function request(
  name: string,
  issuer: string,
  change: { host?: string; noted?: Record<string, string>; group?: string } = {},
): Promise<CertificateRequest> {
  const { host = `${name}.${team.namespace}.example.com`, noted, group } = change;
  const names = { dnsNames: [host], ipAddresses: [], uris: [], emailAddresses: [] };
  const csr = derToPem('CERTIFICATE REQUEST', await createCsr({ key, names }));
  return {
    apiVersion: 'cert-manager.io/v1',
    kind: 'CertificateRequest',
    metadata: { name, namespace: team.namespace, ...(noted !== undefined && { annotations: noted }) },
    spec: {
      issuerRef: { name: issuer, kind: 'Issuer', ...(group !== undefined && { group }) },
      request: Buffer.from(csr).toString('base64'),
    },
  };
}

async function find(name: string): Promise<CertificateRequest | undefined> {
  return (await team.all(certificateRequests)).find((each) => each.metadata.name === name);
}

function says(name: string, reason: string, words: RegExp): Promise<CertificateRequest> {
  return until(
    `CertificateRequest ${name} to be ${reason} and say ${words}`,
    async () => {
      const found = await find(name);
      const ready = conditionOf(found?.status?.conditions, 'Ready');
      if (ready?.reason === reason && words.test(ready.message ?? '')) return found;
      throw new Error(JSON.stringify(found?.status ?? 'no status'));
    },
    { deadlineMs: 30_000 },
  );
}

function leaf(issued: CertificateRequest): X509Certificate {
  return new X509Certificate(Buffer.from(issued.status?.certificate ?? '', 'base64'));
}

describe('a request that somebody made by hand', () => {
  it('is approved, signed by a CA issuer, and carries the CA', async () => {
    await team.kubectl.apply([await request('by-ca', 'ca')]);
    const issued = await says('by-ca', 'Issued', /./);
    expect(conditionOf(issued.status?.conditions, 'Approved')).toMatchObject({
      status: 'True',
      reason: 'cert-manager.io',
    });
    expect(leaf(issued).checkHost(`by-ca.${team.namespace}.example.com`)).toBeDefined();
    expect(issued.status?.ca).toBeDefined();
  });

  it('is proven over HTTP-01 and leaves no route', async () => {
    const noted = { [annotations.parentRefKind]: 'Gateway', [annotations.parentRefName]: 'parent' };
    await team.kubectl.apply([await request('by-acme', 'acme', { noted })]);
    const issued = await says('by-acme', 'Issued', /./);
    expect(leaf(issued).checkHost(`by-acme.${team.namespace}.example.com`)).toBeDefined();
    const mine = (await team.all(orders)).filter(({ metadata }) => metadata.ownerReferences?.[0]?.name === 'by-acme');
    expect(mine.map(({ status }) => status?.state)).toEqual(['valid']);
    expect(await team.all(httpRoutes)).toEqual([]);
  });

  it('is signed with its own key by a SelfSigned issuer, once that is there', async () => {
    const noted = { [annotations.privateKeySecretName]: 'own-key' };
    await team.kubectl.apply([await request('by-self', 'selfsigned', { noted })]);
    await says('by-self', 'Pending', /Secret "[^"]+\/own-key" with the request's private key does not exist/);
    const metadata = { name: 'own-key', namespace: team.namespace };
    await team.kubectl.apply([
      { apiVersion: 'v1', kind: 'Secret', metadata, ...{ stringData: { 'tls.key': keyToPem(key, 'PKCS8') } } },
    ]);
    const issued = await says('by-self', 'Issued', /./);
    expect(leaf(issued).checkPrivateKey(key)).toBe(true);
  });

  it('is refused with the key of another', async () => {
    const other = await generateKey({ algorithm: 'ECDSA' });
    const metadata = { name: 'other-key', namespace: team.namespace };
    const noted = { [annotations.privateKeySecretName]: 'other-key' };
    await team.kubectl.apply([
      { apiVersion: 'v1', kind: 'Secret', metadata, ...{ stringData: { 'tls.key': keyToPem(other, 'PKCS8') } } },
      await request('wrong-key', 'selfsigned', { noted }),
    ]);
    await says('wrong-key', 'Failed', /does not belong to the request/);
  });

  it('waits for its issuer, and says so', async () => {
    await team.kubectl.apply([await request('too-early', 'late')]);
    await says('too-early', 'Pending', /Issuer "late" does not exist/);
    await team.kubectl.apply([
      {
        apiVersion: 'cert-manager.io/v1',
        kind: 'Issuer',
        metadata: { name: 'late', namespace: team.namespace },
        ...{ spec: { selfSigned: {} } },
      },
    ]);
    await says('too-early', 'Pending', /annotation cert-manager.io\/private-key-secret-name/);
  });

  it('fails with a CSR that is none', async () => {
    const garbage = '-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----\n';
    const broken = await request('broken', 'ca');
    await team.kubectl.apply([
      { ...broken, spec: { ...broken.spec, request: Buffer.from(garbage).toString('base64') } } as CertificateRequest,
    ]);
    await says('broken', 'Failed', /./);
  });

  it('is left alone when it is for another group', async () => {
    await team.kubectl.apply([await request('foreign', 'theirs', { group: 'example.com' })]);
    await team.kubectl.apply([await request('witness', 'ca')]);
    await says('witness', 'Issued', /./);
    expect(conditionOf((await find('foreign'))?.status?.conditions, 'Ready')).toBeUndefined();
  });
});
