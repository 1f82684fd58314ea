// What is read of an install: its configuration, Helm's record of it, and who keeps it.

import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Secret } from '../../src/api/core.ts';
import * as resources from '../../src/api/resources.ts';
import { readLegacyConfig } from '../../src/infra/legacy-config.ts';
import { findInstall } from '../../src/infra/legacy-install.ts';
import { keeperOf } from '../../src/infra/legacy-keeper.ts';
import { chartOf, isRelease } from '../../src/infra/legacy-release.ts';
import { chartEverywhere, chartInside, config, names, object, record, sight, system } from './legacy-scene.ts';

describe('its configuration', () => {
  it.each([
    ['nothing', undefined, undefined],
    ['no YAML', '{', undefined],
    ['a list', '- a', undefined],
    [
      'a bomb of aliases',
      `a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [${'*a,'.repeat(30)}]\nc: [${'*b,'.repeat(30)}]`,
      undefined,
    ],
    ['the usual mode', config(undefined), { mode: 'ControllerNamespace', settings: [] }],
    ['the mode by name', config('ControllerNamespace'), { mode: 'ControllerNamespace', settings: [] }],
    ['Gateway Namespace Mode', config('GatewayNamespace'), { mode: 'GatewayNamespace', settings: [] }],
    ['an empty setting', config(undefined, 'extensionApis: {}'), { settings: [] }],
    [
      'settings',
      config(undefined, 'rateLimit: {a: 1}\nextensionApis: {enableBackend: true}'),
      { settings: ['extensionApis', 'rateLimit'] },
    ],
  ])('%s', (_, text, expected) => {
    const read = readLegacyConfig(text);
    if (expected === undefined) expect(read).toBeUndefined();
    else expect(read).toMatchObject(expected);
  });

  it('names settings of the provider by their path, and never quotes a value', () => {
    const read = readLegacyConfig(
      'provider: {kubernetes: {client: {rateLimit: {qps: 1}}}}\nrateLimit: {backend: {redis: {url: hunter2}}}',
    );
    expect(read?.settings).toEqual(['provider.kubernetes.client', 'rateLimit']);
    expect(JSON.stringify(read)).not.toContain('hunter2');
  });
});

describe("Helm's record", () => {
  const secret = (content: string, type = 'helm.sh/release.v1'): Secret => ({
    apiVersion: 'v1',
    kind: 'Secret',
    type,
    metadata: { name: 'sh.helm.release.v1.eg.v1', namespace: system, labels: { owner: 'helm', name: 'eg' } },
    data: { release: Buffer.from(content).toString('base64') },
  });
  const packed = (value: unknown) => gzipSync(JSON.stringify(value)).toString('base64');

  it.each([
    ['of the chart', packed({ chart: { metadata: { name: 'gateway-helm' } } }), 'gateway-helm'],
    ['of an umbrella', packed({ chart: { metadata: { name: 'platform' } } }), 'platform'],
    ['without a chart', packed({}), undefined],
    ['that is no gzip', 'bm90aGluZw==', undefined],
    ['that is empty', '', undefined],
  ])('%s', (_, content, expected) => {
    expect(chartOf(secret(content))).toBe(expected);
  });

  it('is told from other Secrets by its type', () => {
    expect(isRelease(secret(''))).toBe(true);
    expect(isRelease(secret('', 'Opaque'))).toBe(false);
  });

  it('of another release is not part of the install', () => {
    const found = findInstall(sight(chartInside(), { byName: [record('eg'), record('billing')] }));
    expect(names(found?.byName ?? [])).toEqual(['Secret sh.helm.release.v1.eg.v1']);
  });

  it('alone is no install', () => {
    expect(findInstall(sight([], { byName: [record('eg')] }))).toBeUndefined();
  });
});

describe('who keeps it', () => {
  const cases: readonly (readonly [string, Record<string, string>, Record<string, string>, string | undefined])[] = [
    [
      'Helm, when somebody calls it',
      { 'app.kubernetes.io/managed-by': 'Helm' },
      { 'meta.helm.sh/release-name': 'eg' },
      undefined,
    ],
    [
      'Flux by a HelmRelease',
      { 'helm.toolkit.fluxcd.io/name': 'eg', 'helm.toolkit.fluxcd.io/namespace': 'flux' },
      {},
      'the Flux HelmRelease flux/eg',
    ],
    [
      'Flux by a Kustomization',
      { 'kustomize.toolkit.fluxcd.io/name': 'eg', 'kustomize.toolkit.fluxcd.io/namespace': 'flux' },
      {},
      'the Flux Kustomization flux/eg',
    ],
    [
      'Argo CD by its annotation',
      {},
      { 'argocd.argoproj.io/tracking-id': 'edge:apps/Deployment:x/y' },
      'the Argo CD application edge',
    ],
    ['Argo CD by its label', { 'argocd.argoproj.io/instance': 'edge' }, {}, 'the Argo CD application edge'],
  ];
  it.each(cases)('%s', (_, labels, annotations, expected) => {
    expect(keeperOf([object(resources.deployments, 'envoy-gateway', { namespace: system, labels, annotations })])).toBe(
      expected,
    );
  });
});

describe('whose rights', () => {
  it('those that reach an account of the namespace, with their roles, wherever they stand', () => {
    const elsewhere = chartEverywhere('other').map(({ of, object: each }) => ({
      of,
      object: { ...each, metadata: { ...each.metadata, name: `${each.metadata.name}-other` } },
    }));
    const roleRefs = chartEverywhere('other');
    const found = findInstall(
      sight([], {
        everywhere: [...chartEverywhere(), ...elsewhere, ...roleRefs.filter(({ of }) => of.kind.endsWith('Binding'))],
      }),
    );
    expect(names(found?.parts ?? []).filter((name) => name.includes('other'))).toEqual([]);
    expect(found?.parts).toHaveLength(5);
  });

  it('in a watched namespace the role is known by its binding alone, and is left where there is none', () => {
    const inTeam = { namespace: 'team-a', labels: { 'app.kubernetes.io/name': 'gateway-helm' } };
    const role = object(resources.roles, 'eg-gateway-helm-namespaced-infra-manager', inTeam);
    const binding = object(resources.wholeRoleBindings, 'eg-gateway-helm-namespaced-infra-manager', inTeam, {
      roleRef: { kind: 'Role', name: 'eg-gateway-helm-namespaced-infra-manager' },
      subjects: [{ kind: 'ServiceAccount', name: 'envoy-gateway', namespace: system }],
    });
    expect(findInstall(sight([], { everywhere: [role, binding] }))?.parts).toHaveLength(2);
    expect(findInstall(sight([], { everywhere: [role] }))).toBeUndefined();
  });

  it('what bears our label is ours by now', () => {
    const ours = chartInside().map(({ of, object: each }) => {
      const labels = { ...each.metadata.labels, 'certway.dev/infra-uid': 'u' };
      return { of, object: { ...each, metadata: { ...each.metadata, labels } } };
    });
    expect(findInstall(sight(ours))).toBeUndefined();
  });
});
