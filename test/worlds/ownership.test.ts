// Who issues changes while Certway runs: holders of cert-manager's Lease come and go, the CRDs change hands, rights are missing. Alone in a
// world of its own, as every other controller there would stop too.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { KubeEvent } from '../../src/api/core.ts';
import { events } from '../../src/api/resources.ts';
import { watchOwnership } from '../../src/apply/ownership.ts';
import { openSession } from '../../src/kube/session.ts';
import { type Controller, startController } from '../rig/controller.ts';
import { openClient } from '../rig/demo/client.ts';
import { until } from '../rig/wait.ts';
import { startWorld, type World } from '../rig/world.ts';
import { caIssuer, gateway, listenerSet, makeTeam, type Team } from '../world/team.ts';

const times = { leaseMs: 2_000, renewDeadlineMs: 1_500, retryMs: 200 };
const hasty = [
  '--leader-election-lease-duration=2s',
  '--leader-election-renew-deadline=1500ms',
  '--leader-election-retry-period=200ms',
];
const us = 'certway-system/certway-controller';
const crd = 'crd/certificates.cert-manager.io';
const rbac = join(import.meta.dirname, '../../deploy/rbac.yaml');

let world: World;
let team: Team;
let controller: Controller | undefined;
let serial = 0;

beforeAll(async () => {
  world = await startWorld();
  const first = await startController(world, { flags: hasty });
  team = await makeTeam(world, 'owned');
  await team.kubectl.apply([...caIssuer(team.namespace), gateway(team.namespace)]);
  await team.ready('ca-root');
  await first.kill('SIGTERM');
  await team.kubectl.run(['create', 'namespace', 'cert-manager']);
});
afterAll(async () => {
  await team?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await release('kube-system');
  await release('cert-manager');
  await team.kubectl.run(['label', crd, '--overwrite', 'app.kubernetes.io/part-of=certway']);
});
afterEach(async () => {
  await controller?.[Symbol.asyncDispose]();
  controller = undefined;
});

async function start(...flags: readonly string[]): Promise<Controller> {
  controller = await startController(world, { flags: [...hasty, '--log-level=debug', ...flags] });
  return controller;
}

/** Somebody who holds the Lease for an hour without a renewal, as a cert-manager does for as long as it renews. */
const hold = (namespace: string, holderIdentity = 'cm-0', leaseDurationSeconds = 3_600) =>
  team.kubectl.apply(
    [
      {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { name: 'cert-manager-controller', namespace },
        spec: { holderIdentity, leaseDurationSeconds, acquireTime: '2026-01-01T00:00:00.000000Z' },
      },
    ],
    '--server-side',
    '--force-conflicts',
  );
const release = (namespace: string) =>
  team.kubectl.run(['delete', 'lease/cert-manager-controller', '-n', namespace, '--ignore-not-found']);
const holder = () =>
  team.kubectl.run([
    'get',
    'lease/cert-manager-controller',
    '-n',
    'kube-system',
    '-o',
    'jsonpath={.spec.holderIdentity}',
  ]);

/** Asks for one more certificate of a listener, and answers its name. */
async function ask(): Promise<string> {
  serial += 1;
  const name = `asked-${serial}`;
  const annotations = { 'cert-manager.io/issuer': 'ca', 'cert-manager.io/private-key-algorithm': 'ECDSA' };
  const wish = { name, hostname: `${name}.example.com`, secretName: name, annotations };
  await team.kubectl.apply([listenerSet(team.namespace, wish)]);
  return name;
}

const logged = (line: string | RegExp) =>
  until(`the log to say ${line}`, async () => {
    const log = await readFile(controller?.logFile ?? '', 'utf8');
    return typeof line === 'string' ? log.includes(`"msg":"${line}"`) : line.test(log);
  });
const leaves = (why: RegExp) => logged(new RegExp(`${why.source}.*"msg":"Certway does not issue"`));

async function eventAbout(namespace: string, reason: string): Promise<KubeEvent> {
  await using client = await openClient(world.kubeconfig, 1);
  return await until(`an event ${reason} in ${namespace}`, async () =>
    (await client.list<KubeEvent>(events, namespace)).find((each) => each.reason === reason),
  );
}

/** Its listener's Certificate is made all the same; nobody touches it further. */
async function isLeft(name: string): Promise<void> {
  const made = await until(`Certificate ${name}`, () => team.certificate(name));
  const other = await ask();
  await until(`Certificate ${other}`, () => team.certificate(other));
  expect(made.status).toBeUndefined();
  expect((await team.certificate(name))?.status).toBeUndefined();
  expect(await team.secret(name)).toBeUndefined();
}

