// A cluster moves from the real cert-manager to Certway and back, twice, on both sets of CustomResourceDefinitions: nothing is issued again,
// no Secret changes, and the two never issue at once. What cert-manager wrote is what test/fixtures/cert-manager holds for everyday runs.

import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Certificate, Issuer } from '../../src/api/certmanager.ts';
import type { Secret } from '../../src/api/core.ts';
import { certificates, issuers, secrets } from '../../src/api/resources.ts';
import { grantManifests } from '../../src/cli/grant.ts';
import { controllerUser, openAudit, type Write } from '../rig/audit.ts';
import { type CertManager, certManagerUser, installCertManagerCrds, startCertManager } from '../rig/cert-manager.ts';
import { type Controller, startController } from '../rig/controller.ts';
import { until } from '../rig/wait.ts';
import { startWorld, type World } from '../rig/world.ts';
import { makeTeam, type Team } from '../world/team.ts';
import { record } from './move-record.ts';
import { allNames, clusterResources, clusterScene, contested, scene } from './move-scene.ts';

const hasty = [
  '--leader-election-lease-duration=2s',
  '--leader-election-renew-deadline=1500ms',
  '--leader-election-retry-period=200ms',
];
const withShims = [
  '--enable-gateway-api',
  '--enable-gateway-api-listenerset',
  '--feature-gates=ListenerSets=true',
  `--cluster-resource-namespace=${clusterResources}`,
];
const crds = join(import.meta.dirname, '../../crds');
// The first run builds the real controller.
const longMs = 1_800_000;

let world: World;
let team: Team;
let audit: ReturnType<typeof openAudit>;
let canaries = 0;

