// Accounts (RFC 8555 §7.1.2, §7.3): registered once per key, found again by key, contact kept as the issuer says. Called by apply/issuer.ts.

import type { KeyObject } from 'node:crypto';
import type { Reply } from '../api/reply.ts';
import type { Document } from './document.ts';
import { fieldOf, listOf, readText, readUrl, readWord, unreadable } from './json.ts';
import { type ExternalAccount, externalBinding } from './jws.ts';
import type { AcmeProblem } from './problem.ts';
import type { AcmeReply, AcmeSession } from './session.ts';
import type { AcmeEndpoint } from './transport.ts';

export interface AcmeAccount {
  readonly url: string;
  readonly status: 'valid' | 'deactivated' | 'revoked';
  readonly contact: readonly string[];
  /** Where the account's orders are listed, at CAs that do so (§7.1.2.1). */
  readonly orders?: string;
}

export interface Registration {
  readonly endpoint: AcmeEndpoint;
  readonly key: KeyObject;
  /** One email address; absent: none, and one that the CA knows is removed. */
  readonly contact?: string;
  readonly eab?: ExternalAccount;
  readonly signal?: AbortSignal;
}

/**
 * The account of the key, made if there is none, agreeing to the CA's terms of service, with the contact wanted. A key whose account was
 * deactivated or revoked is refused as `unauthorized`.
 */
export async function register(wanted: Registration): Promise<Reply<AcmeAccount, AcmeProblem>> {
  const { endpoint, key, contact, eab, signal } = wanted;
  const directory = await endpoint.directory();
  if (!directory.ok) return directory;
  const url = directory.value.newAccount;
  const externalAccountBinding = eab === undefined ? undefined : await externalBinding(eab, key, url);
  if (eab !== undefined && externalAccountBinding === undefined) return unreadableMacKey;
  const payload = { termsOfServiceAgreed: true, contact: mailto(contact), externalAccountBinding };
  const made = await endpoint.post({ action: 'newAccount', url, key, payload, read: readNewAccount, signal });
  if (!made.ok) return made;
  const { account, isNew } = made.value.resource;
  if (account.status !== 'valid') return unusable(account);
  if (isNew || sameContact(account.contact, mailto(contact))) return { ok: true, value: account };
  const updated = await updateContact({ endpoint, key, accountUrl: account.url }, contact, signal);
  return updated.ok ? { ok: true, value: updated.value.resource } : updated;
}

/** §7.3.1: the key's account, or undefined when the CA knows none. */
export async function findAccount(
  wanted: Pick<Registration, 'endpoint' | 'key' | 'signal'>,
): Promise<Reply<AcmeAccount | undefined, AcmeProblem>> {
  const { endpoint, key, signal } = wanted;
  const directory = await endpoint.directory();
  if (!directory.ok) return directory;
  const url = directory.value.newAccount;
  const payload = { onlyReturnExisting: true };
  const found = await endpoint.post({ action: 'newAccount', url, key, payload, read: readNewAccount, signal });
  if (found.ok) return { ok: true, value: found.value.resource.account };
  const isAbsent = found.problem.kind === 'refused' && found.problem.type === 'accountDoesNotExist';
  return isAbsent ? { ok: true, value: undefined } : found;
}

/** §7.3.2: replaces all contacts by one email address, or by none. */
export function updateContact(
  session: AcmeSession,
  contact: string | undefined,
  signal?: AbortSignal,
): Promise<AcmeReply<AcmeAccount>> {
  return postAccount(session, { payload: { contact: mailto(contact) } }, signal);
}

export function readAccount(session: AcmeSession, signal?: AbortSignal): Promise<AcmeReply<AcmeAccount>> {
  return postAccount(session, {}, signal);
}

function postAccount(
  { endpoint, key, accountUrl }: AcmeSession,
  change: { readonly payload?: unknown },
  signal: AbortSignal | undefined,
): Promise<AcmeReply<AcmeAccount>> {
  const read = ({ content }: Document) => parseAccount(content, accountUrl);
  return endpoint.post({ action: 'account', url: accountUrl, key, accountUrl, ...change, read, signal });
}

function readNewAccount({ content, location, status }: Document) {
  if (location === undefined) return { ok: false, problem: unreadable('account', { location }) } as const;
  const account = parseAccount(content, location);
  if (!account.ok) return account;
  return { ok: true, value: { account: account.value, isNew: status === 201 } } as const;
}

/** The account object of §7.1.2; contacts that are no text are left out. */
export function parseAccount(content: unknown, url: string): Reply<AcmeAccount, string> {
  const status = readWord(['valid', 'deactivated', 'revoked'] as const, fieldOf(content, 'status'));
  if (status === undefined) return { ok: false, problem: unreadable('account', { status }) };
  const contact = listOf(fieldOf(content, 'contact'), readText) ?? [];
  const orders = readUrl(fieldOf(content, 'orders'));
  return { ok: true, value: { url, status, contact, ...(orders !== undefined && { orders }) } };
}

function mailto(contact: string | undefined): readonly string[] {
  return contact === undefined || contact === '' ? [] : [`mailto:${contact}`];
}

function sameContact(held: readonly string[], wanted: readonly string[]): boolean {
  return held.length === wanted.length && held.every((each, index) => each === wanted[index]);
}

function unusable(account: AcmeAccount) {
  const detail = `The account ${account.url} is ${account.status}; the issuer needs another key.`;
  return { ok: false, problem: { kind: 'refused', status: 0, type: 'unauthorized', detail, subproblems: [] } } as const;
}

const unreadableMacKey = {
  ok: false,
  problem: {
    kind: 'refused',
    status: 0,
    type: 'externalAccountRequired',
    detail: 'The key of the external account binding is not base64url.',
    subproblems: [],
  },
} as const;
