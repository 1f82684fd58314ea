// The move from Ingress that docs/migrate-from-ingress.md describes, on the files that it shows: what ingress2gateway prints needs only an issuer,
// the ListenerSet form too, and a Secret that served the Ingress goes on to serve. INGRESS2GATEWAY=<binary> converts afresh, and compares.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { certificateRequests, certificates } from '../../src/api/resources.ts';
import { type SharedWorld, sharedWorld } from '../rig/shared-world.ts';
import { until } from '../rig/wait.ts';
import { caIssuer, makeTeam, type Team } from './team.ts';

const examples = join(import.meta.dirname, '../../docs/examples');

let world: SharedWorld;
let team: Team;

beforeAll(async () => {
  world = await sharedWorld();
});
afterAll(() => world?.[Symbol.asyncDispose]());

async function openTeam(): Promise<Team> {
  team = await makeTeam(world, 'move');
  await team.kubectl.apply(caIssuer(team.namespace));
  await team.issuerSays('ca', 'True', /verified/);
  return team;
}

/** A file of docs/examples in the team's namespace, with the CA of the team as issuer. */
async function example(name: string): Promise<string> {
  const text = await readFile(join(examples, name), 'utf8');
  return text
    .replaceAll('namespace: default', `namespace: ${team.namespace}`)
    .replaceAll('cert-manager.io/cluster-issuer: letsencrypt-prod', 'cert-manager.io/issuer: ca');
}

const annotate = () =>
  team.kubectl.run(['annotate', 'gateway', 'nginx', '-n', team.namespace, 'cert-manager.io/issuer=ca']);

async function expectBothReady(owner: (host: string) => object): Promise<void> {
  for (const host of ['foo', 'bar']) {
    const found = await team.ready(`${host}-tls`);
    expect(found.spec.dnsNames).toEqual([`${host}.com`]);
    expect(found.metadata.ownerReferences).toMatchObject([owner(host)]);
  }
}

describe('what ingress2gateway prints', () => {
  it('is what the documentation shows, without an issuer', async () => {
    const tool = process.env.INGRESS2GATEWAY;
    const file = join(examples, 'ingress.yaml');
    const recorded = await readFile(join(examples, 'ingress2gateway.yaml'), 'utf8');
    const printed =
      tool === undefined
        ? recorded
        : (await execa(tool, ['print', '--providers', 'ingress-nginx', '--input-file', file])).stdout;
    const objects = (text: string) =>
      parseAllDocuments(text)
        .map((document) => JSON.stringify(document.toJS()))
        .sort();
    expect(objects(printed)).toEqual(objects(recorded));
    expect(recorded).not.toMatch(/^\s+cert-manager\.io/m);
  });

  it('gets both certificates once the Gateway names an issuer', async () => {
    await using _ = await openTeam();
    await team.kubectl.apply(await example('ingress2gateway.yaml'));
    await annotate();
    await expectBothReady(() => ({ kind: 'Gateway', name: 'nginx', controller: true }));
    expect((await team.events('nginx')).filter(({ type }) => type === 'Warning')).toEqual([]);
  });
});

describe('the ListenerSet form', () => {
  it('gets a certificate for each application', async () => {
    await using _ = await openTeam();
    await team.kubectl.apply(await example('from-ingress.yaml'));
    await expectBothReady((name) => ({ kind: 'ListenerSet', name, controller: true }));
  });
});

describe.each([
  ['ListenerSets', 'from-ingress.yaml', 'foo'],
  ['the Gateway', 'ingress2gateway.yaml', 'nginx'],
])('a Secret that served the Ingress, moved to %s,', (_, file, owner) => {
  it('is left alone beside the Ingress, and taken over without a new issuance when that is gone', async () => {
    await using _team = await openTeam();
    await team.kubectl.apply(await example('ingress.yaml'));
    const { uid } = (await team.kubectl.get<{ metadata: { uid: string } }>('ingress', 'foo', '-n', team.namespace))
      .metadata;
    await team.kubectl.apply([ofIngress(uid)]);
    const before = await team.ready('foo-tls');
    const secret = await team.secret('foo-tls');

    await team.kubectl.apply(await example(file));
    if (owner === 'nginx') await annotate();
    await team.told(owner, /^BadConfig: Certificate "foo-tls" exists and is made for Ingress "foo"; it is left alone/);

    await team.kubectl.run(['delete', 'ingress', 'foo', '-n', team.namespace]);
    const after = await until(
      'the Certificate of the listener',
      async () => (await team.all(certificates)).find(isSuccessorOf(before.metadata.uid)),
      { deadlineMs: 60_000 },
    );
    await team.ready('foo-tls');
    expect(after.metadata.ownerReferences).toMatchObject([{ name: owner, controller: true }]);
    expect((await team.secret('foo-tls'))?.metadata.uid).toBe(secret?.metadata.uid);
    expect((await team.secret('foo-tls'))?.data).toEqual(secret?.data);
    const requests = (await team.all(certificateRequests)).filter(({ metadata }) =>
      metadata.ownerReferences?.some((each) => each.uid === after.metadata.uid),
    );
    expect(requests).toEqual([]);
  });
});

const isSuccessorOf =
  (uid: string | undefined) =>
  ({ metadata }: { readonly metadata: { readonly name: string; readonly uid?: string } }): boolean =>
    metadata.name === 'foo-tls' && metadata.uid !== uid;

/** What cert-manager makes for the Ingress foo. */
function ofIngress(uid: string): object {
  return {
    apiVersion: 'cert-manager.io/v1',
    kind: 'Certificate',
    metadata: {
      name: 'foo-tls',
      namespace: team.namespace,
      ownerReferences: [
        {
          apiVersion: 'networking.k8s.io/v1',
          kind: 'Ingress',
          name: 'foo',
          uid,
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    spec: {
      secretName: 'foo-tls',
      dnsNames: ['foo.com'],
      issuerRef: { name: 'ca', kind: 'Issuer', group: 'cert-manager.io' },
      usages: ['digital signature', 'key encipherment'],
    },
  };
}
