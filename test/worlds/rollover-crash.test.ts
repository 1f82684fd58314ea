// kill -9 at each step of an account key's rollover, then a new process: the same account, one key that the CA knows, the Issuer and the Secret in step with
// it, and orders go on.

import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Issuer } from '../../src/api/certmanager.ts';
import { conditionOf } from '../../src/plan/conditions.ts';
import { type Controller, startController } from '../rig/controller.ts';
import { type AcmeFault, startAcmeFault } from '../rig/proxy/acme-fault.ts';
import { type ApiFault, kubeconfigThrough, startApiFault } from '../rig/proxy/api-fault.ts';
import { at, forward } from '../rig/proxy/verdict.ts';
import { until } from '../rig/wait.ts';
import { startWorld, type World } from '../rig/world.ts';
import { accountAtCa, accountSession, issuerNamed } from '../world/account-eyes.ts';
import { acmeIssuer, gateway, listenerSet, makeTeam, type Team } from '../world/team.ts';

const flags = [
  '--leader-election-lease-duration=1500ms',
  '--leader-election-renew-deadline=1s',
  '--leader-election-retry-period=200ms',
];
const asked = 'certway.dev/rollover-account-key';
const done = 'certway.dev/rolled-over-account-key';

let world: World;
let api: ApiFault;
let ca: AcmeFault;
let kubeconfig: string;
/** The survivor of each test is the victim of the next. */
let controller: Controller;

beforeAll(async () => {
  world = await startWorld();
  api = await startApiFault(world);
  ca = await startAcmeFault(world.acme);
  kubeconfig = await kubeconfigThrough(api, await world.controllerKubeconfig(), `${world.dir}/through.kubeconfig`);
  controller = await startController(world, { kubeconfig, flags });
});
afterAll(async () => {
  await controller?.[Symbol.asyncDispose]();
  await ca?.[Symbol.asyncDispose]();
  await api?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

interface Edge {
  readonly edge: string;
  readonly nth?: number;
  readonly when: 'killBefore' | 'killAfter';
}

const edges: readonly Edge[] = [
  { edge: 'apply secrets', when: 'killAfter' },
  { edge: 'keyChange', when: 'killBefore' },
  { edge: 'keyChange', when: 'killAfter' },
  { edge: 'newAccount', when: 'killAfter' },
  { edge: 'apply secrets', nth: 2, when: 'killBefore' },
  { edge: 'apply secrets', nth: 2, when: 'killAfter' },
  { edge: 'update issuers', when: 'killBefore' },
  { edge: 'update issuers', when: 'killAfter' },
  { edge: 'update issuers/status', when: 'killAfter' },
];

async function killedAt(team: Team, { edge, nth = 1, when }: Edge): Promise<void> {
  let killed = 0;
  const hook = async () => {
    killed += 1;
    await controller.kill('SIGKILL');
  };
  const kill = at({ edge, nth }, { kind: when, hook });
  api.follow((request) => (isAbout(team, request) ? kill(request) : forward));
  ca.proxy.follow(kill);
  try {
    await team.kubectl.run(['annotate', 'issuer/acme', '-n', team.namespace, `${asked}=one`]);
    await until(`the controller to be killed at ${edge}`, () => killed > 0, { deadlineMs: 20_000 });
    await controller.exited;
  } finally {
    api.follow(() => forward);
    ca.proxy.follow(() => forward);
  }
  controller = await startController(world, { kubeconfig, flags });
}

/** The target Secret of the order beforehand is applied too, but not of this name. */
function isAbout(team: Team, { namespace, edge, name }: { namespace?: string; edge: string; name?: string }): boolean {
  return namespace === team.namespace && (edge !== 'apply secrets' || name === 'acme-account');
}

it.each(edges.map((edge) => [`${edge.when} ${edge.edge} #${edge.nth ?? 1}`, edge] as const))(
  'a rollover survives %s',
  async (_, edge) => {
    await using team = await makeTeam(world, 'rollover-crash');
    await team.kubectl.apply([gateway(team.namespace), acmeIssuer(team.namespace, ca)]);
    await team.issuerSays('acme', 'True', /^ACMEAccountRegistered/);
    const url = (await issuerNamed(team, 'acme')).status?.acme?.uri ?? '';
    await killedAt(team, edge);
    const issuer: Issuer = await until(
      'the rollover to be done',
      async () => {
        const found = await issuerNamed(team, 'acme');
        const said = conditionOf(found.status?.conditions, 'AccountKeyRolledOver');
        return found.metadata.annotations?.[done] === 'one' && said?.status === 'True' && found;
      },
      { deadlineMs: 60_000 },
    );
    expect(issuer.status?.acme?.uri).toBe(url);
    expect(await accountAtCa(team, ca, 'acme')).toMatchObject({ ok: true, value: { url, status: 'valid' } });
    await using session = await accountSession(team, ca, 'acme');
    const thumbprint = await session.endpoint.thumbprint(session.key);
    expect(issuer.metadata.annotations?.['certway.dev/account-thumbprint']).toBe(thumbprint);
    expect(Object.keys((await team.secret('acme-account'))?.data ?? {})).toEqual(['tls.key']);
    const hostname = `${team.namespace}.example.com`;
    const annotations = { 'cert-manager.io/issuer': 'acme' };
    await team.kubectl.apply([listenerSet(team.namespace, { name: 'web', hostname, annotations })]);
    await team.ready('web-tls', 40_000);
  },
  120_000,
);
