// Compares the Certificates that listeners want with those that exist: which to create, write, hand over, suspend or delete, and what to say.
// Called by apply/listeners.ts after resolve/gateway.ts. A Certificate that no listener object controls is never touched, no Secret ever.

import type { Certificate } from '../api/certmanager.ts';
import type { EventDraft, ObjectRef, OwnerReference } from '../api/meta.ts';
import { annotations } from '../api/names.ts';
import type { Resolution, Subject, WantedCertificate } from '../resolve/world.ts';
import { changedCertificate, differences, newCertificate, suspendedCertificate } from './listeners-change.ts';
import { controllerOf, type Standing, standingOf } from './listeners-owner.ts';
import { refOf } from './object-ref.ts';

export type ListenerAction =
  | { readonly kind: 'createCertificate'; readonly object: Certificate; readonly say: EventDraft }
  | { readonly kind: 'replaceCertificate'; readonly object: Certificate; readonly say: EventDraft }
  | { readonly kind: 'deleteCertificate'; readonly object: Certificate; readonly say: EventDraft }
  /** Worth telling once per generation of the object that it is about. */
  | { readonly kind: 'say'; readonly event: EventDraft; readonly generation: number };

export interface ListenersSeen {
  /** Those that the resolution's objects control, and those that have a wanted name. */
  readonly certificates: readonly Certificate[];
  /** Owners that exist, or of which nobody knows: of a kind that is not watched. */
  readonly liveUids: ReadonlySet<string>;
}

/** Resolution and Certificates, by the keys that decide: "namespace/name", and the controlling UID with it. */
interface View {
  readonly resolution: Resolution;
  readonly seen: ListenersSeen;
  readonly subjects: ReadonlyMap<string, Subject>;
  readonly held: ReadonlySet<string>;
  readonly suspended: ReadonlyMap<string, string>;
}

/** The writes and words that make what exists equal to what is wanted; nothing when it is. */
export function planListeners(resolution: Resolution, seen: ListenersSeen): readonly ListenerAction[] {
  const view = viewOf(resolution, seen);
  const live = new Map(seen.certificates.map((certificate) => [keyOf(certificate.metadata), certificate]));
  const settled = new Set<string>();
  const actions = resolution.wanted.flatMap((wanted) => {
    const key = keyOf(wanted);
    const certificate = live.get(key);
    if (certificate === undefined) return [create(wanted)];
    // It is on its way out; its end brings us back.
    if (certificate.metadata.deletionTimestamp !== undefined) return [];
    const standing = standingOf(certificate, wanted.owner, (controller) => isGone(controller, key, view));
    if (standing.kind === 'ours' || standing.kind === 'free') settled.add(key);
    return fulfil(wanted, certificate, standing, view);
  });
  const rest = seen.certificates.filter(({ metadata }) => !settled.has(keyOf(metadata)));
  return [...actions, ...rest.flatMap((certificate) => leave(certificate, view))];
}

function viewOf(resolution: Resolution, seen: ListenersSeen): View {
  const named = (about: ObjectRef, name: string) => keyOf({ namespace: about.namespace, name });
  return {
    resolution,
    seen,
    subjects: new Map(resolution.subjects.map((subject) => [subject.uid, subject])),
    held: new Set(resolution.refusals.flatMap(({ about, holds }) => holds.map((name) => named(about, name)))),
    suspended: new Map(
      resolution.refusals.flatMap(({ about, suspends, message }) =>
        suspends.map((name): [string, string] => [`${about.uid} ${named(about, name)}`, message]),
      ),
    ),
  };
}

function keyOf({ namespace = '', name }: { readonly namespace?: string | undefined; readonly name: string }): string {
  return `${namespace}/${name}`;
}

/** Dead, or judged in this resolution and without any claim left. */
function isGone(controller: OwnerReference, key: string, view: View): boolean {
  if (!view.seen.liveUids.has(controller.uid)) return true;
  const keeps = view.held.has(key) || view.suspended.has(`${controller.uid} ${key}`);
  return view.subjects.has(controller.uid) && !keeps;
}

