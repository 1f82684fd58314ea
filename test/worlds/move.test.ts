// A cluster moves from the real cert-manager to Certway and back, twice, on both sets of CustomResourceDefinitions: nothing is issued again,
// no Secret changes, and the two never issue at once. What cert-manager wrote is what test/fixtures/cert-manager holds for everyday runs.

import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Issuer } from '../../src/api/certmanager.ts';
import { issuers } from '../../src/api/resources.ts';
import { grantManifests } from '../../src/cli/grant.ts';
import { controllerUser } from '../rig/audit.ts';
import { type CertManager, certManagerUser, installCertManagerCrds, startCertManager } from '../rig/cert-manager.ts';
import { type Controller, startController } from '../rig/controller.ts';
import { until } from '../rig/wait.ts';
import { startWorld, type World } from '../rig/world.ts';
import { makeTeam, type Team } from '../world/team.ts';
import { record } from './move-record.ts';
import { clusterResources, clusterScene, contested, scene } from './move-scene.ts';
import { type MoveWatch, moveWatch, shape } from './move-watch.ts';

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
let watch: MoveWatch;

beforeAll(async () => {
  // No Pod answers challenges here, so the CA believes whoever asks.
  world = await startWorld({ pebbleEnv: { PEBBLE_VA_ALWAYS_VALID: '1' } });
  await installCertManagerCrds(world);
  team = await makeTeam(world, 'move');
  watch = moveWatch(team, world.auditLog);
}, longMs);
afterAll(async () => {
  await team?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

function certway(...flags: readonly string[]): Promise<Controller> {
  const same = [`--cluster-resource-namespace=${clusterResources}`, '--log-level=debug'];
  return startController(world, { flags: [...hasty, ...same, ...flags] });
}

async function quiet(controller: Controller): Promise<void> {
  await until('its queues to be empty', async () => {
    const metrics = await (await fetch(controller.metricsUrl)).text();
    const depths = [...metrics.matchAll(/^certway_queue_depth\{.*\} (\d+)$/gm)].map(([, depth]) => Number(depth));
    return depths.length > 0 && depths.every((depth) => depth === 0);
  });
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
    await watch.allReady();
    await record(team);
  });

  it('Certway beside it says why it does not issue, and issues nothing', async () => {
    controller = await certway();
    await watch.untouched(controllerUser, async () => {
      await until('it to say so', async () => (await logOf(controller)).includes('"Certway does not issue"'));
      await watch.canary();
    });
    expect(await logOf(controller)).toMatch(/is not Certway's: issuance is left to a cert-manager/);
    const listed = await team.kubectl.get<{ items: { reason: string; message: string }[] }>('events', '-n', 'default');
    const [event] = listed.items.filter(({ reason }) => reason === 'NotIssuing');
    expect(event?.message).toMatch(/label the CustomResourceDefinition .* app\.kubernetes\.io\/part-of=certway/);
    // Its canaries were cert-manager's.
    expect(await watch.writesAbout(controllerUser, 'canary')).toEqual([]);
  });

  it('two shims at odds do not fight: Certway says so and stops writing', async () => {
    await team.kubectl.apply(contested(team.namespace));
    await team.told('contested', /^TwoShims: .*cert-manager-listenerset/, 60_000);
    const ours = () => watch.writesAbout(controllerUser, 'contested');
    const before = await ours();
    // Wakes its listeners again.
    await team.kubectl.run(['label', 'certificate/contested', '-n', team.namespace, 'touched=yes']);
    await watch.canary();
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
    await watch.untouched(controllerUser, async () => {
      const server = ['--server-side', '--force-conflicts', '--validate=false', '--field-manager=certway-rig'];
      await team.kubectl.run(['apply', ...server, `--filename=${crds}`]);
      await until('it to issue', async () => (await logOf(controller)).includes('"Certway issues"'));
      await watch.canary();
      await quiet(controller);
    });
    expect(await leaseHolder()).toBe('certway-system/certway-controller');
  });

  it('Certway renews one, in the same form', async () => {
    const before = await watch.kept();
    expect((await watch.renew('subject-tls')).status?.revision).toBe(2);
    const after = await watch.kept();
    expect(shape(after['subject-tls'])).toEqual(shape(before['subject-tls']));
    expect(after['subject-tls']).not.toEqual(before['subject-tls']);
  });

  it('Certway renews one by ACME, with the account that cert-manager registered', async () => {
    const account = async () => (await team.secret('acme-account'))?.data;
    const before = {
      shape: shape((await watch.kept())['acme-tls']),
      account: await account(),
      uri: await accountUri(),
    };
    await watch.renew('acme-tls');
    expect({
      shape: shape((await watch.kept())['acme-tls']),
      account: await account(),
      uri: await accountUri(),
    }).toEqual(before);
  });

  it('a name with several values of one part stays the name that it was', async () => {
    const subject = async () => {
      const pem = (await team.secret('manifold-tls'))?.data?.['tls.crt'] ?? '';
      return new X509Certificate(Buffer.from(pem, 'base64')).subject;
    };
    const before = { subject: await subject(), shape: shape((await watch.kept())['manifold-tls']) };
    await watch.renew('manifold-tls');
    expect({ subject: await subject(), shape: shape((await watch.kept())['manifold-tls']) }).toEqual(before);
  });

  it('back: cert-manager waits for Certway to end, then takes all of it and issues nothing', async () => {
    const waiting = await startCertManager(world, withShims, 'waiting');
    await until('it to stand in line', async () => /attempting to acquire/i.test(await logOf(waiting)));
    await watch.canary();
    expect(await leaseHolder()).toBe('certway-system/certway-controller');
    await watch.untouched(certManagerUser, async () => {
      await controller.kill('SIGTERM');
      await waiting.leads();
      await watch.canary();
    });
    await waiting.kill('SIGTERM');
  });

  it("there again, on cert-manager's own CRDs with --issuance=builtin: nothing is issued, and no field is unknown", async () => {
    await installCertManagerCrds(world);
    await watch.untouched(controllerUser, async () => {
      controller = await certway('--issuance=builtin');
      await watch.canary();
      await quiet(controller);
    });
    await watch.renew('ecdsa-tls');
    await watch.renew('cluster-tls');
    expect(await logOf(controller)).not.toMatch(/unknown field/);
    await controller.kill('SIGTERM');
  });

  it('and back: the renewed one is as good to cert-manager as its own', async () => {
    await watch.untouched(certManagerUser, async () => {
      certManager = await startCertManager(world, withShims);
      await watch.canary();
    });
    await certManager.kill('SIGTERM');
  });
});
