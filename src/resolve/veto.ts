// What the data plane's controller has said against an object or a listener. Only its definite refusals count, and only for the current
// generation: before a Secret exists Programmed and ResolvedRefs are False by design, so waiting for them would be for ever.
// Called by gateway.ts.

import type { Condition } from '../api/meta.ts';
import type { Source } from './source.ts';
import { quoted } from './words.ts';
import type { RefusalReason } from './world.ts';

export interface Objection {
  readonly reason: RefusalReason;
  readonly message: string;
}

/** Their messages are never repeated: some data planes name other tenants' objects in them. */
export function objectionToSet(set: Source): Objection | undefined {
  const accepted = set.conditions.find(({ type }) => type === 'Accepted');
  if (accepted?.status !== 'False' || accepted.observedGeneration !== set.generation) return undefined;
  const told = `The status of this ${set.subject.kind} says`;
  switch (accepted.reason) {
    case 'NotAllowed':
      return { reason: 'NotAllowed', message: `${told} NotAllowed: its Gateway's owner can allow this namespace.` };
    case 'ParentNotAccepted':
      return {
        reason: 'ParentNotAccepted',
        message: `${told} ParentNotAccepted: its Gateway's owner can repair the Gateway.`,
      };
    default:
      return undefined;
  }
}

/** `Conflicted` is not believed about a listener that holds its hostname by spec: it lags, and errs while Secrets are missing. */
export function objectionToListener(
  source: Source,
  name: string,
  standing: 'holder' | 'unknown',
): Objection | undefined {
  const conditions = source.listenerStatuses.find((status) => status.name === name)?.conditions ?? [];
  if (conditions.length === 0) return undefined;
  const says = (type: string, status: Condition['status'], reason?: string) =>
    conditions.some(
      (c) =>
        c.type === type &&
        c.status === status &&
        c.observedGeneration === source.generation &&
        (reason === undefined || c.reason === reason),
    );
  const listener = `Listener ${quoted(name)} gets no certificate: its status says`;
  if (says('Accepted', 'False', 'UnsupportedProtocol')) {
    const message = `${listener} UnsupportedProtocol; choose a protocol that the Gateway's controller supports.`;
    return { reason: 'UnsupportedProtocol', message };
  }
  if (says('ResolvedRefs', 'False', 'RefNotPermitted')) {
    const message = `${listener} RefNotPermitted; name a Secret of this object's own namespace.`;
    return { reason: 'RefNotPermitted', message };
  }
  if (standing === 'unknown' && says('Conflicted', 'True')) {
    const message = `${listener} Conflicted; choose another hostname or port, or ask the owner of the Gateway.`;
    return { reason: 'ListenerConflict', message };
  }
  return undefined;
}
