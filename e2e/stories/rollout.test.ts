// A namespace begins to host a Gateway and ceases again, while another team's clients never stop asking: Envoy Gateway gets the right to read that
// namespace alone, watches it, and loses both with its last Gateway. Its own restarts cost nobody a request.

import { beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../test/rig/wait.ts';
import { answered, kubectl, programmed } from '../scene.ts';
import { steady } from '../steady.ts';
import { applyInfra, applyTeam, teamA, teamC } from '../teams.ts';

const system = ['-n', 'envoy-gateway-system'];
const patience = { deadlineMs: 60_000 };

interface Rollout {
  readonly metadata: { readonly generation: number };
  readonly spec: { readonly replicas: number };
  readonly status: {
    readonly observedGeneration: number;
    readonly replicas?: number;
    readonly updatedReplicas?: number;
    readonly availableReplicas?: number;
  };
}

describe('a namespace that begins to host a Gateway', () => {
  let address = '';
  beforeAll(async () => {
    await applyInfra();
    await applyTeam(teamA);
    address = await programmed('team-a', teamA.gateway, 120_000);
    await answered(address, teamA.port, teamA.host, '/example', 200);
  });

  it('is watched from then on, and nobody else loses a request', async () => {
    await using clients = steady({ address, port: teamA.port, host: teamA.host, path: '/example' });
    await clients.served(10);
    const before = (await deployment()).metadata.generation;
    await applyTeam(teamC);
    const theirs = await programmed('team-c', teamC.gateway, 120_000);
    await answered(theirs, teamC.port, teamC.host, '/example', 200);
    expect(await watched()).toContain('team-c');
    expect(await rolledOut()).toBeGreaterThan(before);
    await clients.served(10);
    expect(clients.failures()).toEqual([]);
    expect(clients.connections()).toBe(1);
  });

  it('is forgotten with its last Gateway, and nobody else loses a request', async () => {
    await using clients = steady({ address, port: teamA.port, host: teamA.host, path: '/example' });
    await kubectl.run(['delete', 'gateway', teamC.gateway, '-n', 'team-c']);
    await until('team-c to be watched no more', async () => !(await watched()).includes('team-c'), patience);
    await until('no binding of ours to be left in team-c', unbound, patience);
    await rolledOut();
    await clients.served(10);
    expect(clients.failures()).toEqual([]);
    expect(clients.connections()).toBe(1);
  });
});

async function watched(): Promise<readonly string[]> {
  const { data } = await kubectl.get<{ readonly data: Readonly<Record<string, string>> }>(
    'configmap',
    'envoy-gateway-config',
    ...system,
  );
  return [...(data['envoy-gateway.yaml'] ?? '').matchAll(/^\s*- "?(team-\w)"?$/gm)].map(([, name = '']) => name);
}

async function unbound(): Promise<boolean> {
  const left = await kubectl.run(['get', 'rolebindings', '-n', 'team-c', '-o', 'name']);
  if (!left.includes('certway-')) return true;
  const { status } = await kubectl.get<{ readonly status?: { readonly namespaces?: unknown } }>(
    'gatewayinfra',
    'default',
  );
  throw new Error(`${left} ${JSON.stringify(status?.namespaces)}`);
}

function deployment(): Promise<Rollout> {
  return kubectl.get<Rollout>('deployment', 'envoy-gateway', ...system);
}

/** Resolves with the generation when all replicas are of it and ready, and no older one is left. */
function rolledOut(): Promise<number> {
  return until(
    'Envoy Gateway to be rolled out',
    async () => {
      const { metadata, spec, status } = await deployment();
      const counts = [status.replicas, status.updatedReplicas, status.availableReplicas];
      const settled = status.observedGeneration === metadata.generation && counts.every((one) => one === spec.replicas);
      return settled && metadata.generation;
    },
    patience,
  );
}
