// R4: what the platform writes is kept, what must be so is so whatever it writes, and an unreadable text is refused without quoting it.

import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { GatewayInfraSpec } from '../../src/api/gateway-infra.ts';
import { mergeConfig } from '../../src/infra/config-merge.ts';
import { releaseOf } from '../../src/infra/eg-release.ts';
import { infraOf } from './render-inputs.ts';

const ref = { envoyGatewayConfigRef: { namespace: 'platform', name: 'eg' } };

function merged(text: string | undefined, spec: Partial<GatewayInfraSpec> = {}) {
  const release = releaseOf();
  if (!release.ok) throw new Error(release.problem.message);
  const scope = { kind: 'namespaces', names: ['envoy-gateway-system'] } as const;
  return mergeConfig(infraOf({ ...ref, ...spec }), release.value, scope, text);
}

function configOf(text: string | undefined, spec: Partial<GatewayInfraSpec> = {}) {
  const config = merged(text, spec);
  if (!config.ok) throw new Error(config.problem.message);
  return { config: parse(config.value.text, { version: '1.1' }), overridden: config.value.overridden };
}

const overriddenFields = (text: string, spec: Partial<GatewayInfraSpec> = {}) =>
  configOf(text, spec).overridden.map(({ message }) => /field (\S+) is/.exec(message)?.[1]);

describe('the configuration of Envoy Gateway', () => {
  it('is in namespaced mode without any user’s', () => {
    expect(configOf(undefined).config).toMatchObject({
      apiVersion: 'gateway.envoyproxy.io/v1alpha1',
      kind: 'EnvoyGateway',
      provider: { type: 'Kubernetes', kubernetes: { deploy: { type: 'GatewayNamespace' } } },
    });
  });

  it.each([
    ['says nothing of it', 'logging: {level: {default: debug}}', []],
    ['has no content', '', []],
    ['is null', 'provider: ~', []],
    ['says so itself', 'provider: {type: Kubernetes, kubernetes: {deploy: {type: GatewayNamespace}}}', []],
    [
      'contradicts it',
      'provider: {kubernetes: {deploy: {type: ControllerNamespace}}}',
      ['provider.kubernetes.deploy.type'],
    ],
    ['has another provider', 'provider: {type: Custom, custom: {}}', ['provider.type', 'provider.custom']],
    ['names the branch without a value', 'provider: {type: Kubernetes, kubernetes: ~}', []],
  ])('is in namespaced mode with one that %s', (_, text, fields) => {
    const { config } = configOf(text);
    expect(config.provider.type).toBe('Kubernetes');
    expect(config.provider.custom).toBeUndefined();
    expect(config.provider.kubernetes.deploy).toEqual({ type: 'GatewayNamespace' });
    expect(overriddenFields(text)).toEqual(fields);
  });

  it('watches what the GatewayInfra says, and nothing of another kind of watch beside it', () => {
    const text =
      'provider: {kubernetes: {watch: {type: NamespaceSelector, namespaceSelector: {matchLabels: {a: b}}, namespaces: [x]}}}';
    expect(configOf(text).config.provider.kubernetes.watch).toEqual({
      type: 'Namespaces',
      namespaces: ['envoy-gateway-system'],
    });
    expect(overriddenFields(text)).toEqual(['provider.kubernetes.watch']);
  });

  it('says nothing of a wish that is fulfilled, in whatever order it is written', () => {
    const text = 'provider: {kubernetes: {watch: {namespaces: [envoy-gateway-system], type: Namespaces}}}';
    expect(overriddenFields(text)).toEqual([]);
  });

  it('never merges Gateways', () => {
    const { config } = configOf('envoyProxy: {mergeGateways: true, concurrency: 2}');
    expect(config.envoyProxy).toEqual({ concurrency: 2 });
    expect(overriddenFields('envoyProxy: {mergeGateways: true}')).toEqual(['envoyProxy.mergeGateways']);
    expect(overriddenFields('envoyProxy: {mergeGateways: false}')).toEqual([]);
  });

  it('keeps its election of a leader where there are two, and leaves it to the user where there is one', () => {
    const text = 'provider: {kubernetes: {leaderElection: {disable: true, leaseDuration: 30s}}}';
    expect(configOf(text).config.provider.kubernetes.leaderElection).toEqual({
      disable: false,
      leaseDuration: '30s',
    });
    const single = { availability: { topology: 'Single' as const } };
    expect(configOf(text, single).config.provider.kubernetes.leaderElection.disable).toBe(true);
    expect(overriddenFields(text, single)).toEqual([]);
  });

  it('keeps what a release needs where the user names it without a value', () => {
    const { config } = configOf('provider: {kubernetes: {shutdownManager: ~, rateLimitDeployment: {container: ~}}}');
    expect(config.provider.kubernetes).toMatchObject({
      shutdownManager: { image: 'docker.io/envoyproxy/gateway:v1.9.1' },
      rateLimitDeployment: { container: { image: 'docker.io/envoyproxy/ratelimit:8fe6ea42' } },
    });
  });

  it('keeps every other wish, images too', () => {
    const text = [
      'extensionApis: {enableBackend: true}',
      'rateLimit: {backend: {type: Redis, redis: {url: "redis:6379"}}}',
      'provider: {kubernetes: {shutdownManager: {image: "mine/gateway:v1"}, client: {rateLimit: {qps: 7}}}}',
    ].join('\n');
    const { config, overridden } = configOf(text);
    expect(overridden).toEqual([]);
    expect(config).toMatchObject({
      extensionApis: { enableBackend: true },
      rateLimit: { backend: { redis: { url: 'redis:6379' } } },
      provider: { kubernetes: { shutdownManager: { image: 'mine/gateway:v1' }, client: { rateLimit: { qps: 7 } } } },
    });
  });

  it('asks for no patch policies, backends or Lua by itself', () => {
    expect(configOf(undefined).config.extensionApis).toBeUndefined();
  });

  it('reads and writes as Envoy Gateway’s YAML 1.1 does', () => {
    const { config } = configOf('rateLimit: {failClosed: yes}\nadmin: {address: {host: "on"}}');
    expect(config.rateLimit.failClosed).toBe(true);
    expect(config.admin.address.host).toBe('on');
  });

  it('says which object and which field is not followed', () => {
    const [refusal] = configOf('gateway: {controllerName: example.com/other}').overridden;
    expect(refusal).toMatchObject({ object: 'ConfigMap platform/eg', reason: 'ConfigOverridden' });
    expect(refusal?.message).toBe(
      'ConfigMap platform/eg: Its field gateway.controllerName is not followed: set spec.controllerName of the GatewayInfra instead.',
    );
  });
});

