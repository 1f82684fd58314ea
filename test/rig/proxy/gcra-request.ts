// What the referee of rate limits must know of ACME messages: who asks, for which names, replacing what, and how the CA answered. Pure; called by
// gcra-proxy.ts. Whatever does not read as expected is undefined: the CA itself then answers it.

import { X509Certificate } from 'node:crypto';
import type { Answer } from './verdict.ts';

export interface Wish {
  /** The account's URL. */
  readonly account: string;
  readonly names: readonly string[];
  /** The certificate to replace (RFC 9773 §5). */
  readonly replaces?: string;
}

export interface OrderState {
  readonly status: string;
  readonly names: readonly string[];
  /** Empty where it replaces nothing. */
  readonly replaces: string;
}

export interface AuthzState {
  readonly status: string;
  /** As the order had it, a wildcard with its star. */
  readonly name: string;
}

interface Identifier {
  readonly value: string;
}

/** The account that signed a POST: its `kid` (RFC 8555 §6.2). */
export function accountOf(body: Buffer): string | undefined {
  const { kid } = protectedOf(body) as { readonly kid?: unknown };
  return typeof kid === 'string' ? kid : undefined;
}

/** Of a newOrder. */
export function wishOf(body: Buffer): Wish | undefined {
  const account = accountOf(body);
  const { identifiers, replaces } = jsonOf(decoded(memberOf(body, 'payload'))) as {
    readonly identifiers?: readonly Identifier[];
    readonly replaces?: string;
  };
  if (account === undefined || !Array.isArray(identifiers)) return undefined;
  return { account, names: identifiers.map(({ value }) => value), ...(replaces === undefined ? {} : { replaces }) };
}

/** Of an answer that shows an order (RFC 8555 §7.1.3). */
export function orderIn({ status, body }: Answer): OrderState {
  const order = (status < 300 ? jsonOf(String(body)) : {}) as {
    readonly status?: string;
    readonly identifiers?: readonly Identifier[];
    readonly replaces?: string;
  };
  const { status: state = '', identifiers = [], replaces = '' } = order;
  return { status: state, names: identifiers.map(({ value }) => value), replaces };
}

/** Of an answer that shows an authorization (RFC 8555 §7.1.4). */
export function authzIn({ status, body }: Answer): AuthzState | undefined {
  const authz = (status < 300 ? jsonOf(String(body)) : {}) as {
    readonly status?: string;
    readonly identifier?: Identifier;
    readonly wildcard?: boolean;
  };
  if (authz.status === undefined || authz.identifier === undefined) return undefined;
  const star = authz.wildcard === true ? '*.' : '';
  return { status: authz.status, name: `${star}${authz.identifier.value}` };
}

export interface Issued {
  /** Hexadecimal, without leading zeros. */
  readonly serial: string;
  readonly names: readonly string[];
}

/** The leaf of an answer that is a chain. */
export function leafIn({ status, body }: Answer): Issued | undefined {
  if (status >= 300) return undefined;
  try {
    const { serialNumber, subjectAltName = '' } = new X509Certificate(body);
    return {
      serial: trimmed(serialNumber),
      names: subjectAltName.split(', ').map((name) => name.replace(/^.*?:/, '')),
    };
  } catch {
    return undefined;
  }
}

/** The serial, written likewise, in an ARI certificate identifier (RFC 9773 §4.1). */
export function serialOf(certId: string): string {
  return trimmed(Buffer.from(certId.split('.')[1] ?? '', 'base64url').toString('hex'));
}

/** Of renewalInfo (RFC 9773 §4.2). */
export function isInWindow(body: string, now: number): boolean {
  const { suggestedWindow = {} } = jsonOf(body) as { readonly suggestedWindow?: { start?: string; end?: string } };
  const { start = '', end = '' } = suggestedWindow;
  return Date.parse(start) <= now && now < Date.parse(end);
}

function protectedOf(body: Buffer): object {
  return jsonOf(decoded(memberOf(body, 'protected')));
}

function memberOf(body: Buffer, member: 'payload' | 'protected'): string {
  const { [member]: value } = jsonOf(body.toString()) as Readonly<Record<string, unknown>>;
  return typeof value === 'string' ? value : '';
}

function decoded(base64url: string): string {
  return Buffer.from(base64url, 'base64url').toString();
}

function jsonOf(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

function trimmed(hex: string): string {
  return hex.toLowerCase().replace(/^0+(?=.)/, '');
}
