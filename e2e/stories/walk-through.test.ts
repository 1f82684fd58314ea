// The walk-through of Gateway Namespace Mode in Envoy Gateway's documentation, from `kubectl apply` of a GatewayInfra on: two teams, each with a
// Gateway and a proxy of its own in its own namespace.

import { beforeAll, describe, expect, it } from 'vitest';
import { gatewayAccount } from '../audit.ts';
import { answered, curl, kubectl, programmed } from '../scene.ts';
import { applyInfra, applyTeam, teamA, teamB } from '../teams.ts';

interface Addresses {
  readonly a: string;
  readonly b: string;
}

interface Proxy {
  readonly metadata: {
    readonly name: string;
    readonly ownerReferences?: readonly { readonly kind: string; readonly name: string }[];
  };
  readonly spec: { readonly template: { readonly spec: { readonly volumes: readonly Volume[] } } };
}

interface Volume {
  readonly secret?: object;
  readonly projected?: { readonly sources: readonly { readonly serviceAccountToken?: Token }[] };
}

interface Token {
  readonly audience: string;
  readonly expirationSeconds: number;
}

interface List<T> {
  readonly items: readonly T[];
}

interface Named {
  readonly metadata: { readonly name: string };
}

describe('two teams on one Envoy Gateway', () => {
  let at: Addresses;
  beforeAll(async () => {
    await applyInfra();
    await Promise.all([applyTeam(teamA), applyTeam(teamB)]);
    const [a, b] = await Promise.all([
      programmed('team-a', 'gateway-a', 90_000),
      programmed('team-b', 'gateway-b', 90_000),
    ]);
    at = { a, b };
  });

  it('gives each Gateway an address of its own', () => {
    expect(at.a).toMatch(/^172\.18\.0\.2\d\d$/);
    expect(at.b).toMatch(/^172\.18\.0\.2\d\d$/);
    expect(at.a).not.toBe(at.b);
  });

  it('answers each team’s route by that team’s backend, and 404 for the other’s', async () => {
    const seen = [
      await answered(at.a, 8080, 'www.team-a.com', '/example', 200),
      await answered(at.b, 8081, 'www.team-b.com', '/example', 200),
    ].map(({ body }) => JSON.parse(body));
    expect(seen).toMatchObject([
      { path: '/example', host: 'www.team-a.com', namespace: 'team-a', pod: expect.stringMatching(/^team-a-backend-/) },
      { path: '/example', host: 'www.team-b.com', namespace: 'team-b', pod: expect.stringMatching(/^team-b-backend-/) },
    ]);
    const strangers = [
      await curl(at.a, 8080, 'www.team-b.com', '/example'),
      await curl(at.b, 8081, 'www.team-a.com', '/example'),
      await curl(at.a, 8080, 'www.team-a.com', '/elsewhere'),
    ];
    expect(strangers.map(({ status }) => status)).toEqual([404, 404, 404]);
  });

  it('runs each proxy in its team’s namespace, owned by the Gateway', async () => {
    for (const { namespace, gateway } of [teamA, teamB]) {
      const [proxy] = await proxiesOf(namespace, gateway);
      expect(proxy?.metadata.ownerReferences).toMatchObject([{ kind: 'Gateway', name: gateway }]);
    }
    const ours = await kubectl.get<List<Named>>('deployments', '-n', 'envoy-gateway-system');
    expect(ours.items.map(({ metadata }) => metadata.name)).toEqual(['envoy-gateway']);
  });

  it('gives proxies the CA alone, and a token for Envoy Gateway that ends after an hour', async () => {
    const [proxy] = await proxiesOf('team-a', 'gateway-a');
    const volumes = proxy?.spec.template.spec.volumes ?? [];
    expect(volumes.filter(({ secret }) => secret !== undefined)).toEqual([]);
    const tokens = volumes.flatMap(({ projected }) => projected?.sources.map((one) => one.serviceAccountToken) ?? []);
    expect(tokens).toMatchObject([
      { audience: 'envoy-gateway.envoy-gateway-system.svc.cluster.local', expirationSeconds: 3600 },
    ]);
    const secrets = await kubectl.get<List<Named>>('secrets', '-n', 'team-b');
    expect(secrets.items).toEqual([]);
    const bundle = await kubectl.get<{ readonly data: Readonly<Record<string, string>> }>(
      'configmap',
      'gateway-a',
      '-n',
      'team-a',
    );
    expect(bundle.data['ca.crt']).toContain('BEGIN CERTIFICATE');
    expect(JSON.stringify(bundle.data)).not.toContain('PRIVATE KEY');
  });

  it('lets Envoy Gateway read Secrets where Gateways are, and nowhere else', async () => {
    const may = async (...where: readonly string[]) => {
      const asked = ['auth', 'can-i', 'list', 'secrets', ...where, `--as=${gatewayAccount}`];
      return (await kubectl.run(asked).catch((error: Error) => error.message)).trim().split('\n').at(-1);
    };
    expect(await may('-n', 'team-a')).toBe('yes');
    for (const where of [['--all-namespaces'], ['-n', 'default'], ['-n', 'kube-system'], ['-n', 'certway-system']]) {
      expect(await may(...where), where.join(' ')).not.toBe('yes');
    }
  });
});

async function proxiesOf(namespace: string, gateway: string): Promise<readonly Proxy[]> {
  const label = `gateway.envoyproxy.io/owning-gateway-name=${gateway}`;
  return (await kubectl.get<List<Proxy>>('deployments', '-n', namespace, '-l', label)).items;
}
