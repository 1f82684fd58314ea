// Which labels, annotations, data keys and owners of an object one field manager owns, read from its managedFields.
// Called when a Secret is read: what we own and no longer want is what the next apply takes away.

import type { ManagedFields, ObjectMeta } from '../api/meta.ts';

export interface OwnedFields {
  readonly labels: ReadonlySet<string>;
  readonly annotations: ReadonlySet<string>;
  readonly data: ReadonlySet<string>;
  /** UIDs. */
  readonly owners: ReadonlySet<string>;
}

/** What a manager has written, by apply or update; entries that do not parse own nothing. */
export function ownedFields(entries: readonly ManagedFields[] | undefined, manager: string): OwnedFields {
  const ours = (entries ?? []).filter((each) => each.manager === manager).map((each) => each.fieldsV1);
  const names = (...path: readonly string[]) =>
    new Set(ours.flatMap((fields) => Object.keys(descend(fields, path)).flatMap(nameOf)));
  return {
    labels: names('f:metadata', 'f:labels'),
    annotations: names('f:metadata', 'f:annotations'),
    data: names('f:data'),
    owners: names('f:metadata', 'f:ownerReferences'),
  };
}

/** What the manager of an apply owns after it: exactly what it sent. */
export function fieldsOf(sent: { readonly metadata: ObjectMeta; readonly data?: Readonly<object> }): OwnedFields {
  const { labels = {}, annotations = {}, ownerReferences = [] } = sent.metadata;
  return {
    labels: new Set(Object.keys(labels)),
    annotations: new Set(Object.keys(annotations)),
    data: new Set(Object.keys(sent.data ?? {})),
    owners: new Set(ownerReferences.map((owner) => owner.uid)),
  };
}

function descend(fields: unknown, path: readonly string[]): object {
  let node = fields;
  for (const step of path) node = isObject(node) ? Reflect.get(node, step) : undefined;
  return isObject(node) ? node : {};
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** `f:name`, or `k:{"uid":"…"}` for an item of a list by its key. */
function nameOf(step: string): readonly string[] {
  if (step.startsWith('f:')) return [step.slice(2)];
  const [, uid] = /^k:\{"uid":"([^"\\]+)"\}$/.exec(step) ?? [];
  return uid === undefined ? [] : [uid];
}