describe('an unreadable configuration', () => {
  const bomb = [
    'a: &a [x,x,x,x,x,x,x,x,x,x]',
    ...'bcdefgh'.split('').map((name, index) => {
      const before = 'abcdefgh'[index];
      return `${name}: &${name} [${Array(10).fill(`*${before}`).join(',')}]`;
    }),
  ].join('\n');

  it.each([
    ['no YAML', 'provider: {secret-hunter2', 'is no YAML'],
    ['a list', '- hunter2', 'must hold the fields'],
    ['a text', 'hunter2', 'must hold the fields'],
    ['of another kind', 'kind: Gateway\nname: hunter2', 'must be of the kind EnvoyGateway'],
    ['of another version', 'apiVersion: config.example.com/v1', 'must be of the kind EnvoyGateway'],
    ['misshapen', 'provider: hunter2', 'has a field provider'],
    ['misshapen below', 'provider: {kubernetes: hunter2}', 'has a field provider.kubernetes'],
    ['a bomb of aliases', bomb, 'must hold the fields'],
    ['endless', `a: ${'x'.repeat(300 * 1024)}`, 'longer than 256 KiB'],
  ])('that is %s is refused, and not quoted', (_, text, why) => {
    const config = merged(text);
    expect(config).toMatchObject({
      ok: false,
      problem: { step: 'Configuration', object: 'ConfigMap platform/eg', reason: 'ConfigUnreadable' },
    });
    expect(config.ok ? '' : config.problem.message).toContain(why);
    expect(JSON.stringify(config)).not.toContain('hunter2');
  });
});
