// A DNS webhook behind the real API server: an aggregated API on loopback that cert-manager's users would install, called with the controller's
// own ServiceAccount.

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import type { DnsProblem } from '../../src/dns/problem.ts';
import type { DnsProvider, TxtRecord } from '../../src/dns/provider.ts';
import { webhookProvider } from '../../src/dns/webhook.ts';
import { openSession, type Session } from '../../src/kube/session.ts';
import { createAuthority } from '../rig/certificates.ts';
import { type SharedWorld, sharedWorld } from '../rig/shared-world.ts';
import { until } from '../rig/wait.ts';
import { makeTeam, type Team } from './team.ts';

const group = `acme.dns-${randomBytes(3).toString('hex')}.example.com`;
const solver = { groupName: group, solverName: 'ours', config: { zone: 'example.com', secretRef: { name: 'token' } } };
const record: TxtRecord = {
  dnsName: 'www.example.com',
  fqdn: '_acme-challenge.www.example.com.',
  zone: 'example.com.',
  value: 'proof',
  ttl: 60,
};
const never = new AbortController().signal;

let world: SharedWorld;
let team: Team;
let webhook: Webhook;
let session: Session;
let admin: Session;

beforeAll(async () => {
  world = await sharedWorld();
  team = await makeTeam(world, 'dns-webhook', { rights: 'none' });
  webhook = await startWebhook(world.dir);
  await team.kubectl.apply(registration(team.namespace, webhook.port));
  const open = (kubeconfig: string) => openSession({ kubeconfig, environment: {} });
  [session, admin] = await Promise.all([open(inject('controllerKubeconfig')), open(world.kubeconfig)]);
  await until('the aggregated API to be available', async () => {
    const found = await admin.request({ method: 'GET', path: `/apis/${group}/v1alpha1` });
    return found.ok;
  });
});
afterAll(async () => {
  await team?.kubectl.run(['delete', 'apiservice', `v1alpha1.${group}`]);
  await team?.kubectl.run(['delete', 'clusterrole,clusterrolebinding', '--ignore-not-found', group]);
  for (const each of [session, admin, webhook, team, world]) await each?.[Symbol.asyncDispose]();
});
beforeEach(() => {
  webhook.payloads.length = 0;
  webhook.respond = ({ uid }) => ({ status: 201, response: { uid, success: true } });
});

function provider(by: Session, change: Partial<typeof solver> = {}): DnsProvider {
  return webhookProvider({
    session: by,
    solver: { ...solver, ...change },
    resourceNamespace: team.namespace,
    ambientCredentials: 'forbidden',
    now: Date.now,
  });
}

async function problemOf(by: Session, change: Partial<typeof solver> = {}): Promise<DnsProblem> {
  const reply = await provider(by, change).present(record, never);
  if (reply.ok) throw new Error('no problem');
  return reply.problem;
}

describe('a webhook', () => {
  it('that our ServiceAccount may not call is refused, with the remedy; bound, it is called', async () => {
    expect(await problemOf(session)).toEqual({
      kind: 'refused',
      message: expect.stringMatching(
        new RegExp(`may not be called: .*; bind a ClusterRole that may create ours in the API group ${group}`),
      ),
    });
    await team.kubectl.apply(rights());
    await until('the right to count', async () => (await provider(session).present(record, never)).ok);
    expect(await provider(session).cleanUp(record, undefined, never)).toEqual({ ok: true, value: undefined });
    const last = webhook.payloads.at(-1);
    expect(last).toEqual({
      apiVersion: 'webhook.acme.cert-manager.io/v1alpha1',
      kind: 'ChallengePayload',
      request: {
        uid: expect.stringMatching(/^[0-9a-f-]{36}$/),
        action: 'CleanUp',
        type: 'dns-01',
        dnsName: 'www.example.com',
        key: 'proof',
        resourceNamespace: team.namespace,
        resolvedFQDN: '_acme-challenge.www.example.com.',
        resolvedZone: 'example.com.',
        allowAmbientCredentials: false,
        config: { zone: 'example.com', secretRef: { name: 'token' } },
      },
    });
    expect(webhook.payloads[0]?.request?.action).toBe('Present');
  });

  it.each([
    [
      'cannot reach its provider',
      { code: 500, message: 'dial tcp: timeout, request id: 4f-11' },
      'unavailable',
      /ours failed: dial tcp: timeout\.$/,
    ],
    ['has wrong credentials', { code: 403, message: 'bad token' }, 'refused', /ours failed: bad token\.$/],
    ['is asked too often', { code: 429, message: 'slow down' }, 'rateLimited', /slow down\.$/],
    ['does not say why', {}, 'unavailable', /it does not say why\.$/],
  ])('that %s tells it in our words', async (_, status, kind, sentence) => {
    webhook.respond = ({ uid }) => ({ status: 201, response: { uid, success: false, status } });
    expect(await problemOf(admin)).toMatchObject({ kind, message: expect.stringMatching(sentence) });
  });

  it.each([
    ['without a response', undefined, /answers without a response/],
    ['with a success that is none', { success: 'yes' }, /answers without a response/],
    ['to another request', { uid: 'other', success: true }, /answers another request/],
  ])('that answers %s is not believed', async (_, response, sentence) => {
    webhook.respond = () => ({ status: 200, response });
    expect(await problemOf(admin)).toMatchObject({ kind: 'unavailable', message: expect.stringMatching(sentence) });
  });

  it('that leaves the uid out is believed, as by cert-manager', async () => {
    webhook.respond = () => ({ status: 200, response: { success: true } });
    expect((await provider(admin).present(record, never)).ok).toBe(true);
  });

  it('that fails by itself is asked again later', async () => {
    webhook.respond = () => ({ status: 503, response: undefined });
    expect(await problemOf(admin)).toMatchObject({ kind: 'unavailable' });
  });

  it('that nobody installed is named', async () => {
    expect(await problemOf(admin, { groupName: 'acme.nobody.example.com' })).toEqual({
      kind: 'misconfigured',
      message:
        'The cluster has no API acme.nobody.example.com/v1alpha1 with ours: install the webhook, or correct webhook.groupName and webhook.solverName.',
    });
    expect(await problemOf(admin, { solverName: 'theirs' })).toMatchObject({ kind: 'misconfigured' });
  });
});

