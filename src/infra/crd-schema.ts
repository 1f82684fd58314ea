// What a schema would lose if another took its place: fields, values and freedoms that objects in the cluster may be using. Called by
// crd-loss.ts for each version that both definitions have; answers paths that people find in `kubectl explain`.

type Node = Readonly<Record<string, unknown>>;

const keepUnknown = 'x-kubernetes-preserve-unknown-fields';
const embedded = 'x-kubernetes-embedded-resource';
const intOrString = 'x-kubernetes-int-or-string';

/** Sentences without a full stop, each beginning with a path such as ".spec.rules[].name"; empty when nothing is lost. */
export function schemaLosses(from: unknown, to: unknown, path = ''): readonly string[] {
  if (!isNode(from)) return [];
  if (!isNode(to)) return [`${path || '.'} is free of a schema`];
  return [...ofNode(from, to, path || '.'), ...ofProperties(from, to, path), ...ofElements(from, to, path)];
}

function ofNode(from: Node, to: Node, path: string): readonly string[] {
  const losses: string[] = [];
  if (from[keepUnknown] === true && to[keepUnknown] !== true) losses.push(`${path} keeps fields that no schema names`);
  if (from[embedded] === true && to[embedded] !== true) losses.push(`${path} holds a whole object`);
  const kinds = [typeOf(from), typeOf(to)];
  if (kinds[0] !== kinds[1] && kinds[1] !== undefined) {
    losses.push(`${path} is ${kinds[0] ?? 'of any type'} and would be ${kinds[1]}`);
  }
  const values = Array.isArray(to.enum) ? to.enum : undefined;
  if (values === undefined) return losses;
  if (!Array.isArray(from.enum)) return [...losses, `${path} takes any value`];
  const lost = from.enum.filter((value) => !values.includes(value));
  return lost.length === 0
    ? losses
    : [...losses, `${path} may be ${lost.map((each) => JSON.stringify(each)).join(', ')}`];
}

function ofProperties(from: Node, to: Node, path: string): readonly string[] {
  if (!isNode(from.properties)) return [];
  const wider = to[keepUnknown] === true || isNode(to.additionalProperties);
  const there = isNode(to.properties) ? to.properties : {};
  return Object.entries(from.properties).flatMap(([name, each]) => {
    const at = `${path}.${name}`;
    const other = there[name];
    if (other === undefined) return wider ? [] : [at];
    return schemaLosses(each, other, at);
  });
}

function ofElements(from: Node, to: Node, path: string): readonly string[] {
  const items = isNode(from.items) && isNode(to.items) ? schemaLosses(from.items, to.items, `${path}[]`) : [];
  if (from.additionalProperties === true && to.additionalProperties !== true && to[keepUnknown] !== true) {
    return [...items, `${path}{} takes anything`];
  }
  if (!isNode(from.additionalProperties)) return items;
  if (isNode(to.additionalProperties)) {
    return [...items, ...schemaLosses(from.additionalProperties, to.additionalProperties, `${path}{}`)];
  }
  return to[keepUnknown] === true ? items : [...items, `${path}{} takes names of any kind`];
}

function typeOf(node: Node): string | undefined {
  if (node[intOrString] === true) return 'integer or string';
  return typeof node.type === 'string' ? node.type : undefined;
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