function create(wanted: WantedCertificate): ListenerAction {
  const { kind, name } = wanted.spec.issuerRef;
  const message = `Certificate "${wanted.name}" created for ${namesOf(wanted)}; ${kind} "${name}" signs it.`;
  return {
    kind: 'createCertificate',
    object: newCertificate(wanted),
    say: normal(wanted.owner, 'CreateCertificate', message),
  };
}

function fulfil(
  wanted: WantedCertificate,
  certificate: Certificate,
  standing: Standing,
  { resolution }: View,
): readonly ListenerAction[] {
  switch (standing.kind) {
    case 'ours':
    case 'free': {
      const object = changedCertificate(certificate, wanted, resolution.ownedAnnotations);
      const changed = differences(certificate, object);
      if (changed.length === 0) return [];
      const message = `Certificate "${wanted.name}" updated: ${changed.join(', ')}.`;
      return [{ kind: 'replaceCertificate', object, say: normal(wanted.owner, 'UpdateCertificate', message) }];
    }
    case 'handedOver':
      return [];
    case 'foreign':
      return [{ kind: 'say', event: leftAlone(wanted, standing.controller), generation: wanted.generation }];
    default:
      return standing satisfies never;
  }
}

/** A Certificate that nobody wants as it is: kept and suspended, kept and held, or deleted, if it is one of ours at all. */
function leave(certificate: Certificate, view: View): readonly ListenerAction[] {
  const { metadata } = certificate;
  const controller = controllerOf(certificate);
  if (controller === undefined || metadata.deletionTimestamp !== undefined) return [];
  const reason = view.suspended.get(`${controller.uid} ${keyOf(metadata)}`);
  if (reason !== undefined) return suspend(certificate, reason);
  const owner = view.subjects.get(controller.uid);
  if (owner === undefined) return [];
  if (view.held.has(keyOf(metadata))) return release(certificate, owner);
  const message = `Certificate "${metadata.name}" deleted: no listener asks for it any more. Secret "${certificate.spec.secretName}" stays.`;
  return [{ kind: 'deleteCertificate', object: certificate, say: normal(owner, 'DeleteCertificate', message) }];
}

function suspend(certificate: Certificate, reason: string): readonly ListenerAction[] {
  const object = suspendedCertificate(certificate, reason);
  if (object === undefined) return [];
  const say: EventDraft = { about: refOf(certificate), type: 'Warning', reason: 'Suspended', message: reason };
  return [{ kind: 'replaceCertificate', object, say }];
}

/** What is held keeps its form, but the reason of an earlier suspension is over. */
function release(certificate: Certificate, owner: Subject): readonly ListenerAction[] {
  const object = suspendedCertificate(certificate, undefined);
  if (object === undefined) return [];
  const message = `Certificate "${certificate.metadata.name}" is renewed again: ${annotations.suspended} removed.`;
  return [{ kind: 'replaceCertificate', object, say: normal(owner, 'UpdateCertificate', message) }];
}

function leftAlone(wanted: WantedCertificate, controller: OwnerReference | undefined): EventDraft {
  const whose =
    controller === undefined ? 'not made for a listener' : `made for ${controller.kind} "${controller.name}"`;
  const remedy = 'name another Secret in the listener, or delete that Certificate';
  const message = `Certificate "${wanted.name}" exists and is ${whose}; it is left alone. To go on, ${remedy}.`;
  return { about: wanted.owner, type: 'Warning', reason: 'BadConfig', message };
}

function namesOf({ spec }: WantedCertificate): string {
  const names = [...(spec.dnsNames ?? []), ...(spec.ipAddresses ?? [])];
  return names.length > 3 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', ');
}

function normal(about: ObjectRef, reason: string, message: string): EventDraft {
  return { about, type: 'Normal', reason, message };
}
