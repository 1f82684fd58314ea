// The main job of seed 003 as its user sees it: annotated sets of both kinds, a Gateway's default and a Gateway's own listener get their
// certificates, each from the issuer that precedence picks, and what is left behind reads like cert-manager's.

import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Secret } from '../../src/api/core.ts';
import type { KubeObject } from '../../src/api/meta.ts';
import {
  certificateRequests,
  clusterIssuers,
  httpRoutes,
  orders,
  secrets,
  xListenerSets,
} from '../../src/api/resources.ts';
import { conditionOf } from '../../src/plan/conditions.ts';
import { verifyChain } from '../rig/demo/chain.ts';
import { openClient } from '../rig/demo/client.ts';
import { readExample } from '../rig/demo/example.ts';
import { get } from '../rig/https.ts';
import { type SharedWorld, sharedWorld } from '../rig/shared-world.ts';
import { until } from '../rig/wait.ts';
import { caIssuer, gateway, httpsListener, makeTeam, type Team } from './team.ts';

const system = 'certway-system';
const ecdsa = { 'cert-manager.io/private-key-algorithm': 'ECDSA' };

let world: SharedWorld;
let team: Team;

beforeAll(async () => {
  world = await sharedWorld();
  team = await makeTeam(world, 'main');
});
afterAll(async () => {
  await team?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

/** examples/listenersets.yaml with names of its own for what is cluster-wide, so that worlds can be shared. */
async function exampleFor(namespace: string): Promise<readonly KubeObject[]> {
  const text = JSON.stringify(await readExample(world.acme))
    .replaceAll(/\b(self-signed|ca-root|ca-issuer|letsencrypt-prod)\b/g, `$1-${namespace}`)
    .replaceAll(/\b(foo|bar|baz|qux)\.com\b/g, `$1.${namespace}.example.com`)
    .replaceAll('"namespace":"default"', `"namespace":"${namespace}"`);
  const objects: KubeObject[] = JSON.parse(text);
  return objects;
}

async function inSystem(name: string): Promise<Secret | undefined> {
  await using client = await openClient(world.kubeconfig, 1);
  return (await client.list(secrets, system)).find((each) => each.metadata.name === name);
}

const text = (secret: Secret | undefined, key: string) => Buffer.from(secret?.data?.[key] ?? '', 'base64').toString();

async function expectVerified(secretName: string, host: string, root: X509Certificate): Promise<void> {
  const secret = await team.secret(secretName);
  const stored = { chainPem: text(secret, 'tls.crt'), keyPem: text(secret, 'tls.key') };
  expect(verifyChain(stored, host, [root], Date.now())).toMatchObject({ kind: 'verified' });
}

async function rootOfPebble(): Promise<X509Certificate> {
  return new X509Certificate((await get(`${world.acme.management}/roots/0`, world.acme)).body);
}

describe('the example of the README', () => {
  const names = ['foo', 'bar', 'baz', 'qux'] as const;
  const host = (name: string) => `${name}.${team.namespace}.example.com`;
  const acme = () => `letsencrypt-prod-${team.namespace}`;

  beforeAll(async () => {
    await team.kubectl.apply(await exampleFor(team.namespace));
    await Promise.all(names.map((name) => team.ready(`${name}-tls`, 60_000)));
  });
  afterAll(async () => {
    const { namespace, kubectl } = team;
    const issuers = ['self-signed', 'ca-issuer', 'letsencrypt-prod'].map(
      (name) => `clusterissuer/${name}-${namespace}`,
    );
    await kubectl.run(['delete', ...issuers]);
    await kubectl.run(['delete', `certificate/ca-root-${namespace}`, '-n', system]);
    await kubectl.run(['delete', `secret/ca-root-${namespace}`, `secret/${acme()}-account`, '-n', system]);
  });

  it('issues by the CA to the set that names it', async () => {
    const root = new X509Certificate(text(await inSystem(`ca-root-${team.namespace}`), 'tls.crt'));
    await expectVerified('foo-tls', host('foo'), root);
    expect(text(await team.secret('foo-tls'), 'ca.crt')).toContain('BEGIN CERTIFICATE');
  });

  it.each([
    ['the set that names it', 'bar'],
    ['the XListenerSet that inherits it', 'baz'],
    ['the ListenerSet that inherits it', 'qux'],
  ])('issues by ACME to %s', async (_, name) => {
    await expectVerified(`${name}-tls`, host(name), await rootOfPebble());
  });

  it('writes the Secret as cert-manager does', async () => {
    const secret = await team.secret('baz-tls');
    expect(secret?.type).toBe('kubernetes.io/tls');
    expect(Object.keys(secret?.data ?? {}).sort()).toEqual(['tls.crt', 'tls.key']);
    expect(secret?.metadata.labels).toEqual({ 'controller.cert-manager.io/fao': 'true' });
    expect(secret?.metadata.annotations).toEqual({
      'cert-manager.io/certificate-name': 'baz-tls',
      'cert-manager.io/issuer-name': acme(),
      'cert-manager.io/issuer-kind': 'ClusterIssuer',
      'cert-manager.io/issuer-group': 'cert-manager.io',
      'cert-manager.io/common-name': '',
      'cert-manager.io/alt-names': host('baz'),
      'cert-manager.io/ip-sans': '',
      'cert-manager.io/uri-sans': '',
    });
    expect(secret?.metadata.ownerReferences).toBeUndefined();
  });

  it('makes a Certificate that the set owns, and says so where the set is described', async () => {
    const [set] = (await team.all(xListenerSets)).filter((each) => each.metadata.name === 'baz');
    const certificate = await team.certificate('baz-tls');
    expect(certificate?.metadata.ownerReferences).toEqual([
      {
        apiVersion: 'gateway.networking.x-k8s.io/v1alpha1',
        kind: 'XListenerSet',
        name: 'baz',
        uid: set?.metadata.uid,
        controller: true,
        blockOwnerDeletion: true,
      },
    ]);
    expect(certificate?.spec).toMatchObject({
      secretName: 'baz-tls',
      dnsNames: [host('baz')],
      issuerRef: { name: acme(), kind: 'ClusterIssuer', group: 'cert-manager.io' },
      usages: ['digital signature', 'key encipherment'],
    });
    const said = await team.told('baz', /^CreateCertificate: /);
    expect(said).toMatchObject({ type: 'Normal', involvedObject: { kind: 'XListenerSet', uid: set?.metadata.uid } });
    expect(said.message).toContain('"baz-tls"');
  });

  it('tells in the status what was issued and when it is renewed', async () => {
    const { status } = (await team.certificate('bar-tls')) ?? {};
    const leaf = new X509Certificate(text(await team.secret('bar-tls'), 'tls.crt'));
    expect(Date.parse(status?.notAfter ?? '')).toBe(leaf.validToDate.getTime());
    expect(Date.parse(status?.renewalTime ?? '')).toBeLessThan(leaf.validToDate.getTime());
    expect(status?.revision).toBe(1);
    expect(conditionOf(status?.conditions, 'Issuing')).toBeUndefined();
    const requests = await team.all(certificateRequests);
    const [request] = requests.filter(({ metadata }) => metadata.name === 'bar-tls-1');
    expect(conditionOf(request?.status?.conditions, 'Approved')?.status).toBe('True');
    expect(conditionOf(request?.status?.conditions, 'Ready')).toMatchObject({ status: 'True', reason: 'Issued' });
  });

  it('leaves no route, no key of an issuance and no unfinished order', async () => {
    await until('the issuances to be tidied up', async () => {
      const keys = (await team.all(secrets)).filter(({ metadata }) => metadata.name.endsWith('-key'));
      return keys.length === 0 && (await team.all(httpRoutes)).length === 0;
    });
    expect((await team.all(orders)).map(({ status }) => status?.state)).toEqual(['valid', 'valid', 'valid']);
    const alive = names.map((name) => `${name}-tls`);
    expect((await team.all(secrets)).map(({ metadata }) => metadata.name).sort()).toEqual(alive.toSorted());
  });

  it('says in the issuers that they are ready, and registers one account', async () => {
    await using client = await openClient(world.kubeconfig, 1);
    const issuers = (await client.list(clusterIssuers)).filter(({ metadata }) =>
      metadata.name.includes(team.namespace),
    );
    expect(issuers.map((each) => conditionOf(each.status?.conditions, 'Ready')?.status)).toEqual([
      'True',
      'True',
      'True',
    ]);
    expect(issuers.find(({ metadata }) => metadata.name === acme())?.status?.acme?.uri).toContain('/my-account/');
  });

  it('deletes the Certificate of a deleted set and leaves its Secret to whoever serves it', async () => {
    await team.kubectl.run(['delete', 'xlistenerset/foo', '-n', team.namespace]);
    await until('the Certificate to be gone', async () => (await team.certificate('foo-tls')) === undefined, {
      deadlineMs: 60_000,
    });
    expect(await team.secret('foo-tls')).toBeDefined();
  });
});

describe('the listener of a Gateway', () => {
  it("takes the Gateway's annotation, beside the sets that have their own", async () => {
    await using other = await makeTeam(world, 'own');
    const host = (name: string) => `${name}.${other.namespace}.example.com`;
    const listener = httpsListener('web', host('own'), { name: 'own-tls' });
    await other.kubectl.apply([
      ...caIssuer(other.namespace),
      gateway(other.namespace, {
        annotations: { 'cert-manager.io/issuer': 'ca', ...ecdsa },
        listeners: [listener],
      }),
    ]);
    const certificate = await other.ready('own-tls');
    expect(certificate.metadata.ownerReferences).toMatchObject([{ kind: 'Gateway', name: 'parent', controller: true }]);
    expect(certificate.spec.issuerRef).toMatchObject({ kind: 'Issuer', name: 'ca' });
    const stored = await other.secret('own-tls');
    const root = new X509Certificate(text(await other.secret('ca-root'), 'tls.crt'));
    const pair = { chainPem: text(stored, 'tls.crt'), keyPem: text(stored, 'tls.key') };
    expect(verifyChain(pair, host('own'), [root], Date.now())).toMatchObject({ kind: 'verified' });
    await other.told('parent', /^CreateCertificate: /);
  });
});