beforeAll(async () => {
  // No Pod answers challenges here, so the CA believes whoever asks.
  world = await startWorld({ pebbleEnv: { PEBBLE_VA_ALWAYS_VALID: '1' } });
  audit = openAudit(world.auditLog);
  await installCertManagerCrds(world);
  team = await makeTeam(world, 'move');
}, longMs);
afterAll(async () => {
  await team?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

function certway(...flags: readonly string[]): Promise<Controller> {
  const same = [`--cluster-resource-namespace=${clusterResources}`, '--log-level=debug'];
  return startController(world, { flags: [...hasty, ...same, ...flags] });
}

/** Every TLS Secret: what stands in it, what it is called, who wrote it. */
async function kept(): Promise<Readonly<Record<string, unknown>>> {
  const all = (await team.all<Secret>(secrets)).filter(({ metadata }) => allNames.includes(metadata.name));
  return Object.fromEntries(
    all.map(({ metadata, type, data }) => {
      const { labels, annotations, managedFields } = metadata;
      const managers = (managedFields ?? []).map(({ manager }) => manager);
      return [metadata.name, { type, data, labels, annotations, managers }];
    }),
  );
}

async function revisions(): Promise<Readonly<Record<string, number | undefined>>> {
  const all = (await team.all<Certificate>(certificates)).filter(({ metadata }) => allNames.includes(metadata.name));
  return Object.fromEntries(all.map(({ metadata, status }) => [metadata.name, status?.revision]));
}

/** A Certificate that only its issuer's loops can make Ready: whatever stood before it in their queues has been looked at then. */
async function canary(): Promise<void> {
  canaries += 1;
  const name = `canary-${canaries}`;
  const privateKey = { algorithm: 'ECDSA' };
  const spec = {
    secretName: name,
    dnsNames: [`${name}.example.com`],
    privateKey,
    issuerRef: { name: 'ca', kind: 'Issuer' },
  };
  await team.kubectl.apply([
    { apiVersion: 'cert-manager.io/v1', kind: 'Certificate', metadata: { name, namespace: team.namespace }, spec },
  ]);
  await team.ready(name, 60_000);
}

async function quiet(controller: Controller): Promise<void> {
  await until('its queues to be empty', async () => {
    const metrics = await (await fetch(controller.metricsUrl)).text();
    const depths = [...metrics.matchAll(/^certway_queue_depth\{.*\} (\d+)$/gm)].map(([, depth]) => Number(depth));
    return depths.length > 0 && depths.every((depth) => depth === 0);
  });
}

const said = ({ verb, resource, name, code }: Write) => `${verb} ${resource} ${name} ${code}`;
const issuing = /^(secrets|certificaterequests|orders|challenges)(\/status)?$/;

/** What a user wrote since then that belongs to issuing, canaries apart; a generated name, as of their keys, is not in the log. */
async function issued(user: string, since: number): Promise<readonly string[]> {
  const writes = (await audit.writes()).filter((each) => each.user === user && each.at >= since);
  return writes
    .filter(({ resource, name }) => issuing.test(resource) && name !== '' && !name.startsWith('canary'))
    .map(said);
}

const allReady = () => Promise.all(allNames.map((name) => team.ready(name, 60_000)));

/** cert-manager reads a finished Order of ours once more, as the certificate does not stand in its status too. */
const rereading = /^update orders\/status acme-tls-2-/;

/** Runs `work` and expects that nothing was issued and nothing changed meanwhile. */
async function untouched(user: string, work: () => Promise<void>): Promise<void> {
  const [before, counted, since] = [await kept(), await revisions(), Date.now()];
  await work();
  await allReady();
  expect((await issued(user, since)).filter((each) => !(user === certManagerUser && rereading.test(each)))).toEqual([]);
  expect(await revisions()).toEqual(counted);
  expect(await kept()).toEqual(before);
}

/** As `cmctl renew` does. */
async function renew(name: string): Promise<Certificate> {
  const before = (await team.certificate(name))?.status?.revision ?? 0;
  const asked = { type: 'Issuing', status: 'True', reason: 'ManuallyTriggered', message: 'renew' };
  const ready = conditionsOf(await team.certificate(name));
  const status = { conditions: [...ready, { ...asked, lastTransitionTime: new Date().toISOString() }] };
  const patch = JSON.stringify({ status });
  const target = ['certificate', name, '-n', team.namespace];
  await team.kubectl.run(['patch', ...target, '--subresource=status', '--type=merge', '-p', patch]);
  return until(`${name} to be renewed`, async () => {
    const found = await team.ready(name);
    return (found.status?.revision ?? 0) > before ? found : undefined;
  });
}

function conditionsOf(certificate: Certificate | undefined): readonly object[] {
  return (certificate?.status?.conditions ?? []).filter(({ type }) => type !== 'Issuing');
}

async function accountUri(): Promise<string | undefined> {
  const [issuer] = (await team.all<Issuer>(issuers)).filter(({ metadata }) => metadata.name === 'acme');
  return issuer?.status?.acme?.uri;
}

const logOf = ({ logFile }: { readonly logFile: string }) => readFile(logFile, 'utf8');
const leaseHolder = async () => {
  const lease = ['lease', 'cert-manager-controller', '-n', 'kube-system'];
  return team.kubectl.run(['get', ...lease, '-o', 'jsonpath={.spec.holderIdentity}']);
};

describe('on a cluster of cert-manager', { timeout: 120_000 }, () => {
  let certManager: CertManager;
  let controller: Controller;

  it('cert-manager issues everything', async () => {
    certManager = await startCertManager(world, withShims);
    await team.kubectl.apply([...clusterScene(), ...scene(team.namespace, world.acme)]);
    await allReady();
    await record(team);
  });

  it('Certway beside it says why it does not issue, and issues nothing', async () => {
    controller = await certway();
    await untouched(controllerUser, async () => {
      await until('it to say so', async () => (await logOf(controller)).includes('"Certway does not issue"'));
      await canary();
    });
    expect(await logOf(controller)).toMatch(/is not Certway's: issuance is left to a cert-manager/);
    const listed = await team.kubectl.get<{ items: { reason: string; message: string }[] }>('events', '-n', 'default');
    const [event] = listed.items.filter(({ reason }) => reason === 'NotIssuing');
    expect(event?.message).toMatch(/label the CustomResourceDefinition .* app\.kubernetes\.io\/part-of=certway/);
    // Its canaries were cert-manager's.
    const writes = (await audit.writes()).filter(
      ({ user, name }) => user === controllerUser && name.startsWith('canary'),
    );
    expect(writes.map(said)).toEqual([]);
  });

  it('two shims at odds do not fight: Certway says so and stops writing', async () => {
    await team.kubectl.apply(contested(team.namespace));
    await team.told('contested', /^TwoShims: .*cert-manager-listenerset/, 60_000);
    const ours = async () =>
      (await audit.writes()).filter(({ user, name }) => user === controllerUser && name === 'contested').map(said);
    const before = await ours();
    // Wakes its listeners again.
    await team.kubectl.run(['label', 'certificate/contested', '-n', team.namespace, 'touched=yes']);
    await canary();
    await quiet(controller);
    expect(await ours()).toEqual(before);
    expect(before.length).toBeLessThan(20);
    await team.kubectl.run(['delete', 'listenerset/contested', '-n', team.namespace]);
  });

  it('Certway is given the rights that it needs, by what certway grant prints', async () => {
    const serviceAccount = { namespace: 'certway-system', name: 'certway-controller' };
    const printed = grantManifests([clusterResources], { serviceAccount });
    if (!printed.ok) throw new Error(printed.problem);
    await team.kubectl.apply(printed.value);
  });

  it('when cert-manager ends and the CRDs become ours, Certway adopts all of it and issues nothing', async () => {
    await certManager.kill('SIGTERM');
    await untouched(controllerUser, async () => {
      const server = ['--server-side', '--force-conflicts', '--validate=false', '--field-manager=certway-rig'];
      await team.kubectl.run(['apply', ...server, `--filename=${crds}`]);
      await until('it to issue', async () => (await logOf(controller)).includes('"Certway issues"'));
      await canary();
      await quiet(controller);
    });
    expect(await leaseHolder()).toBe('certway-system/certway-controller');
  });

  it('Certway renews one, in the same form', async () => {
    const before = await kept();
    expect((await renew('subject-tls')).status?.revision).toBe(2);
    const after = await kept();
    expect(shape(after['subject-tls'])).toEqual(shape(before['subject-tls']));
    expect(after['subject-tls']).not.toEqual(before['subject-tls']);
  });

  it('Certway renews one by ACME, with the account that cert-manager registered', async () => {
    const account = async () => (await team.secret('acme-account'))?.data;
    const before = { shape: shape((await kept())['acme-tls']), account: await account(), uri: await accountUri() };
    await renew('acme-tls');
    expect({ shape: shape((await kept())['acme-tls']), account: await account(), uri: await accountUri() }).toEqual(
      before,
    );
  });

  it('a name with several values of one part stays the name that it was', async () => {
    const subject = async () => {
      const pem = (await team.secret('manifold-tls'))?.data?.['tls.crt'] ?? '';
      return new X509Certificate(Buffer.from(pem, 'base64')).subject;
    };
    const before = { subject: await subject(), shape: shape((await kept())['manifold-tls']) };
    await renew('manifold-tls');
    expect({ subject: await subject(), shape: shape((await kept())['manifold-tls']) }).toEqual(before);
  });

  it('back: cert-manager waits for Certway to end, then takes all of it and issues nothing', async () => {
    const waiting = await startCertManager(world, withShims, 'waiting');
    await until('it to stand in line', async () => /attempting to acquire/i.test(await logOf(waiting)));
    await canary();
    expect(await leaseHolder()).toBe('certway-system/certway-controller');
    await untouched(certManagerUser, async () => {
      await controller.kill('SIGTERM');
      await waiting.leads();
      await canary();
    });
    await waiting.kill('SIGTERM');
  });

  it("there again, on cert-manager's own CRDs with --issuance=builtin: nothing is issued, and no field is unknown", async () => {
    await installCertManagerCrds(world);
    await untouched(controllerUser, async () => {
      controller = await certway('--issuance=builtin');
      await canary();
      await quiet(controller);
    });
    await renew('ecdsa-tls');
    await renew('cluster-tls');
    expect(await logOf(controller)).not.toMatch(/unknown field/);
    await controller.kill('SIGTERM');
  });

  it('and back: the renewed one is as good to cert-manager as its own', async () => {
    await untouched(certManagerUser, async () => {
      certManager = await startCertManager(world, withShims);
      await canary();
    });
    await certManager.kill('SIGTERM');
  });
});

/** What a Secret holds apart from the values that a renewal changes. */
function shape(secret: unknown): unknown {
  if (typeof secret !== 'object' || secret === null || !('data' in secret)) return secret;
  return { ...secret, data: Object.keys(secret.data ?? {}).sort() };
}
