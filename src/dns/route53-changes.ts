// Which changes add or remove one TXT value among the record sets that a name has in Route 53. Called by route53.ts. Pure.
// A batch of changes is atomic, and a DELETE must name the set exactly as it stands: so a batch fails, and is planned anew, when somebody was faster.

import type { Change, ResourceRecordSet } from '@aws-sdk/client-route-53';
import type { TxtRecord } from './provider.ts';

/** Nothing to do where the value stands already. */
export function additions(sets: readonly ResourceRecordSet[], record: TxtRecord): readonly Change[] {
  const quoted = `"${record.value}"`;
  if (sets.some((set) => valuesOf(set).includes(quoted))) return [];
  const plain = sets.find((set) => set.SetIdentifier === undefined);
  if (plain !== undefined) return exchanged(plain, [...valuesOf(plain), quoted]);
  // A set for each value, as cert-manager makes them: those that add at the same time do not meet.
  const own: ResourceRecordSet = {
    Name: record.fqdn,
    Type: 'TXT',
    TTL: record.ttl,
    MultiValueAnswer: true,
    SetIdentifier: quoted,
    ResourceRecords: [{ Value: quoted }],
  };
  return [{ Action: 'UPSERT', ResourceRecordSet: own }];
}

/** Other values of a set stay. */
export function removals(sets: readonly ResourceRecordSet[], record: TxtRecord): readonly Change[] {
  const quoted = `"${record.value}"`;
  return sets
    .filter((set) => valuesOf(set).includes(quoted))
    .flatMap((set) =>
      exchanged(
        set,
        valuesOf(set).filter((value) => value !== quoted),
      ),
    );
}

function exchanged(set: ResourceRecordSet, values: readonly string[]): readonly Change[] {
  const gone: Change = { Action: 'DELETE', ResourceRecordSet: set };
  if (values.length === 0) return [gone];
  const next = { ...set, ResourceRecords: values.map((Value) => ({ Value })) };
  return [gone, { Action: 'CREATE', ResourceRecordSet: next }];
}

function valuesOf(set: ResourceRecordSet): readonly string[] {
  return (set.ResourceRecords ?? []).flatMap(({ Value }) => (Value === undefined ? [] : [Value]));
}