describe('somebody else holds the Lease at the start', () => {
  it('listeners get their Certificates, nothing is issued, and the Lease is told why; its release ends that', async () => {
    await hold('kube-system');
    const { healthUrl } = await start();
    await leaves(/"cm-0/);
    const name = await ask();
    await isLeft(name);
    const event = await eventAbout('kube-system', 'NotIssuing');
    expect(event.message).toMatch(/"cm-0" holds Lease kube-system\/cert-manager-controller.*to zero/);
    expect(event.involvedObject).toMatchObject({ kind: 'Lease', name: 'cert-manager-controller' });
    // It answers challenges and makes Certificates: ready it is.
    expect((await fetch(`${healthUrl}/readyz`)).status).toBe(200);
    expect(await holder()).toBe('cm-0');
    await release('kube-system');
    await team.ready(name);
    expect(await holder()).toBe(us);
  });

  it('a holder that was killed is followed when its time has run out', async () => {
    await hold('kube-system', 'cm-killed', 3);
    await start();
    await leaves(/"cm-killed/);
    await team.ready(await ask());
  });

  it('with --issuance=external nothing is issued even when nobody holds it, and the Lease is never taken', async () => {
    await start('--issuance=external');
    await leaves(/--issuance=external/);
    await isLeft(await ask());
    await expect(holder()).rejects.toThrow(/not found/);
  });
});

describe('somebody else appears while Certway issues', () => {
  it.each([
    ['on a Lease in another namespace', 'cert-manager'],
    ['on the very Lease, by force', 'kube-system'],
  ])('%s: Certway stops, says TwoIssuers, and goes on when they are gone', async (_, namespace) => {
    await start();
    await logged('Certway issues');
    await hold(namespace, `thief-${namespace}`);
    await logged('two issuers: Certway has stopped issuing');
    const event = await eventAbout(namespace, 'TwoIssuers');
    expect(event).toMatchObject({ type: 'Warning', message: expect.stringMatching(/^"thief-.*has stopped issuing/) });
    const name = await ask();
    await isLeft(name);
    await release(namespace);
    await team.ready(name);
  });
});

describe('the CRDs change hands', () => {
  it('unlabelled, Certway lets the Lease go for whoever comes; labelled again, it issues', async () => {
    await start();
    await logged('Certway issues');
    await team.kubectl.run(['label', crd, 'app.kubernetes.io/part-of-']);
    await leaves(/is not Certway's/);
    await until('the Lease to be free', async () => (await holder()) === '');
    const name = await ask();
    await isLeft(name);
    await team.kubectl.run(['label', crd, 'app.kubernetes.io/part-of=certway']);
    await team.ready(name);
  });

  it('unlabelled, with a takeover after some quiet: only then, and a sign of life begins it anew', async () => {
    await team.kubectl.run(['label', crd, 'app.kubernetes.io/part-of-']);
    await using session = await openSession({ environment: {}, kubeconfig: world.kubeconfig });
    const ending = new AbortController();
    const modes: string[] = [];
    const began = performance.now();
    await using owner = watchOwnership({
      session,
      signal: ending.signal,
      config: {
        wish: 'auto',
        lease: { namespace: 'kube-system', name: 'cert-manager-controller' },
        takeoverAfterMs: 2_000,
      },
      lease: { enabled: true, namespace: 'elsewhere', identity: 'one', ...times },
      idle: () => Promise.resolve(),
      onChange: ({ mode }) => modes.push(mode),
      onProblem: () => undefined,
      onBug: (error) => modes.push(String(error)),
    });
    owner.lead();
    await until('it to wait', () => /takes issuance over/.test(owner.why));
    await until('some quiet', () => performance.now() - began > 1_500);
    owner.disturbed();
    await until('it to take over', () => owner.mayIssue());
    expect(performance.now() - began).toBeGreaterThan(3_400);
    expect(await holder()).toBe('elsewhere/certway-controller');
    expect([...new Set(modes)]).toEqual(['leaving', 'issuing']);
    ending.abort();
  });
});

describe('rights', () => {
  it('without the right to hold the Lease nothing is issued, and the manifest is named; given the right, it goes on', async () => {
    await team.kubectl.run(['delete', 'rolebinding/certway-controller', '-n', 'kube-system']);
    await start();
    await logged(/may not hold cert-manager's Lease.*deploy\/rbac\.yaml/);
    const name = await ask();
    await isLeft(name);
    await team.kubectl.run(['apply', '--server-side', '--force-conflicts', '-f', rbac]);
    await team.ready(name);
  });
});

describe('leaders', () => {
  it('the next leader issues at once: the Lease is Certway’s, not a replica’s', async () => {
    const slow = ['--leader-election-lease-duration=20s', '--leader-election-renew-deadline=15s'];
    const first = await start(...slow);
    await logged('Certway issues');
    await first.kill('SIGTERM');
    // A cert-manager in waiting finds no gap to slip into.
    expect(await holder()).toBe(us);
    const began = performance.now();
    await start(...slow);
    await team.ready(await ask());
    expect(performance.now() - began).toBeLessThan(15_000);
  });
});
