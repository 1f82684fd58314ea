// What the certificate half makes of the infrastructure half's word, on a real API server and with the controller's own rights: the contract is data,
// so the status of the GatewayInfra is written by hand here. In a world of its own, since there is one such object in a cluster.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { httpRoutes, orders } from '../../src/api/resources.ts';
import { controllerUser, openAudit, type Write } from '../rig/audit.ts';
import { type Controller, startController } from '../rig/controller.ts';
import { type Kubectl, kubectlFor } from '../rig/kubectl.ts';
import { startAcmeFault } from '../rig/proxy/acme-fault.ts';
import { forward } from '../rig/proxy/verdict.ts';
import { until } from '../rig/wait.ts';
import { startWorld, type World } from '../rig/world.ts';
import { acmeIssuer, caIssuer, listenerSet, makeTeam, type Team } from '../world/team.ts';
import { classes, gatewayOf, type InfraByHand, infraByHand, moved, moving } from './infra-halves-scene.ts';

const root = join(import.meta.dirname, '../..');
const program = join(root, 'bin/certway');
const ecdsa = { 'cert-manager.io/private-key-algorithm': 'ECDSA' };
const crd = 'gatewayinfras.certway.dev';

let world: World;
let controller: Controller;
let admin: Kubectl;
let infra: InfraByHand;
/** Of whom infra says nothing, until a test does. */
let team: Team;
let audit: ReturnType<typeof openAudit>;

