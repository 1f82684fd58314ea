// Whose a CustomResourceDefinition is: one table of marks, and what stands of the Operator Lifecycle Manager.

import { describe, expect, it } from 'vitest';
import type { ObjectMeta } from '../../src/api/meta.ts';
import { hasForeignMark, type Ownership, ownershipOf, type Packages } from '../../src/infra/crd-owner.ts';

const operator = 'operators.coreos.com/service-mesh.v2.operators';
const standing = (...subscriptions: readonly string[]): Packages => ({
  kind: 'known',
  subscriptions: new Set(subscriptions),
  components: new Set(),
});
const nothing = standing();
const unknown: Packages = { kind: 'unknown' };
const planned: Packages = {
  kind: 'known',
  subscriptions: new Set(),
  components: new Set([`operators ${operator}`]),
};

const meta = (labels: ObjectMeta['labels'] & {}, annotations: ObjectMeta['annotations'] & {} = {}): ObjectMeta => ({
  name: 'gateways.gateway.networking.k8s.io',
  labels,
  annotations,
});
const ours = { 'app.kubernetes.io/managed-by': 'certway-infra' };
const olm = { 'olm.managed': 'true', [operator]: '' };
const helm = { 'meta.helm.sh/release-name': 'eg', 'meta.helm.sh/release-namespace': 'infra' };
const subscription = 'Subscription operators/service-mesh.v2';

const cases: readonly (readonly [string, ObjectMeta, Packages, Ownership])[] = [
  ['our label', meta(ours), nothing, { kind: 'Certway' }],
  ['nothing at all', meta({}), nothing, { kind: 'Unknown' }],
  [
    'a Subscription that stands, its name with dots',
    meta(olm),
    standing('operators/service-mesh.v2'),
    { kind: 'PackageManager', name: subscription },
  ],
  ['its InstallPlan alone', meta(olm), planned, { kind: 'PackageManager', name: subscription }],
  [
    'one of the same name elsewhere',
    meta(olm),
    standing('other/service-mesh.v2'),
    { kind: 'Abandoned', name: subscription },
  ],
  ['one that cannot be looked for', meta(olm), unknown, { kind: 'PackageManager', name: subscription }],
  ['one that is gone', meta(olm), nothing, { kind: 'Abandoned', name: subscription }],
  [
    'our label and a Subscription that stands',
    meta({ ...ours, ...olm }),
    standing('operators/service-mesh.v2'),
    { kind: 'PackageManager', name: subscription },
  ],
  ['our label and one that is gone', meta({ ...ours, ...olm }), nothing, { kind: 'Certway' }],
  [
    'olm.managed without an operator, while there are Subscriptions',
    meta({ 'olm.managed': 'true' }),
    standing('operators/other'),
    { kind: 'PackageManager', name: 'the Operator Lifecycle Manager' },
  ],
  [
    'olm.managed without an operator or any Subscription',
    meta({ 'olm.managed': 'true' }),
    nothing,
    { kind: 'Abandoned', name: 'the Operator Lifecycle Manager' },
  ],
  [
    'a label that names no namespace',
    meta({ 'olm.managed': 'true', 'operators.coreos.com/lonely': '' }),
    unknown,
    { kind: 'PackageManager', name: 'the Operator Lifecycle Manager' },
  ],
  [
    'a Helm release',
    meta({ 'app.kubernetes.io/managed-by': 'Helm' }, helm),
    nothing,
    { kind: 'PackageManager', name: 'Helm release infra/eg' },
  ],
  ['a Helm release that hands over', meta(ours, helm), nothing, { kind: 'Certway' }],
  [
    'Argo CD',
    meta({}, { 'argocd.argoproj.io/tracking-id': 'apps:x' }),
    nothing,
    { kind: 'Other', name: 'Argo CD (argocd.argoproj.io/tracking-id: apps:x)' },
  ],
  [
    'anybody by the usual label',
    meta({ 'app.kubernetes.io/managed-by': 'acme' }),
    nothing,
    { kind: 'Other', name: 'acme' },
  ],
];

describe('a CustomResourceDefinition with', () => {
  it.each(cases)('%s', (_, metadata, packages, owner) => {
    expect(ownershipOf(metadata, packages)).toEqual(owner);
  });

  it('no mark is told with the field manager that wrote its schema, not the one that wrote its status', () => {
    const fieldsV1 = { 'f:spec': { 'f:versions': {} } };
    const managedFields = [
      { manager: 'kubectl', fieldsV1 },
      { manager: 'kube-apiserver', subresource: 'status', fieldsV1 },
      { manager: 'labeler', fieldsV1: { 'f:metadata': {} } },
    ];
    expect(ownershipOf({ name: 'x', managedFields }, nothing)).toEqual({
      kind: 'Unknown',
      name: 'field manager kubectl',
    });
  });
});

it.each([
  [false, meta(ours, { 'example.com/note': 'x' })],
  [true, meta({ ...ours, ...olm })],
  [true, meta(ours, helm)],
  [true, meta({ ...ours, 'kustomize.toolkit.fluxcd.io/name': 'crds' })],
])('another’s hand is seen: %s', (seen, metadata) => {
  expect(hasForeignMark(metadata)).toBe(seen);
});
