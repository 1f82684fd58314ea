// Reads a request to Pebble: which ACME action it is, by Pebble's own paths (wfe.go of 2.10.1), and whether it asks or acts.
// Pure; acme-fault.ts calls it.

import type { RawRequest } from './fault-proxy.ts';

export type AcmeAction =
  | 'directory'
  | 'newNonce'
  | 'newAccount'
  | 'account'
  | 'newOrder'
  | 'order'
  | 'orders'
  | 'authz'
  | 'challenge'
  | 'finalize'
  | 'cert'
  | 'revokeCert'
  | 'keyChange'
  | 'renewalInfo'
  | 'other';

export interface AcmeRequest {
  readonly action: AcmeAction;
  /** A POST-as-GET (RFC 8555 §6.3) reads; every other POST acts; GET and HEAD are plain. */
  readonly intent: 'read' | 'act' | 'plain';
  /** The action, after «read » when it is a POST-as-GET: "newOrder", "challenge" (answering it), "read challenge" (polling it). */
  readonly edge: string;
  /** Last part of the path: Pebble's own id of the order, authorization or certificate. For newOrder the names that are asked for. */
  readonly name?: string;
}

const paths: readonly (readonly [string, AcmeAction])[] = [
  ['/dir', 'directory'],
  ['/nonce-plz', 'newNonce'],
  ['/sign-me-up', 'newAccount'],
  ['/my-account/', 'account'],
  ['/order-plz', 'newOrder'],
  ['/my-order/', 'order'],
  ['/list-orderz/', 'orders'],
  ['/authZ/', 'authz'],
  ['/chalZ/', 'challenge'],
  ['/finalize-order/', 'finalize'],
  ['/certZ/', 'cert'],
  ['/revoke-cert', 'revokeCert'],
  ['/rollover-account-key', 'keyChange'],
  ['/draft-ietf-acme-ari-03/renewalInfo/', 'renewalInfo'],
];

export function readAcmeRequest(raw: RawRequest): AcmeRequest {
  const { pathname } = new URL(raw.path, 'https://acme');
  const found = paths.find(([path]) => (path.endsWith('/') ? pathname.startsWith(path) : pathname === path));
  const action = found?.[1] ?? 'other';
  const name = found?.[0].endsWith('/') ? pathname.slice(found[0].length) : namesAskedFor(action, raw.body);
  const intent = raw.method !== 'POST' ? 'plain' : payloadIsEmpty(raw.body) ? 'read' : 'act';
  return {
    action,
    intent,
    edge: intent === 'read' ? `read ${action}` : action,
    ...(name === undefined ? {} : { name }),
  };
}

function payloadIsEmpty(body: Buffer): boolean {
  return payloadOf(body) === '';
}

function payloadOf(body: Buffer): unknown {
  try {
    return (JSON.parse(body.toString()) as { payload?: unknown }).payload;
  } catch {
    return undefined;
  }
}

function namesAskedFor(action: AcmeAction, body: Buffer): string | undefined {
  const payload = action === 'newOrder' ? payloadOf(body) : undefined;
  if (typeof payload !== 'string') return undefined;
  const wish = JSON.parse(Buffer.from(payload, 'base64url').toString()) as {
    readonly identifiers?: readonly { readonly value: string }[];
  };
  const names = wish.identifiers?.map(({ value }) => value).toSorted();
  return names?.join(' ');
}
