// What `certway account show` says of an issuer's account, from the Issuer alone: no Secret is read. Called by account.ts.

import type { Issuer } from '../api/certmanager.ts';
import { annotations } from '../api/names.ts';
import { conditionOf } from '../plan/conditions.ts';
import { rolloverCondition } from '../plan/rollover.ts';

export interface AccountView {
  readonly issuer: string;
  readonly ready: boolean;
  /** What the Ready condition says. */
  readonly message: string;
  readonly server: string;
  readonly account?: string;
  readonly email?: string;
  readonly keySecret: string;
  readonly thumbprint?: string;
  readonly rollover: { readonly state: 'none' | 'done' | 'asked' | 'failed'; readonly message: string };
  /** Other issuers with the same account. */
  readonly sharedWith: readonly string[];
}

export function nameOf({ kind, metadata: { namespace, name } }: Issuer): string {
  return namespace === undefined ? `${kind} ${name}` : `${kind} ${namespace}/${name}`;
}

/** Undefined for an issuer that is no ACME issuer. */
export function accountView(issuer: Issuer, others: readonly Issuer[]): AccountView | undefined {
  const { spec, status, metadata } = issuer;
  if (spec.acme === undefined) return undefined;
  const { server, privateKeySecretRef: ref } = spec.acme;
  const ready = conditionOf(status?.conditions, 'Ready');
  const { uri: account, lastRegisteredEmail: email } = status?.acme ?? {};
  const thumbprint = metadata.annotations?.[annotations.accountThumbprint];
  const sharing = others.filter(
    (other) => account !== undefined && other.status?.acme?.uri === account && other.metadata.uid !== metadata.uid,
  );
  return {
    issuer: nameOf(issuer),
    ready: ready?.status === 'True',
    message: ready?.message ?? 'The controller has not said anything about it yet.',
    server,
    ...(account !== undefined && { account }),
    ...(email !== undefined && { email }),
    keySecret: `${ref.name}, ${ref.key ?? 'tls.key'}`,
    ...(thumbprint !== undefined && { thumbprint }),
    rollover: rolloverOf(issuer),
    sharedWith: sharing.map(nameOf),
  };
}

export function rolloverOf({ metadata, status }: Issuer): AccountView['rollover'] {
  const noted = metadata.annotations ?? {};
  const asked = noted[annotations.rolloverAccountKey] ?? '';
  const said = conditionOf(status?.conditions, rolloverCondition);
  if (asked === '') return { state: 'none', message: 'never asked for' };
  if (asked === noted[annotations.rolledOverAccountKey])
    return { state: 'done', message: `done as asked by "${asked}"` };
  if (said?.status === 'False') return { state: 'failed', message: said.message ?? '' };
  return { state: 'asked', message: `asked for by "${asked}", not done yet` };
}

export function accountLines(view: AccountView): readonly string[] {
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['ready', `${view.ready ? 'yes' : 'no'}: ${view.message}`],
    ['server', view.server],
    ['account', view.account ?? 'none'],
    ['email', view.email ?? 'none'],
    ['key', `Secret ${view.keySecret}`],
    ['thumbprint', view.thumbprint],
    ['rollover', view.rollover.message],
    ['shared with', view.sharedWith.length === 0 ? undefined : view.sharedWith.join(', ')],
  ];
  const lines = rows.flatMap(([name, text]) => (text === undefined ? [] : [`  ${name.padEnd(12)} ${text}`]));
  return [view.issuer, ...lines];
}
