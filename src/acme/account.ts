// Accounts (RFC 8555 §7.1.2, §7.3): registered once per key, found again by key, contact kept as the issuer says, closed for good. Called by
// apply/issuer-account.ts and apply/rollover.ts.

import type { KeyObject } from 'node:crypto';
import type { Reply } from '../api/reply.ts';
import { postTo } from './at-directory.ts';
import type { Document } from './document.ts';
import { fieldOf, listOf, readText, readUrl, readWord, unreadable } from './json.ts';
import { type ExternalAccount, externalBinding, isMacKey } from './jws.ts';
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
  /** One email address for an account that is new. */
  readonly contact?: string;
  readonly eab?: ExternalAccount;
  readonly signal?: AbortSignal;
}

export interface Registered extends AcmeAccount {
  readonly isNew: boolean;
}

/**
 * The account of the key, made if there is none, agreeing to the CA's terms of service. One that is found keeps the contact that it had (keepContact
 * changes it); one that was deactivated or revoked is refused as `unauthorized`.
 */
export async function register(wanted: Registration): Promise<Reply<Registered, AcmeProblem>> {
  const { endpoint, key, contact, eab, signal } = wanted;
  if (eab !== undefined && !isMacKey(eab.macKey)) return unreadableMacKey;
  const draft = async (url: string) => ({
    key,
    payload: {
      termsOfServiceAgreed: true,
      contact: mailto(contact),
      externalAccountBinding: eab === undefined ? undefined : await externalBinding(eab, key, url),
    },
    read: readNewAccount,
  });
  const made = await postTo(endpoint, 'newAccount', draft, signal);
  return made.ok ? usable(made.value.resource) : made;
}

/** §7.3.1: the key's account, or undefined when the CA knows none. One that was closed is refused as `unauthorized`. */
export async function findAccount(
  wanted: Pick<Registration, 'endpoint' | 'key' | 'signal'>,
): Promise<Reply<Registered | undefined, AcmeProblem>> {
  const { endpoint, key, signal } = wanted;
  const draft = () => ({ key, payload: { onlyReturnExisting: true }, read: readNewAccount });
  const found = await postTo(endpoint, 'newAccount', draft, signal);
  if (found.ok) return usable(found.value.resource);
  const isAbsent = found.problem.kind === 'refused' && found.problem.type === 'accountDoesNotExist';
  return isAbsent ? { ok: true, value: undefined } : found;
}

/** Asks nothing where the CA holds the wanted contact already. Some CAs tell no contacts, and are then told each time. */
export async function keepContact(
  session: AcmeSession,
  account: AcmeAccount,
  contact: string | undefined,
  signal?: AbortSignal,
): Promise<Reply<AcmeAccount, AcmeProblem>> {
  if (sameContact(account.contact, mailto(contact))) return { ok: true, value: account };
  const updated = await updateContact(session, contact, signal);
  return updated.ok ? { ok: true, value: updated.value.resource } : updated;
}

/** §7.3.2: replaces all contacts by one email address, or by none. */
export function updateContact(
  session: AcmeSession,
  contact: string | undefined,
  signal?: AbortSignal,
): Promise<AcmeReply<AcmeAccount>> {
  return postAccount(session, { payload: { contact: mailto(contact) } }, signal);
}

/** §7.3.6: closes the account for good; its key can never have one again at this CA. What it has issued stays valid. */
export function deactivate(session: AcmeSession, signal?: AbortSignal): Promise<AcmeReply<AcmeAccount>> {
  return postAccount(session, { payload: { status: 'deactivated' } }, signal);
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

function readNewAccount({ content, location, status }: Document): Reply<Registered, string> {
  if (location === undefined) return { ok: false, problem: unreadable('account', { location }) };
  const account = parseAccount(content, location);
  return account.ok ? { ok: true, value: { ...account.value, isNew: status === 201 } } : account;
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
  return contact === undefined || contact === '' ? [] : [`mailto:${contact.toLowerCase()}`];
}

function sameContact(held: readonly string[], wanted: readonly string[]): boolean {
  return held.length === wanted.length && held.every((each, index) => each.toLowerCase() === wanted[index]);
}

function usable(account: Registered): Reply<Registered, AcmeProblem> {
  if (account.status === 'valid') return { ok: true, value: account };
  const detail = `The account ${account.url} is ${account.status}; the issuer needs another key.`;
  return { ok: false, problem: { kind: 'refused', status: 0, type: 'unauthorized', detail, subproblems: [] } };
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
