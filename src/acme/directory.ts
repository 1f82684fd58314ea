// The directory (RFC 8555 §7.1.1): the addresses of everything else, read once an hour, and again when the CA does not know one of them any
// more. Called by transport.ts; at-directory.ts takes the addresses of requests from it.

import type { Reply } from '../api/reply.ts';
import { fieldOf, readText, readUrl, unreadable } from './json.ts';
import type { AcmeProblem } from './problem.ts';

export interface Directory {
  readonly newNonce: string;
  readonly newAccount: string;
  readonly newOrder: string;
  /** §7.6 and §7.3.5; not every CA has them. */
  readonly revokeCert?: string;
  readonly keyChange?: string;
  /** RFC 9773 §4.1. */
  readonly renewalInfo?: string;
  readonly meta: {
    readonly termsOfService?: string;
    readonly externalAccountRequired: boolean;
    /** Profile names with what the CA says of them. */
    readonly profiles: Readonly<Record<string, string>>;
  };
}

export function readDirectory(content: unknown): Reply<Directory, string> {
  const newNonce = readUrl(fieldOf(content, 'newNonce'));
  const newAccount = readUrl(fieldOf(content, 'newAccount'));
  const newOrder = readUrl(fieldOf(content, 'newOrder'));
  if (newNonce === undefined || newAccount === undefined || newOrder === undefined) {
    return { ok: false, problem: unreadable('ACME directory', { newNonce, newAccount, newOrder }) };
  }
  const meta = fieldOf(content, 'meta');
  const renewalInfo = readUrl(fieldOf(content, 'renewalInfo'));
  const revokeCert = readUrl(fieldOf(content, 'revokeCert'));
  const keyChange = readUrl(fieldOf(content, 'keyChange'));
  const termsOfService = readUrl(fieldOf(meta, 'termsOfService'));
  return {
    ok: true,
    value: {
      newNonce,
      newAccount,
      newOrder,
      ...(revokeCert !== undefined && { revokeCert }),
      ...(keyChange !== undefined && { keyChange }),
      ...(renewalInfo !== undefined && { renewalInfo }),
      meta: {
        ...(termsOfService !== undefined && { termsOfService }),
        externalAccountRequired: fieldOf(meta, 'externalAccountRequired') === true,
        profiles: readProfiles(fieldOf(meta, 'profiles')),
      },
    },
  };
}

function readProfiles(value: unknown): Readonly<Record<string, string>> {
  if (typeof value !== 'object' || value === null) return {};
  const entries = Object.entries(value).map(([name, about]) => [name, readText(about) ?? ''] as const);
  return Object.fromEntries(entries);
}

type DirectoryReply = Reply<Directory, AcmeProblem>;

export interface DirectoryCache {
  read(now: number): Promise<DirectoryReply>;
  /** The next reader asks again: the CA does not know an address that it gave. */
  forget(): void;
}

const freshMs = 3_600_000;

/** Readers at the same time share one request; a failure is not kept. */
export function directoryCache(ask: () => Promise<DirectoryReply>): DirectoryCache {
  let held: { readonly at: number; readonly reply: Promise<DirectoryReply> } | undefined;
  return {
    read: async (now) => {
      if (held === undefined || now - held.at >= freshMs) held = { at: now, reply: ask() };
      const asked = held;
      const reply = await asked.reply;
      if (!reply.ok && held === asked) held = undefined;
      return reply;
    },
    forget: () => {
      held = undefined;
    },
  };
}