beforeAll(async () => {
  world = await startWorld({ pebbleEnv: { PEBBLE_AUTHZREUSE: '0' } });
  admin = kubectlFor(world);
  infra = infraByHand(admin);
  audit = openAudit(world.auditLog);
  await admin.apply(classes);
  await admin.run(['delete', 'crd', crd]);
  controller = await startController(world);
  team = await opened('team');
});
afterAll(async () => {
  await controller?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

/** A namespace with a CA, an ACME account and a Gateway of infra's class; nothing is granted where infra is to do that. */
async function opened(stem: string, rights: 'granted' | 'none' = 'granted'): Promise<Team> {
  const made = await makeTeam(world, stem, { rights });
  const { namespace } = made;
  await made.kubectl.apply([
    ...caIssuer(namespace),
    acmeIssuer(namespace, world.acme),
    gatewayOf(namespace, 'certway'),
  ]);
  if (rights === 'granted')
    await Promise.all([made.issuerSays('ca', 'True', /./), made.issuerSays('acme', 'True', /./)]);
  return made;
}

const hostOf = ({ namespace }: Team, name: string) => `${name}.${namespace}.example.com`;

function ask(of: Team, name: string, issuer: 'ca' | 'acme' | 'slow', parent = 'parent'): Promise<string> {
  const annotations = { 'cert-manager.io/issuer': issuer, ...ecdsa };
  return of.kubectl.apply([
    listenerSet(of.namespace, { name, hostname: hostOf(of, name), parent: { name: parent }, annotations }),
  ]);
}

async function writesIn({ namespace }: Team, since: number, resource?: RegExp): Promise<readonly Write[]> {
  const all = await audit.writes();
  return all.filter(
    (each) =>
      each.user === controllerUser &&
      each.namespace === namespace &&
      each.at >= since &&
      (resource?.test(each.resource) ?? true),
  );
}

async function logLines(words: string): Promise<readonly string[]> {
  return (await readFile(controller.logFile, 'utf8')).split('\n').filter((line) => line.includes(words));
}

async function watchState(): Promise<string | undefined> {
  const page = await (await fetch(controller.metricsUrl)).text();
  return page.match(/certway_watch_state\{kind="GatewayInfra",state="([a-z]+)"\} 1/)?.[1];
}

const issuingOf = async (of: Team, name: string) =>
  (await of.certificate(name))?.status?.conditions?.find(({ type }) => type === 'Issuing');

const calm = (of: Team, name: string) =>
  until(`${name} to say nothing more`, async () => (await issuingOf(of, name)) === undefined, { deadlineMs: 30_000 });

describe('without the kind', () => {
  it('there is one line in the log and a metric, and everything is as it was', async () => {
    expect((await logLines('"kind":"GatewayInfra"')).filter((line) => line.includes('is not served'))).toHaveLength(1);
    expect(await watchState()).toBe('absent');
    await ask(team, 'before', 'ca');
    await ask(team, 'before-acme', 'acme');
    await Promise.all(['before-tls', 'before-acme-tls'].map((name) => team.ready(name)));
    expect((await fetch(`${controller.healthUrl}/readyz`)).status).toBe(200);
  });

  it('it counts as soon as it comes', async () => {
    await admin.run(['apply', '--server-side', '-f', join(root, 'crds/gatewayinfras.yaml')]);
    await until('the watch', async () => (await watchState()) === 'watching', { deadlineMs: 60_000 });
    await infra.create({ namespaces: { [team.namespace]: 'Provisioned' } });
    await ask(team, 'after', 'ca');
    await team.ready('after-tls');
  });
});

describe('a namespace that infra prepares', () => {
  it('gets no Secret before it is Provisioned, and says what it waits for; another one does not wait', async () => {
    await using fresh = await opened('fresh', 'none');
    await using bystander = await makeTeam(world, 'beside');
    await infra.say({ namespaces: { [fresh.namespace]: 'Pending' } });
    const since = Date.now();
    // The rights are there before the word: the word counts.
    await fresh.grant();
    await ask(fresh, 'web', 'ca');
    const said = await fresh.says('web-tls', 'Issuing', /^InfraNotReady: /);
    expect(said).toMatchObject({ status: 'True', message: expect.stringContaining(`"${fresh.namespace}"`) });
    // A Gateway of another controller beside ours, where infra lists nothing.
    await bystander.kubectl.apply([...caIssuer(bystander.namespace), gatewayOf(bystander.namespace, 'other')]);
    await ask(bystander, 'web', 'ca');
    await bystander.ready('web-tls');
    expect(await writesIn(fresh, since, /^secrets$/)).toEqual([]);
    await infra.say({ namespaces: { [fresh.namespace]: 'Provisioned' } });
    await fresh.ready('web-tls');
    await Promise.all([fresh.issuerSays('acme', 'True', /./), calm(fresh, 'web-tls')]);
    await ask(fresh, 'acme', 'acme');
    await fresh.ready('acme-tls');
  });

  it('that is not listed goes by the first answer: a 403 is a state, a grant its end', async () => {
    await using unlisted = await opened('unlisted', 'none');
    await ask(unlisted, 'web', 'ca');
    await unlisted.says('web-tls', 'Issuing', /^Forbidden: .*certway grant/);
    await unlisted.grant();
    await unlisted.ready('web-tls');
  });
});

describe('a namespace that drains', () => {
  it('pauses, keeps its Secrets, loses its routes, is acknowledged once, and goes on when it is provisioned again', async () => {
    await using leaving = await opened('leaving');
    const { namespace } = leaving;
    await ask(leaving, 'web', 'ca');
    await leaving.ready('web-tls');
    // Its name leads nowhere, so its route stands.
    await fetch(`${world.dns.controlUrl}/${hostOf(leaving, 'stuck')}`, { method: 'PUT', body: '["127.0.0.9"]' });
    await ask(leaving, 'stuck', 'acme');
    await until('a challenge route', async () => (await leaving.all(httpRoutes)).length === 1, { deadlineMs: 30_000 });
    const before = await leaving.secret('web-tls');
    const since = Date.now();
    await infra.say({ namespaces: { [namespace]: 'Draining' } });
    await infra.acknowledged(namespace);
    expect(await leaving.all(httpRoutes)).toEqual([]);
    for (const name of ['web-tls', 'stuck-tls']) {
      expect(await leaving.says(name, 'Issuing', /^NamespaceDraining: /)).toMatchObject({ status: 'False' });
    }
    // Neither a new listener nor a person brings anything about.
    await ask(leaving, 'new', 'ca');
    await leaving.told('new', /^NamespaceDraining: /);
    const status = {
      conditions: [{ type: 'Issuing', status: 'True', reason: 'ManuallyTriggered', message: 'by hand' }],
    };
    await admin.run([
      ...['patch', 'certificates.cert-manager.io', 'web-tls', '-n', namespace, '--subresource=status'],
      ...['--type=merge', '-p', JSON.stringify({ status })],
    ]);
    await leaving.says('web-tls', 'Issuing', /^NamespaceDraining: /);
    expect(await leaving.certificate('new-tls')).toBeUndefined();
    expect(await writesIn(leaving, since, /^secrets$/)).toEqual([]);
    expect((await leaving.secret('web-tls'))?.metadata.resourceVersion).toBe(before?.metadata.resourceVersion);
    // Infra writes its status again and again: nothing is to be said a second time.
    const acks = async () =>
      (await audit.writes()).filter((each) => each.user === controllerUser && each.resource === 'gatewayinfras');
    const [counted, quietSince] = [(await acks()).length, Date.now()];
    for (const reason of ['One', 'Two', 'Three']) {
      const conditions = [{ type: 'Progressing', status: 'True', reason } as const];
      await infra.say({ namespaces: { [namespace]: 'Draining' }, conditions });
    }
    await ask(team, 'meanwhile', 'ca');
    await team.ready('meanwhile-tls');
    expect([(await acks()).length, await writesIn(leaving, quietSince)]).toEqual([counted, []]);
    await fetch(`${world.dns.controlUrl}/${hostOf(leaving, 'stuck')}`, { method: 'DELETE' });
    await infra.say({ namespaces: { [namespace]: 'Provisioned' } });
    await Promise.all(['stuck-tls', 'new-tls', 'web-tls'].map((name) => leaving.ready(name)));
    await infra.acknowledged();
    expect((await leaving.certificate('web-tls'))?.status?.revision).toBe(1);
  });

  it('is acknowledged by the next leader too, which finds all of it in the cluster', async () => {
    await using first = await opened('first');
    await using second = await opened('second');
    await infra.say({ namespaces: { [first.namespace]: 'Draining', [second.namespace]: 'Provisioned' } });
    await infra.acknowledged(first.namespace);
    await controller.kill('SIGKILL');
    await infra.say({ namespaces: { [first.namespace]: 'Draining', [second.namespace]: 'Draining' } });
    const since = Date.now();
    controller = await startController(world);
    await infra.acknowledged(first.namespace, second.namespace);
    expect(await writesIn(second, since, /^secrets$/)).toEqual([]);
    await infra.say({ namespaces: {} });
    await infra.acknowledged();
  });

  it('may not be acknowledged by anything else of the object: its spec is not the controller’s', async () => {
    const mine = kubectlFor({ ...world, kubeconfig: await world.controllerKubeconfig() });
    const patch = (body: object) =>
      mine.run(['patch', 'gatewayinfra', 'default', '--type=merge', '-p', JSON.stringify(body)]);
    await expect(patch({ spec: { namespaceResources: { additionalNamespaces: ['a'] } } })).rejects.toThrow(
      /nothing of a GatewayInfra's spec/,
    );
    await expect(patch({ metadata: { annotations: { other: 'x' } } })).rejects.toThrow(/drained-namespaces alone/);
    await expect(patch({ metadata: { finalizers: [], labels: { a: 'b' } } })).rejects.toThrow(
      /neither labels nor finalizers/,
    );
    await patch({ metadata: { annotations: { 'certway.dev/drained-namespaces': '' } } });
  });
});

describe('a reserved namespace', () => {
  it('gets nothing through infra’s Gateways, and is told so; another controller’s Gateway there gets its certificate', async () => {
    await using kept = await opened('kept');
    const { namespace } = kept;
    await ask(kept, 'early', 'ca');
    await kept.ready('early-tls');
    await infra.say({ namespaces: { [namespace]: 'Reserved' } });
    await kept.kubectl.apply([gatewayOf(namespace, 'other', 'beside')]);
    await ask(kept, 'late', 'ca');
    await ask(kept, 'theirs', 'ca', 'beside');
    const event = await kept.told('late', /^NamespaceReserved: /);
    expect(event).toMatchObject({ type: 'Warning', message: expect.stringContaining('spec.reservedNamespaces') });
    await kept.ready('theirs-tls');
    expect(await kept.certificate('late-tls')).toBeUndefined();
    expect(await kept.says('early-tls', 'Issuing', /^NamespaceReserved: /)).toMatchObject({ status: 'False' });
    expect(await kept.secret('early-tls')).toBeDefined();
    const told = await execa(program, ['status', 'listenerset', 'late', '-n', namespace], {
      env: { KUBECONFIG: world.kubeconfig },
      reject: false,
    });
    expect(told.exitCode).toBe(1);
    expect(told.stdout).toMatch(/The platform owner can fix this: namespace ".*" is reserved by the platform/i);
    await infra.say({ namespaces: {} });
    await Promise.all([kept.ready('late-tls'), calm(kept, 'early-tls')]);
  });
});

describe('a move of the Gateways', () => {
  it('holds new orders that would be proven through them, and nothing else', async () => {
    await using mover = await opened('mover');
    await mover.kubectl.apply([gatewayOf(mover.namespace, 'other', 'beside')]);
    await infra.say({ conditions: [moving] });
    await ask(mover, 'held', 'acme');
    await ask(mover, 'local', 'ca');
    await ask(mover, 'theirs', 'acme', 'beside');
    const said = await mover.says('held-tls', 'Issuing', /^InfraNotReady: .*being moved/);
    expect(said.status).toBe('True');
    await Promise.all(['local-tls', 'theirs-tls'].map((name) => mover.ready(name)));
    expect((await mover.all(orders)).filter(({ metadata }) => metadata.name.startsWith('held'))).toEqual([]);
    const answer = await execa(program, ['check'], { env: { KUBECONFIG: world.kubeconfig }, reject: false });
    expect(answer.stdout).toMatch(/GatewayInfra default.*the Gateways are being moved/i);
    await infra.say({ conditions: [moved] });
    await mover.ready('held-tls');
  });

  it('keeps a challenge that is under way, and takes it up again when it is over', async () => {
    await using mover = await opened('midway');
    const dns = `${world.dns.controlUrl}/${hostOf(mover, 'mid')}`;
    await fetch(dns, { method: 'PUT', body: '["127.0.0.9"]' });
    await ask(mover, 'mid', 'acme');
    await mover.says('mid-tls', 'Issuing', /^SelfCheckFailed: /);
    const [order] = await mover.all(orders);
    await infra.say({ conditions: [moving] });
    await fetch(dns, { method: 'DELETE' });
    // A data plane speaks, or an address changes: the order looks again at once, and finds the move.
    await admin.run([
      ...[
        'patch',
        'gateways.gateway.networking.k8s.io',
        'parent',
        '-n',
        mover.namespace,
        '--subresource=status',
        '--type=merge',
      ],
      ...['-p', JSON.stringify({ status: { addresses: [{ type: 'IPAddress', value: '127.0.0.1' }] } })],
    ]);
    await mover.says('mid-tls', 'Issuing', /^InfraNotReady: .*being moved/);
    expect((await mover.all(orders)).map(({ metadata }) => metadata.uid)).toEqual([order?.metadata.uid]);
    // The end of the move may come while nobody leads.
    await until(
      'the Order to tell its wait',
      async () =>
        (await mover.all(orders))[0]?.metadata.annotations?.['certway.dev/state']?.includes('InfraNotReady') === true,
      { deadlineMs: 30_000 },
    );
    await controller.kill('SIGKILL');
    await infra.say({ conditions: [moved] });
    controller = await startController(world);
    await mover.ready('mid-tls', 90_000);
    expect((await mover.certificate('mid-tls'))?.status?.failedIssuanceAttempts).toBeUndefined();
  });
});

describe('a Gateway that gets another address', () => {
  it('after the path had answered, and before the CA was told, has it looked at anew: no validation is spent', async () => {
    await using roaming = await opened('roaming');
    const { namespace, kubectl } = roaming;
    const [reached, release] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    await using ca = await startAcmeFault(world.acme, async ({ edge }) => {
      if (edge === 'newOrder') {
        reached.resolve();
        await release.promise;
      }
      return forward;
    });
    const answered = () => ca.proxy.passed.filter(({ edge }) => edge === 'challenge').length;
    const dns = `${world.dns.controlUrl}/${hostOf(roaming, 'roam')}`;
    const moveTo = async (address: string) => {
      await fetch(dns, { method: 'PUT', body: JSON.stringify([address]) });
      const status = { addresses: [{ type: 'IPAddress', value: address }] };
      await admin.run([
        ...['patch', 'gateways.gateway.networking.k8s.io', 'parent', '-n', namespace, '--subresource=status'],
        ...['--type=merge', '-p', JSON.stringify({ status })],
      ]);
    };
    await moveTo('127.0.0.1');
    await kubectl.apply([acmeIssuer(namespace, ca, 'slow')]);
    await roaming.issuerSays('slow', 'True', /./);
    await ask(roaming, 'roam', 'slow');
    await reached.promise;
    await moveTo('127.0.0.9');
    // By the time that another listener is served, the Gateway's change has been heard of.
    await ask(roaming, 'other', 'ca');
    await roaming.ready('other-tls');
    release.resolve();
    await roaming.says('roam-tls', 'Issuing', /^SelfCheckFailed: /);
    expect(answered()).toBe(0);
    await moveTo('127.0.0.1');
    await roaming.ready('roam-tls');
    expect(answered()).toBe(1);
    expect((await roaming.certificate('roam-tls'))?.status?.failedIssuanceAttempts).toBeUndefined();
  });
});

describe('infra itself', () => {
  it('is degraded, or says that CRDs are not ready: certificates go on, and it is told', async () => {
    const message = 'Envoy Gateway 1.8.0 is below 1.9.0.';
    await infra.say({
      conditions: [
        { type: 'Degraded', status: 'True', reason: 'BelowFloor', message },
        { type: 'CRDsReady', status: 'False', reason: 'UnknownManagement', message: 'Nobody says whose they are.' },
      ],
    });
    await ask(team, 'degraded', 'acme');
    await team.ready('degraded-tls');
    expect(await logLines('the infrastructure is degraded')).toHaveLength(1);
    const { stdout, exitCode } = await execa(program, ['check'], {
      env: { KUBECONFIG: world.kubeconfig },
      reject: false,
    });
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(
      /Degraded, BelowFloor: Envoy Gateway 1\.8\.0 is below 1\.9\.0; CRDsReady is False, UnknownManagement/,
    );
  });

  it('goes, and leaves Certificates and Secrets as they are', async () => {
    await infra.say({ namespaces: { [team.namespace]: 'Provisioned' } });
    const traces = async () =>
      (
        await Promise.all(
          ['before-tls', 'after-tls'].map(async (name) => [await team.certificate(name), await team.secret(name)]),
        )
      ).map((pair) => pair.map((each) => each?.metadata.resourceVersion));
    const before = await traces();
    await admin.run(['delete', 'gatewayinfra', 'default']);
    await until('the log to say it', async () => (await logLines('InfraAbsent')).length === 1);
    await ask(team, 'alone', 'ca');
    await team.ready('alone-tls');
    expect(await traces()).toEqual(before);
    const { stdout } = await execa(program, ['check'], { env: { KUBECONFIG: world.kubeconfig }, reject: false });
    expect(stdout).toMatch(/GatewayInfra default.*InfraAbsent/);
  });
});
