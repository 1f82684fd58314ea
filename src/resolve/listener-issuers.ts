// Reads `certway.dev/issuers`, which names an issuer for single listeners of the object it stands on:
//   value = entry *( "," entry )    entry = listener "=" [ kind [ "." group ] "/" ] name
// Called by object.ts. A listener with a bad entry is refused alone: another issuer than the one asked for would be worse than none.

import { annotations } from '../api/names.ts';
import { readList } from './annotation-values.ts';
import { defaultGroup, type IssuerRead, isIssuerKind } from './issuer.ts';
import { isObjectName } from './object-name.ts';
import type { Source } from './source.ts';
import { listed, quoted } from './words.ts';
import type { ResolveOptions, Subject } from './world.ts';

export interface ListenerIssuers {
  readonly byListener: ReadonlyMap<string, IssuerRead>;
  /** One sentence about all bad entries. */
  readonly problem?: string;
}

export const noListenerIssuers: ListenerIssuers = { byListener: new Map() };

export function readListenerIssuers(source: Source, options: ResolveOptions): ListenerIssuers {
  const value = source.annotations[annotations.listenerIssuers];
  if (value === undefined) return noListenerIssuers;
  const names = new Set(source.listeners.map((listener) => listener.name));
  const byListener = new Map<string, IssuerRead>();
  const bad: string[] = [];
  for (const entry of readList(value)) {
    const [listener = '', ...rest] = entry.split('=').map((part) => part.trim());
    const read =
      names.has(listener) && rest.length === 1 ? readEntry(rest[0] ?? '', source.subject, options) : undefined;
    if (read === undefined || !agrees(byListener.get(listener), read)) {
      bad.push(entry);
      byListener.set(listener, { kind: 'unusable', problems: [], from: source.subject });
    } else byListener.set(listener, read);
  }
  if (bad.length === 0 && byListener.size > 0) return { byListener };
  const what = bad.length === 0 ? 'is empty' : `has ${listed(bad.map(quoted))}`;
  const accepts = 'for each listener of this object one entry such as "web=Issuer/x" or "web=ClusterIssuer/y"';
  return { byListener, problem: `Annotation ${annotations.listenerIssuers} ${what}; accepted is ${accepts}.` };
}

function readEntry(text: string, from: Subject, options: ResolveOptions): IssuerRead | undefined {
  const slash = text.indexOf('/');
  const name = text.slice(slash + 1);
  const qualified = slash === -1 ? options.defaultIssuerKind || 'Issuer' : text.slice(0, slash);
  const dot = qualified.indexOf('.');
  const kind = dot === -1 ? qualified : qualified.slice(0, dot);
  const group = dot === -1 ? defaultGroup(options) : qualified.slice(dot + 1);
  if (!isObjectName(name) || !isObjectName(group) || !isIssuerKind(kind, group)) return undefined;
  return { kind: 'named', ref: { name, kind, group }, from };
}

/** Two entries for one listener may only say the same. */
function agrees(earlier: IssuerRead | undefined, read: IssuerRead): boolean {
  if (earlier === undefined) return true;
  if (earlier.kind !== 'named' || read.kind !== 'named') return false;
  const [a, b] = [earlier.ref, read.ref];
  return a.name === b.name && a.kind === b.kind && a.group === b.group;
}
