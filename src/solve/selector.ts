// Label selectors as Kubernetes evaluates them (LabelSelector: every requirement must hold; an empty selector selects everything).
// Called by listener.ts for allowedRoutes.

import type { LabelSelector } from '../api/gateway.ts';

type Labels = Readonly<Record<string, string>>;

export function selectorMatches(selector: LabelSelector, labels: Labels): boolean {
  const equal = Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels[key] === value);
  return equal && (selector.matchExpressions ?? []).every((expression) => holds(expression, labels));
}

function holds(expression: NonNullable<LabelSelector['matchExpressions']>[number], labels: Labels): boolean {
  const value = labels[expression.key];
  const { operator } = expression;
  switch (operator) {
    case 'In':
      return value !== undefined && (expression.values ?? []).includes(value);
    case 'NotIn':
      return value === undefined || !(expression.values ?? []).includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    default:
      return operator satisfies never;
  }
}
