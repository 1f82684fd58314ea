// --disable-auto-approval: nothing is signed, and no order is made, before somebody else has approved; what is denied fails and is told.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CertificateRequest } from '../../src/api/certmanager.ts';
import type { Condition } from '../../src/api/meta.ts';
import { certificateRequests, orders, secrets } from '../../src/api/resources.ts';
import { kubeClient } from '../../src/kube/client.ts';
import { openSession } from '../../src/kube/session.ts';
import { conditionOf } from '../../src/plan/conditions.ts';
import { type Controller, startController } from '../rig/controller.ts';
import { until } from '../rig/wait.ts';
import { startWorld, type World } from '../rig/world.ts';
import { acmeIssuer, caIssuer, gateway, listenerSet, makeTeam, type Team } from '../world/team.ts';

let world: World;
let controller: Controller;
let team: Team;

beforeAll(async () => {
  world = await startWorld();
  controller = await startController(world, { flags: ['--disable-auto-approval'] });
  team = await makeTeam(world, 'approval');
  const issuers = [...caIssuer(team.namespace), acmeIssuer(team.namespace, world.acme), gateway(team.namespace)];
  await team.kubectl.apply(issuers);
  // The root is signed on a request of its own.
  await judge(await requested('ca-root'), 'Approved');
});
afterAll(async () => {
  await team?.[Symbol.asyncDispose]();
  await controller?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

function requested(certificate: string): Promise<CertificateRequest> {
  return until(`a CertificateRequest of ${certificate}`, async () => {
    const all = await team.all(certificateRequests);
    const found = all.find(
      ({ metadata }) => metadata.annotations?.['cert-manager.io/certificate-name'] === certificate,
    );
    if (found === undefined) throw new Error(`only ${all.map(({ metadata }) => metadata.name).join(', ')}`);
    return found;
  });
}

/** As `cmctl approve` and `cmctl deny` write it. */
async function judge(request: CertificateRequest, type: 'Approved' | 'Denied'): Promise<void> {
  await using session = await openSession({ kubeconfig: world.kubeconfig, environment: {}, userAgent: 'approver' });
  const verdict: Condition = { type, status: 'True', reason: 'test', message: 'said by the test' };
  const conditions = [
    ...(request.status?.conditions ?? []),
    { ...verdict, lastTransitionTime: '2026-11-21T00:00:00Z' },
  ];
  const reply = await kubeClient(session).replaceStatus(certificateRequests, {
    ...request,
    status: { ...request.status, conditions },
  });
  if (!reply.ok) throw new Error(reply.problem.message);
}

function set(name: string, issuer: string) {
  const annotations = { 'cert-manager.io/issuer': issuer };
  return listenerSet(team.namespace, { name, hostname: `${name}.${team.namespace}.example.com`, annotations });
}

describe('with --disable-auto-approval', () => {
  it.each(['ca', 'acme'])('a certificate of the %s issuer waits for the approval, then is issued', async (issuer) => {
    await team.kubectl.apply([set(`by-${issuer}`, issuer)]);
    await team.says(`by-${issuer}-tls`, 'Issuing', /AwaitingApproval|waits for somebody to approve it/);
    const request = await requested(`by-${issuer}-tls`);
    expect(request.status?.certificate).toBeUndefined();
    const mine = ({ metadata }: { metadata: { ownerReferences?: readonly { name: string }[] } }) =>
      metadata.ownerReferences?.[0]?.name === request.metadata.name;
    expect((await team.all(orders)).filter(mine)).toEqual([]);
    expect((await team.all(secrets)).some(({ metadata }) => metadata.name === `by-${issuer}-tls`)).toBe(false);
    await judge(request, 'Approved');
    await team.ready(`by-${issuer}-tls`);
  });

  it('a denied request fails, and the Certificate says whose word it was', async () => {
    await team.kubectl.apply([set('denied', 'ca')]);
    const request = await requested('denied-tls');
    await judge(request, 'Denied');
    await team.says('denied-tls', 'Issuing', /said by the test/);
    const after = await requested('denied-tls');
    expect(conditionOf(after.status?.conditions, 'Ready')).toMatchObject({ status: 'False', reason: 'Denied' });
    expect(after.status?.certificate).toBeUndefined();
  });
});
