// Brings two lists of objects into one form, and says in which fields they differ. Rights are compared as what may be done, not as who wrote
// which Role.

import { parse } from 'yaml';
import type { KubeObject } from '../../src/api/meta.ts';
import type { ReviewedDifference } from './parity-differences.ts';

type Fields = Readonly<Record<string, unknown>>;
type Item = KubeObject & Fields;

export interface Difference {
  readonly object: string;
  readonly path: string;
  readonly side: ReviewedDifference['side'];
  readonly chart?: unknown;
  readonly ours?: unknown;
}

const rightsKinds = new Set(['Role', 'ClusterRole', 'RoleBinding', 'ClusterRoleBinding']);

/** `roles`: those that our bindings name. */
export function differences(
  chart: readonly Item[],
  ours: readonly Item[],
  roles: readonly Item[],
  systemNamespace: string,
): readonly Difference[] {
  const left = comparable(chart, chart, systemNamespace);
  const right = comparable(ours, roles, systemNamespace);
  return [...new Set([...left.keys(), ...right.keys()])].sort().flatMap((object) => {
    const [a, b] = [left.get(object), right.get(object)];
    if (a === undefined) return [{ object, path: '', side: 'ours only' as const }];
    if (b === undefined) return [{ object, path: '', side: 'chart only' as const }];
    return fieldDifferences(object, a, b);
  });
}

function fieldDifferences(object: string, a: Flat, b: Flat): readonly Difference[] {
  return [...new Set([...a.keys(), ...b.keys()])].sort().flatMap((path): readonly Difference[] => {
    const [chart, ours] = [a.get(path), b.get(path)];
    if (chart === ours) return [];
    if (ours === undefined) return [{ object, path, side: 'chart only', chart }];
    return [{ object, path, side: chart === undefined ? 'ours only' : 'other value', chart, ours }];
  });
}

type Flat = ReadonlyMap<string, unknown>;

function comparable(objects: readonly Item[], roles: readonly Item[], system: string): ReadonlyMap<string, Flat> {
  const plain = objects.filter(({ kind }) => !rightsKinds.has(kind));
  return new Map([
    ...plain.map(
      (each) => [`${each.kind} ${each.metadata.name.replace(system, '<system>')}`, fieldsOf(each, system)] as const,
    ),
    ['rights', rightsOf(objects, roles, system)],
  ]);
}

/** Without what names the tool: labels, and Helm's annotations. */
function fieldsOf({ metadata, apiVersion: _, kind: __, ...body }: Item, system: string): Flat {
  const annotations = Object.entries(metadata.annotations ?? {}).filter(([key]) => !key.startsWith('helm.sh/'));
  const whole = { metadata: { annotations: Object.fromEntries(annotations) }, ...parsedConfig(body) };
  return new Map([...flat(whole, '')].map(([path, value]) => [path, value === system ? '<system>' : value] as const));
}

function parsedConfig(body: Fields): Fields {
  const data = body.data as Fields | undefined;
  const text = data?.['envoy-gateway.yaml'];
  return typeof text === 'string' ? { ...body, data: parse(text, { version: '1.1' }) } : body;
}

function* flat(value: unknown, path: string): Generator<readonly [string, unknown]> {
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) yield* flat(item, `${path}[${nameIn(item) ?? index}]`);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, each] of Object.entries(value)) yield* flat(each, path === '' ? key : `${path}.${key}`);
    if (Object.keys(value).length === 0 && path !== 'metadata.annotations') yield [path, '{}'];
  } else if (value !== null && value !== undefined) {
    yield [path, value];
  }
}

function nameIn(item: unknown): string | undefined {
  const name = typeof item === 'object' && item !== null && 'name' in item ? item.name : undefined;
  return typeof name === 'string' ? name : undefined;
}

/** "cluster secrets get": what Envoy Gateway's ServiceAccount may do, and where. */
function rightsOf(objects: readonly Item[], roles: readonly Item[], system: string): Flat {
  const rights = objects
    .filter(({ kind }) => kind.endsWith('Binding'))
    .filter(({ subjects }) => (subjects as readonly { name: string }[])[0]?.name === 'envoy-gateway')
    .flatMap((binding) => {
      const { kind, name } = binding.roleRef as { kind: string; name: string };
      const namespace = binding.metadata.namespace;
      const role = roles.find(
        (each) =>
          each.kind === kind &&
          each.metadata.name === name &&
          (kind === 'ClusterRole' || each.metadata.namespace === namespace),
      );
      if (role === undefined) throw new Error(`no ${kind} ${name} for the binding ${binding.metadata.name}`);
      const scope = namespace === undefined ? 'cluster' : namespace === system ? '<system>' : namespace;
      return rulesOf(role).map((rule) => `${scope} ${rule}`);
    });
  // What may be done in the whole cluster says nothing new for one namespace.
  const wide = new Set(rights.filter((right) => right.startsWith('cluster ')));
  const own = rights.filter((right) => wide.has(right) || !wide.has(right.replace(/^\S+/, 'cluster')));
  return new Map(own.map((right) => [right, true]));
}

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

function rulesOf(role: Item): readonly string[] {
  return (role.rules as readonly Rule[]).flatMap(({ apiGroups, resources, verbs }) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((resource) => verbs.map((verb) => `${resource}${group === '' ? '' : `.${group}`} ${verb}`)),
    ),
  );
}

export function isReviewed(difference: Difference, row: ReviewedDifference): boolean {
  return row.side === difference.side && matches(row.object, difference.object) && matches(row.path, difference.path);
}

/** `*` stands for anything within. */
function matches(pattern: string, text: string): boolean {
  const parts = pattern.split('*').map((part) => part.replaceAll(/[.[\]\\^$+?(){}|]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(text);
}
