// Decides whether a live object holds everything that is wanted of it. What is beside it belongs to the API server (defaults, clusterIP) or to
// others (caBundle, injected annotations) and is not looked at. Called by provision/ensure.ts before it writes.

/**
 * Lists that server-side apply merges by a key: items of others stand beside ours. Every other list is taken as one value, so that a foreign
 * subject in a binding is a difference. By the path below the object, in the kinds that infra renders.
 */
const mergedLists: Readonly<Record<string, readonly string[]>> = {
  'metadata.ownerReferences': ['uid'],
  'metadata.finalizers': [],
  'spec.ports': ['port', 'protocol'],
  'spec.template.spec.containers': ['name'],
  'spec.template.spec.containers.env': ['name'],
  'spec.template.spec.containers.ports': ['containerPort', 'protocol'],
  'spec.template.spec.containers.volumeMounts': ['mountPath'],
  'spec.template.spec.imagePullSecrets': ['name'],
  'spec.template.spec.topologySpreadConstraints': ['topologyKey', 'whenUnsatisfiable'],
  'spec.template.spec.volumes': ['name'],
  'spec.matchConditions': ['name'],
  'spec.variables': ['name'],
  webhooks: ['name'],
};
// What the API server fills in where a key's field is left out.
const keyDefaults: Readonly<Record<string, unknown>> = { protocol: 'TCP' };

export function covers(live: unknown, wanted: unknown, path = ''): boolean {
  if (wanted === undefined) return true;
  if (Array.isArray(wanted)) return coversList(live ?? [], wanted, path);
  if (!isRecord(wanted)) return live === wanted || (wanted === null && live === undefined);
  if (!isRecord(live)) return false;
  return Object.entries(wanted).every(([name, each]) =>
    covers(live[name], each, path === '' ? name : `${path}.${name}`),
  );
}

function coversList(live: unknown, wanted: readonly unknown[], path: string): boolean {
  if (!Array.isArray(live)) return false;
  const keys = mergedLists[path];
  if (keys === undefined) {
    return live.length === wanted.length && wanted.every((each, index) => covers(live[index], each, path));
  }
  const found = new Map(live.map((each) => [keyOf(each, keys), each]));
  return wanted.every((each) => found.has(keyOf(each, keys)) && covers(found.get(keyOf(each, keys)), each, path));
}

function keyOf(item: unknown, keys: readonly string[]): string {
  if (!isRecord(item) || keys.length === 0) return JSON.stringify(item);
  return JSON.stringify(keys.map((key) => item[key] ?? keyDefaults[key] ?? null));
}

/** Without maps that are empty, or become so by this. */
export function withoutEmpty<T extends object>(wanted: T): T {
  const isEmpty = (value: unknown) => isRecord(value) && Object.keys(value).length === 0;
  const lean = (value: unknown): unknown => (isRecord(value) ? withoutEmpty(value) : value);
  const kept = Object.entries(wanted).map(([name, value]) => [name, lean(value)] as const);
  return Object.fromEntries(kept.filter(([, value]) => !isEmpty(value))) as T;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
