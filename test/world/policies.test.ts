// The policies of deploy/ with the controller at work under them: what it asks for and approves passes as its own, and what somebody else asks
// for bears that name. The attacks are in test/worlds/policies.test.ts, where no controller approves what they try.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CertificateRequest } from '../../src/api/certmanager.ts';
import { certificateRequests } from '../../src/api/resources.ts';
import { conditionOf } from '../../src/plan/conditions.ts';
import { controllerUser } from '../rig/audit.ts';
import { type SharedWorld, sharedWorld } from '../rig/shared-world.ts';
import { until } from '../rig/wait.ts';
import { actingAs, boundTo } from './acting.ts';
import { caIssuer, makeTeam, type Team } from './team.ts';

interface Stamped extends CertificateRequest {
  readonly spec: CertificateRequest['spec'] & { readonly username?: string; readonly groups?: readonly string[] };
}

let world: SharedWorld;
let team: Team;

beforeAll(async () => {
  world = await sharedWorld();
  team = await makeTeam(world, 'policies');
});
afterAll(async () => {
  await team?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

async function requestFor(name: string): Promise<Stamped | undefined> {
  const all: readonly Stamped[] = await team.all(certificateRequests);
  return all.find(({ metadata }) => metadata.name === name);
}

describe('a request', () => {
  it('of the controller is stamped with its ServiceAccount, approved and signed', async () => {
    await team.kubectl.apply(caIssuer(team.namespace));
    await team.ready('ca-root');
    const request = await requestFor('ca-root-1');
    expect(request?.spec.username).toBe(controllerUser);
    expect(request?.spec.groups).toContain('system:serviceaccounts:certway-system');
    expect(conditionOf(request?.status?.conditions, 'Approved')?.status).toBe('True');
  });

  it('of a developer, for an issuer of others, bears the name of the developer and waits for those others', async () => {
    const name = 'by-hand';
    const developer = `${team.namespace}-dev`;
    await team.kubectl.apply([boundTo(developer, 'edit', team.namespace)]);
    const issuerRef = { name: 'some', kind: 'Signer', group: 'signers.example.test' };
    const csr = Buffer.from('-----BEGIN CERTIFICATE REQUEST-----').toString('base64');
    const manifest = JSON.stringify({
      apiVersion: 'cert-manager.io/v1',
      kind: 'CertificateRequest',
      metadata: { name, namespace: team.namespace },
      spec: { request: csr, issuerRef, username: 'somebody-else' },
    });
    const create = () => actingAs(team.kubectl, developer).run(['create', '-f', '-'], manifest);
    await until('the right of the developer to be known', create);
    expect((await requestFor(name))?.spec).toMatchObject({ username: developer, groups: ['system:authenticated'] });
    const approval = actingAs(team.kubectl, controllerUser).get<Stamped>('cr', name, '-n', team.namespace);
    expect(conditionOf((await approval).status?.conditions, 'Approved')).toBeUndefined();
  });
});
