// Plain data of users (a configuration, a base EnvoyProxy) and what is laid over it. Called by the merge of the configuration and of EnvoyProxies.

export interface Mapping {
  readonly [key: string]: unknown;
}

/** Undefined for all that is no mapping of names to values. */
export function asMapping(value: unknown): Mapping | undefined {
  return isMapping(value) ? value : undefined;
}

function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Mappings are merged key by key; everything else, lists too, is taken from `over`. Neither argument is changed. */
export function layered(under: Mapping, over: Mapping): Mapping {
  const keys = [...new Set([...Object.keys(under), ...Object.keys(over)])];
  return Object.fromEntries(
    keys.map((key) => {
      if (!Object.hasOwn(over, key)) return [key, under[key]];
      const [below, above] = [asMapping(Object.hasOwn(under, key) ? under[key] : undefined), asMapping(over[key])];
      return [key, below === undefined || above === undefined ? over[key] : layered(below, above)];
    }),
  );
}

/** The value at a path of keys; undefined where the path ends early. */
export function valueAt(from: Mapping, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, key) => {
    const mapping = asMapping(value);
    return mapping !== undefined && Object.hasOwn(mapping, key) ? mapping[key] : undefined;
  }, from);
}

/** The mapping without the value at that path; nothing else changes. */
export function without(from: Mapping, path: readonly string[]): Mapping {
  const [key, ...rest] = path;
  if (key === undefined || !Object.hasOwn(from, key)) return from;
  if (rest.length === 0) return Object.fromEntries(Object.entries(from).filter(([name]) => name !== key));
  const inner = asMapping(from[key]);
  return inner === undefined
    ? from
    : Object.fromEntries(
        Object.entries(from).map(([name, value]) => [name, name === key ? without(inner, rest) : value]),
      );
}

/** A name without a value means nothing: it hides no default. Lists stay as they are. */
export function withoutNulls(from: Mapping): Mapping {
  const said = Object.entries(from).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(
    said.map(([key, value]) => {
      const inner = asMapping(value);
      return [key, inner === undefined ? value : withoutNulls(inner)];
    }),
  );
}
