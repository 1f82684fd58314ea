// The rights of Envoy Gateway are those that it uses: it is refused nothing that it asks for, and a rule taken away is missed by name.

import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../test/rig/wait.ts';
import { gatewayAccount, infraAccount, refusedTo } from '../audit.ts';
import { answered, kubectl, programmed } from '../scene.ts';
import { applyInfra, applyTeam, teamB } from '../teams.ts';

const roles = join(import.meta.dirname, '../../deploy/infra/envoy-gateway-roles.yaml');
const patience = { deadlineMs: 120_000 };

interface Role {
  readonly rules: readonly { readonly resources?: readonly string[] }[];
}

interface Pods {
  readonly items: readonly {
    readonly metadata: { readonly name: string };
    readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
  }[];
}

describe('the rights of Envoy Gateway', () => {
  let address = '';
  beforeAll(async () => {
    await applyInfra();
    await applyTeam(teamB);
    address = await programmed('team-b', teamB.gateway, 120_000);
    await answered(address, teamB.port, teamB.host, '/example', 200);
  });
  afterEach(async () => {
    await kubectl.run(['apply', '--server-side', '--force-conflicts', '-f', roles]);
  });

  it('suffice: neither it nor infra is refused anything', async () => {
    expect(await refusedTo(gatewayAccount)).toEqual([]);
    expect(await refusedTo(infraAccount)).toEqual([]);
  });

  it('are missed: without tokenreviews no new proxy gets its configuration', async () => {
    const since = await without('certway-gateway-tokenreview', 'tokenreviews');
    await kubectl.run(['delete', 'pods', '-n', 'team-b', '-l', 'app.kubernetes.io/component=proxy', '--wait=false']);
    await until(
      'a refusal',
      async () => (await refusedTo(gatewayAccount, since)).includes('create tokenreviews'),
      patience,
    );
    const fresh = await until('the new Pod', () => youngProxy(), patience);
    expect(fresh.status.conditions).not.toContainEqual(expect.objectContaining({ type: 'Ready', status: 'True' }));
    await kubectl.run(['apply', '--server-side', '--force-conflicts', '-f', roles]);
    await answered(address, teamB.port, teamB.host, '/example', 200);
  });

  it('are missed: without httproutes/status no route is told that it is accepted', async () => {
    const since = await without('certway-gateway-read', 'httproutes/status');
    const rules = [{ backendRefs: [{ name: 'team-b-backend', port: 3000 }] }];
    const spec = { parentRefs: [{ name: teamB.gateway }], hostnames: ['late.team-b.com'], rules };
    const metadata = { name: 'late', namespace: 'team-b' };
    await kubectl.apply([{ apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', metadata, spec }]);
    const refusal = 'update httproutes/status team-b';
    await until('a refusal', async () => (await refusedTo(gatewayAccount, since)).includes(refusal), patience);
    const route = await kubectl.get<{ readonly status?: { readonly parents?: readonly object[] } }>(
      'httproute',
      'late',
      '-n',
      'team-b',
    );
    expect(route.status?.parents ?? []).toEqual([]);
    await kubectl.run(['delete', 'httproute', 'late', '-n', 'team-b']);
  });
});

/** Takes the resource out of the static role; answers when, epoch ms. */
async function without(role: string, resource: string): Promise<number> {
  const { rules } = await kubectl.get<Role>('clusterrole', role);
  const fewer = rules
    .map((rule) => ({ ...rule, resources: rule.resources?.filter((one) => one !== resource) ?? [] }))
    .filter(({ resources }) => resources.length > 0);
  expect(fewer).not.toEqual(rules);
  const since = Date.now();
  await kubectl.run(['patch', 'clusterrole', role, '--type=merge', '-p', JSON.stringify({ rules: fewer })]);
  return since;
}

async function youngProxy(): Promise<Pods['items'][number] | undefined> {
  const label = 'app.kubernetes.io/component=proxy';
  const { items } = await kubectl.get<Pods>(
    'pods',
    '-n',
    'team-b',
    '-l',
    label,
    '--sort-by=.metadata.creationTimestamp',
  );
  return items.at(-1);
}
