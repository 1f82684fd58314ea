// Our CustomResourceDefinitions beside the ones that cert-manager publishes: the same fields of the same types with the same defaults, so that
// objects go from one set to the other and back unchanged. What ours narrow, they narrow by rules that crds.test.ts tries out.

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { moduleDirectory } from '../rig/go.ts';

interface Schema {
  readonly type?: string;
  readonly format?: string;
  readonly default?: unknown;
  readonly required?: readonly string[];
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
  readonly 'x-kubernetes-list-type'?: string;
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
}

interface Definition {
  readonly spec: {
    readonly group: string;
    readonly scope: string;
    readonly names: { readonly plural: string };
    readonly versions: readonly {
      readonly name: string;
      readonly subresources: unknown;
      readonly selectableFields?: unknown;
      readonly additionalPrinterColumns: readonly { readonly name: string; readonly priority?: number }[];
      readonly schema: { readonly openAPIV3Schema: Schema };
    }[];
  };
}

const folder = join(import.meta.dirname, '../../crds');
const published = join(await moduleDirectory('cert-manager', 'github.com/cert-manager/cert-manager'), 'deploy/crds');
// GatewayInfra and GatewayTenant are ours alone.
const own = new Set(['gatewayinfras.yaml', 'gatewaytenants.yaml']);
const names = (await readdir(folder)).filter((name) => name.endsWith('.yaml') && !own.has(name));
const pairs = await Promise.all(
  names.map(async (name) => {
    const ours: Definition = parse(await readFile(join(folder, name), 'utf8'));
    const { group, names: known } = ours.spec;
    const theirs: Definition = parse(await readFile(join(published, `${group}_${known.plural}.yaml`), 'utf8'));
    return { name: known.plural, ours, theirs };
  }),
);

/** Every field by its path. Below an open one nothing is compared: there ours keep whatever comes. */
function fields(schema: Schema, path: string, into: Map<string, Schema>): ReadonlyMap<string, Schema> {
  into.set(path, schema);
  for (const [name, field] of Object.entries(schema.properties ?? {})) fields(field, `${path}.${name}`, into);
  if (schema.items !== undefined) fields(schema.items, `${path}[]`, into);
  if (typeof schema.additionalProperties === 'object') fields(schema.additionalProperties, `${path}{}`, into);
  return into;
}

function kept(schema: Schema | undefined) {
  if (schema === undefined) return undefined;
  return {
    type: schema.type,
    format: schema.format,
    default: schema.default,
    required: (schema.required ?? []).toSorted(),
    enum: schema.enum?.map(String).toSorted(),
    list: schema['x-kubernetes-list-type'],
    keys: schema['x-kubernetes-list-map-keys'],
  };
}

const versionOf = ({ spec }: Definition) => {
  const [version] = spec.versions;
  if (version === undefined) throw new Error('a definition without a version');
  return version;
};
const all = (of: Definition) => fields(versionOf(of).schema.openAPIV3Schema, '', new Map());

/** Narrower by a word of the API itself: what cert-manager's webhook refuses with a sentence, the schema refuses with its list. */
const narrowed: ReadonlySet<string> = new Set([
  '.spec.acme.solvers[].http01.gatewayHTTPRoute.serviceType',
  '.spec.acme.solvers[].http01.ingress.serviceType',
]);

/** In cert-manager's source, and in no release yet: 1.21 drops it when an object goes back. */
const ahead: ReadonlySet<string> = new Set([
  '.spec.acme.solvers[].dns01.nameservers',
  '.spec.acme.solvers[].dns01.nameservers[]',
]);

describe.each(pairs)('$name', ({ ours, theirs }) => {
  it('has every published field, of the same type and with the same default', () => {
    const [mine, other] = [all(ours), all(theirs)];
    const isOpen = (path: string) =>
      [...mine].some(([at, one]) => one['x-kubernetes-preserve-unknown-fields'] === true && path.startsWith(at));
    for (const [path, schema] of other) {
      if (isOpen(path) || narrowed.has(path) || path === '') continue;
      expect({ path, ...kept(mine.get(path)) }).toEqual({ path, ...kept(schema) });
    }
  });

  it('has no field and no default of its own', () => {
    const [mine, other] = [all(ours), all(theirs)];
    expect([...mine.keys()].filter((path) => !other.has(path) && !ahead.has(path))).toEqual([]);
    const defaults = (of: ReadonlyMap<string, Schema>) =>
      [...of].filter(([, { default: value }]) => value !== undefined);
    expect(defaults(mine).filter(([path]) => other.get(path)?.default === undefined)).toEqual([]);
  });

  it('has the same names, scope, version, selectable fields, and every column', () => {
    const { versions: _, ...mine } = ours.spec;
    expect(theirs.spec).toMatchObject(mine);
    const [one, other] = [versionOf(ours), versionOf(theirs)];
    expect(one.name).toBe(other.name);
    expect(one.subresources).toEqual(other.subresources);
    expect(one.selectableFields).toEqual(other.selectableFields);
    const columns = one.additionalPrinterColumns.map((column) => column.name);
    for (const column of other.additionalPrinterColumns) expect(columns).toContain(column.name);
  });
});
