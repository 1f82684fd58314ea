// Holds what infra renders against Envoy Gateway itself: its own chart, rendered by Helm for the same wish, where each difference is a row of the
// reviewed list and each row a difference; its reader of configurations; its certgen. No cluster is needed, only two builds.

import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { Secret } from '../../src/api/core.ts';
import { configMaps } from '../../src/api/resources.ts';
import { planCertificates } from '../../src/infra/certgen.ts';
import { gatewayAccess } from '../../src/infra/render-access.ts';
import { renderSystem } from '../../src/infra/render-system.ts';
import { watchScope } from '../../src/infra/render-watch.ts';
import { type Difference, differences, isReviewed } from '../infra/parity-compare.ts';
import { reviewedDifferences } from '../infra/parity-differences.ts';
import { type RenderCase, renderCases } from '../infra/render-inputs.ts';
import { buildEnvoyGateway } from '../rig/build.ts';
import { buildHelm, type ChartObject, chartOf, renderChart } from '../rig/helm.ts';

const rolesFile = join(import.meta.dirname, '../../deploy/infra/envoy-gateway-roles.yaml');
const stack = new AsyncDisposableStack();
const found = new Map<string, readonly Difference[]>();
let roles: readonly ChartObject[] = [];

afterAll(() => stack.disposeAsync());

/** With what the renderer of spaces binds for Envoy Gateway in each namespace that hosts. */
function oursOf(input: RenderCase['input']) {
  const system = renderSystem(input);
  if (!system.ok) throw new Error(system.problem.message);
  const { infra, uid, hosting } = input;
  const scope = watchScope(infra, hosting);
  const listed = scope.kind === 'namespaces' ? scope.names : hosting;
  const access = listed
    .filter((name) => name !== infra.spec.systemNamespace)
    .flatMap((namespace) => gatewayAccess(infra, uid, namespace));
  return [...system.value.wanted, ...access].map(({ object }) => object);
}

describe('what infra renders and what the chart renders', () => {
  beforeAll(async () => {
    const helm = await buildHelm((line) => process.stderr.write(`${line}\n`));
    const { dir } = stack.use(await chartOf('1.9.1'));
    roles = parseAllDocuments(await readFile(rolesFile, 'utf8')).map((document) => document.toJS());
    for (const [name, { input, chart }] of Object.entries(renderCases)) {
      const { systemNamespace } = input.infra.spec;
      const theirs = await renderChart(helm, dir, systemNamespace, chart);
      found.set(name, differences(theirs, oursOf(input), roles, systemNamespace));
    }
  }, 1_200_000);

  it.each(Object.keys(renderCases))('differ for the input %s only in what was reviewed', (name) => {
    const unknown = (found.get(name) ?? []).filter(
      (difference) => !reviewedDifferences.some((row) => isReviewed(difference, row)),
    );
    expect(unknown).toEqual([]);
  });

  it('differ in every row that was reviewed', () => {
    const all = [...found.values()].flat();
    expect(all.length).toBeGreaterThan(0);
    expect(reviewedDifferences.filter((row) => !all.some((difference) => isReviewed(difference, row)))).toEqual([]);
  });

  it('are compared by rights that both have', () => {
    const kinds = roles.map(({ metadata }) => metadata.name);
    expect(kinds).toContain('certway-gateway-read');
    for (const list of found.values()) {
      expect(list.filter(({ object, path }) => object === 'rights' && path.includes('secrets get'))).toEqual([]);
    }
  });
});

describe('Envoy Gateway itself', () => {
  let binary: string;
  let dir: string;

  beforeAll(async () => {
    binary = await buildEnvoyGateway((line) => process.stderr.write(`${line}\n`));
    dir = await mkdtemp(join(tmpdir(), 'certway-parity-'));
    stack.defer(() => rm(dir, { recursive: true }));
  }, 1_200_000);

  /** It reads and checks its configuration, then ends, for there is no cluster here; a refusal comes with how to use it. */
  async function refusalOf(text: string): Promise<string | undefined> {
    const file = join(dir, 'envoy-gateway.yaml');
    await writeFile(file, text);
    const env = { KUBECONFIG: '/dev/null' };
    const { all, exitCode } = await execa(binary, ['server', '-c', file], { all: true, env, reject: false });
    expect(exitCode).toBe(1);
    return all.includes('help for server') ? all.trim().split('\n').at(-1) : undefined;
  }

  const configOf = (input: RenderCase['input']) => {
    const system = renderSystem(input);
    const map = system.ok ? system.value.wanted.find(({ of }) => of === configMaps)?.object : undefined;
    return String(Object.values(map?.data ?? {})[0]);
  };

  it.each(Object.entries(renderCases))('takes the configuration of the input %s', async (_, { input }) => {
    expect(await refusalOf(configOf(input))).toBeUndefined();
  });

  it('refuses one whose list of namespaces is empty', async () => {
    const { plain } = renderCases;
    const text = plain === undefined ? '' : configOf(plain.input);
    expect(text).toContain('- envoy-gateway-system');
    expect(await refusalOf(text.replace('- envoy-gateway-system', '[]'))).toContain('namespaces should be specified');
  });

  it('makes certificates that infra leaves alone, until 90 days before their end', async () => {
    await execa(binary, ['certgen', '--local', '--config-home', dir]);
    const secrets = new Map<string, Secret>();
    for (const name of await readdir(join(dir, 'certs'))) {
      const files = await readdir(join(dir, 'certs', name));
      const read = files.map(async (file) => [
        file,
        (await readFile(join(dir, 'certs', name, file))).toString('base64'),
      ]);
      const data: Record<string, string> = Object.fromEntries(await Promise.all(read));
      const type = 'tls.crt' in data ? 'kubernetes.io/tls' : 'Opaque';
      secrets.set(name, { apiVersion: 'v1', kind: 'Secret', metadata: { name }, type, data });
    }
    const day = 24 * 3600 * 1000;
    const on = (days: number) =>
      planCertificates({ systemNamespace: 'envoy-gateway-system', secrets }, Date.now() + days * day);
    expect([...secrets.keys()].sort()).toEqual(['envoy', 'envoy-gateway', 'envoy-oidc-hmac', 'envoy-rate-limit']);
    expect(on(0)).toMatchObject({ actions: [], refusals: [] });
    expect(on(5 * 365 - 92).actions).toEqual([]);
    expect(on(5 * 365 - 88).actions.map(({ kind }) => kind)).toEqual(['makeAuthority', 'trust', 'trust', 'trust']);
  });
});