interface Payload {
  readonly request?: { readonly uid?: string; readonly action?: string };
}

interface Webhook extends AsyncDisposable {
  readonly port: number;
  readonly payloads: Payload[];
  respond: (request: { readonly uid: string }) => { readonly status: number; readonly response: unknown };
}

/** As the webhook library of cert-manager serves it: discovery, and one resource that takes POSTs. */
async function startWebhook(dir: string): Promise<Webhook> {
  const files = await (await createAuthority(dir)).server('webhook');
  const [cert, key] = await Promise.all([readFile(files.certificate), readFile(files.key)]);
  const webhook: Omit<Webhook, 'port' | typeof Symbol.asyncDispose> = {
    payloads: [],
    respond: () => ({ status: 500, response: undefined }),
  };
  const resource = { name: 'ours', singularName: '', namespaced: false, kind: 'ChallengePayload', verbs: ['create'] };
  const discovery = {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: `${group}/v1alpha1`,
    resources: [resource],
  };
  const server: Server = createServer({ cert, key }, (request, reply) => {
    void text(request).then((body) => {
      const json = (status: number, content: unknown) =>
        reply.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(content));
      if (request.method === 'GET') return json(request.url === `/apis/${group}/v1alpha1` ? 200 : 404, discovery);
      if (request.url !== `/apis/${group}/v1alpha1/ours`)
        return json(404, { kind: 'Status', message: 'no such solver' });
      const payload: Payload = JSON.parse(body);
      webhook.payloads.push(payload);
      const { status, response } = webhook.respond({ uid: payload.request?.uid ?? '' });
      return json(status, { apiVersion: 'webhook.acme.cert-manager.io/v1alpha1', kind: 'ChallengePayload', response });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the webhook has no port');
  return Object.assign(webhook, {
    port: address.port,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  });
}

function registration(namespace: string, port: number): readonly object[] {
  return [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'webhook', namespace },
      spec: { type: 'ExternalName', externalName: 'localhost', ports: [{ port }] },
    },
    {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: `v1alpha1.${group}` },
      spec: {
        group,
        version: 'v1alpha1',
        groupPriorityMinimum: 1000,
        versionPriority: 15,
        insecureSkipTLSVerify: true,
        service: { name: 'webhook', namespace, port },
      },
    },
  ];
}

/** What the documentation of webhooks has people write, for our ServiceAccount. */
function rights(): readonly object[] {
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: group };
  const subjects = [{ kind: 'ServiceAccount', name: 'certway-controller', namespace: 'certway-system' }];
  const of = (kind: string, content: object) => ({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind,
    metadata: { name: group },
    ...content,
  });
  return [
    of('ClusterRole', { rules: [{ apiGroups: [group], resources: ['ours'], verbs: ['create'] }] }),
    of('ClusterRoleBinding', { roleRef, subjects }),
  ];
}
