// Whether labels match a selector, and a name a pattern with `*`. Called by admission.ts; the rules are Kubernetes' own.

import type { LabelSelector } from '../api/gateway.ts';

/** An empty selector matches everything; an expression with an unknown operator matches nothing. */
export function selects(selector: LabelSelector, labels: Readonly<Record<string, string>>): boolean {
  const own = new Map(Object.entries(labels));
  const equal = Object.entries(selector.matchLabels ?? {}).every(([key, value]) => own.get(key) === value);
  return equal && (selector.matchExpressions ?? []).every((expression) => holds(expression, own));
}

type Expression = NonNullable<LabelSelector['matchExpressions']>[number];

function holds({ key, operator, values }: Expression, labels: ReadonlyMap<string, string>): boolean {
  const value = labels.get(key);
  switch (operator) {
    case 'In':
      return value !== undefined && (values ?? []).includes(value);
    case 'NotIn':
      return value === undefined || !(values ?? []).includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    default:
      operator satisfies never;
      return false;
  }
}

/** `*` stands for any run of characters, also none; everything else for itself. */
export function matchesPattern(pattern: string, name: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  if (rest.length === 0) return pattern === name;
  const last = rest.pop() ?? '';
  if (!name.startsWith(first) || name.length < first.length + last.length || !name.endsWith(last)) return false;
  let at = first.length;
  const end = name.length - last.length;
  for (const part of rest) {
    const found = name.indexOf(part, at);
    if (found === -1 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}
