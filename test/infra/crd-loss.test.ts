// What a take-over would take away, as the sentences that stand in the condition.

import { describe, expect, it } from 'vitest';
import type { Crd, CrdVersion } from '../../src/api/crd.ts';
import { takeOverLosses, updateObstacles } from '../../src/infra/crd-loss.ts';
import { schemaLosses } from '../../src/infra/crd-schema.ts';

const keep = 'x-kubernetes-preserve-unknown-fields';
const string = { type: 'string' };
const object = (properties: object, more: object = {}) => ({ type: 'object', properties, ...more });

describe('from one schema to another', () => {
  it.each<readonly [string, unknown, unknown, readonly string[]]>([
    ['the same', object({ a: string }), object({ a: string }), []],
    ['a field more', object({ a: string }), object({ a: string, b: string }), []],
    ['a field less', object({ a: string, b: string }), object({ a: string }), ['.b']],
    [
      'one deep down',
      object({ a: { type: 'array', items: object({ b: object({ c: string }) }) } }),
      object({ a: { type: 'array', items: object({ b: object({}) }) } }),
      ['.a[].b.c'],
    ],
    [
      'one in the values of a map',
      object({ a: { type: 'object', additionalProperties: object({ b: string }) } }),
      object({ a: { type: 'object', additionalProperties: object({}) } }),
      ['.a{}.b'],
    ],
    [
      'a map becomes fields',
      { type: 'object', additionalProperties: string },
      object({}),
      ['{} takes names of any kind'],
    ],
    ['a field less where all are kept', object({ b: string }), object({}, { [keep]: true }), []],
    ['nothing is kept any more', object({}, { [keep]: true }), object({}), ['. keeps fields that no schema names']],
    ['another type', object({ a: string }), object({ a: { type: 'integer' } }), ['.a is string and would be integer']],
    [
      'a number or a string',
      object({ a: { 'x-kubernetes-int-or-string': true } }),
      object({ a: string }),
      ['.a is integer or string and would be string'],
    ],
    [
      'a value less',
      object({ a: { ...string, enum: ['x', 'y'] } }),
      object({ a: { ...string, enum: ['x'] } }),
      ['.a may be "y"'],
    ],
    ['any value', object({ a: string }), object({ a: { ...string, enum: ['x'] } }), ['.a takes any value']],
    ['no schema at all', object({}), undefined, ['. is free of a schema']],
  ])('%s', (_, from, to, losses) => {
    expect(schemaLosses(from, to)).toEqual(losses);
  });
});

const version = (name: string, more: Partial<CrdVersion> = {}): CrdVersion => ({
  name,
  served: true,
  storage: false,
  schema: { openAPIV3Schema: object({ spec: object({ a: string }) }) },
  ...more,
});

function crd(
  versions: readonly CrdVersion[],
  {
    annotations = {},
    spec = {},
    storedVersions = ['v1'],
  }: Partial<{
    readonly annotations: Readonly<Record<string, string>>;
    readonly spec: Partial<Crd['spec']>;
    readonly storedVersions: readonly string[];
  }> = {},
): Crd {
  const group = 'gateway.networking.k8s.io';
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `things.${group}`, annotations },
    spec: { group, scope: 'Namespaced', names: { plural: 'things', kind: 'Thing' }, versions, ...spec },
    status: { storedVersions },
  };
}

const bundle = (release: string, channel = 'standard') => ({
  annotations: {
    'gateway.networking.k8s.io/bundle-version': release,
    'gateway.networking.k8s.io/channel': channel,
  },
});

describe('a take-over', () => {
  const ours = crd([version('v1', { storage: true })], bundle('v1.6.1'));

  it('of the same loses nothing', () => {
    expect(takeOverLosses(crd([version('v1')], bundle('v1.6.1')), ours)).toEqual([]);
    expect(takeOverLosses(crd([version('v1')]), ours)).toEqual([]);
  });

  it('names versions, fields and the conversion that would go', () => {
    const spec = { conversion: { strategy: 'Webhook' } };
    const extra = { schema: { openAPIV3Schema: object({ spec: object({ a: string, b: string }) }) } };
    const live = crd([version('v1', extra), version('v1alpha2')], { spec, storedVersions: ['v1alpha2', 'v1'] });
    expect(takeOverLosses(live, ours)).toEqual([
      'version v1alpha2 stands in status.storedVersions, and ours does not have it',
      'it serves version v1alpha2, ours does not',
      'in v1: .spec.b',
      'it converts between its versions by webhook, ours does not',
    ]);
  });

  it('does not miss a version that nobody is served', () => {
    expect(takeOverLosses(crd([version('v1'), version('v1alpha2', { served: false })]), ours)).toEqual([]);
  });
});

describe('an update of our own', () => {
  it.each([
    ['v1.6.1', 'v1.6.1', []],
    ['v1.5.9', 'v1.6.1', []],
    ['v1.10.0', 'v1.9.1', ['it is of release v1.10.0, ours of v1.9.1']],
    ['v1.6.1', 'v1.6.1-rc.1', ['it is of release v1.6.1, ours of v1.6.1-rc.1']],
    ['v1.6.1-rc.1', 'v1.6.1', []],
    ['main', 'v1.6.1', []],
  ])('from %s to %s', (from, to, obstacles) => {
    const versions = [version('v1')];
    expect(updateObstacles(crd(versions, bundle(from)), crd(versions, bundle(to)))).toEqual(obstacles);
  });

  it('never places experimental over standard, and may place standard over experimental', () => {
    const [standard, experimental] = ['standard', 'experimental'].map((channel) =>
      crd([version('v1')], bundle('v1.6.1', channel)),
    ) as [Crd, Crd];
    expect(updateObstacles(standard, experimental)).toEqual([
      'it is of the standard channel, ours of the experimental one',
    ]);
    expect(updateObstacles(experimental, standard)).toEqual([]);
  });

  it('says what the API server would not take', () => {
    const live = crd([version('v1')], { spec: { scope: 'Cluster', names: { plural: 'things', kind: 'Item' } } });
    expect(updateObstacles(live, crd([version('v1')]))).toEqual([
      'its scope is Cluster, ours Namespaced',
      'its kind is Item',
    ]);
  });
});
