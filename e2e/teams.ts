// The tenants of the walk-through in Envoy Gateway's documentation: a namespace for each team with a backend, a Gateway and a route, under the
// class `eg` of the GatewayInfra. Called by the stories; applied again they change nothing.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from '../test/rig/wait.ts';
import { kubectl } from './scene.ts';

export interface Team {
  readonly namespace: string;
  readonly gateway: string;
  readonly port: number;
  readonly host: string;
}

export const teamA: Team = { namespace: 'team-a', gateway: 'gateway-a', port: 8080, host: 'www.team-a.com' };
export const teamB: Team = { namespace: 'team-b', gateway: 'gateway-b', port: 8081, host: 'www.team-b.com' };

/** Comes when the others are served. */
export const teamC: Team = { namespace: 'team-c', gateway: 'gateway-c', port: 8082, host: 'www.team-c.com' };

const infraMs = 120_000;

interface Infra {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

/** `kubectl apply` of the GatewayInfra; resolves when it is Available. */
export async function applyInfra(): Promise<void> {
  await kubectl.apply(await readFile(join(import.meta.dirname, 'manifests/infra.yaml'), 'utf8'));
  const available = async () => {
    const { status } = await kubectl.get<Infra>('gatewayinfra', 'default');
    if (status?.conditions?.some(({ type, status: is }) => type === 'Available' && is === 'True') === true) return true;
    throw new Error(JSON.stringify(status));
  };
  await until('the GatewayInfra to be Available', available, { deadlineMs: infraMs });
}

/** `kubectl apply` of a team's objects. */
export async function applyTeam(team: Team): Promise<void> {
  await kubectl.apply(objectsOf(team));
}

function objectsOf({ namespace, gateway, port, host }: Team): readonly object[] {
  const name = `${namespace}-backend`;
  const metadata = { name, namespace };
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: { ports: [{ name: 'http', port: 3000 }], selector: { app: name } },
    },
    { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: backend(name) },
    {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'Gateway',
      metadata: { name: gateway, namespace },
      spec: { gatewayClassName: 'eg', listeners: [{ name: 'http', protocol: 'HTTP', port }] },
    },
    {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'HTTPRoute',
      metadata: { name: `${namespace}-route`, namespace },
      spec: {
        parentRefs: [{ name: gateway }],
        hostnames: [host],
        rules: [
          { matches: [{ path: { type: 'PathPrefix', value: '/example' } }], backendRefs: [{ name, port: 3000 }] },
        ],
      },
    },
  ];
}

function backend(app: string): object {
  const env = [
    { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
    { name: 'NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } },
  ];
  const container = {
    name: app,
    image: 'registry.k8s.io/gateway-api/echo-basic:v1.5.1',
    env,
    ports: [{ containerPort: 3000 }],
  };
  const probed = { ...container, readinessProbe: { tcpSocket: { port: 3000 } } };
  return {
    replicas: 1,
    selector: { matchLabels: { app } },
    template: { metadata: { labels: { app } }, spec: { serviceAccountName: app, containers: [probed] } },
  };
}
