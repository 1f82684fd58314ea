// Vault issuers: whether each can sign, asked of Vault itself and remembered, and signing with it. Called by issuer.ts (what does its Ready
// condition say?) and by the performer that signs. Losing all memory costs one verification for each issuer.

import type { Issuer } from '../api/certmanager.ts';
import type { Reply } from '../api/reply.ts';
import type { VaultIssuer } from '../api/vault-issuer.ts';
import { readCsr } from '../pki/csr.ts';
import { type VaultSeen, type VaultVerdict, vaultMistake, vaultReadiness, vaultRetryAt } from '../plan/issuer-vault.ts';
import type { Chain } from '../vault/chain.ts';
import { endsRequest, fail, type VaultProblem } from '../vault/problem.ts';
import { issuerKey } from './issuer-of.ts';
import type { Ports } from './ports.ts';
import { seeSecrets, type Unreadable } from './vault-material.ts';
import { openSession, type VaultSession, type VaultSessionOptions } from './vault-session.ts';

export type VaultFound = { readonly kind: 'waiting' } | VaultSeen;

export type VaultPorts = Pick<Ports, 'kube' | 'secrets' | 'settings' | 'now' | 'wakeIssuer'>;

export interface VaultSigner extends AsyncDisposable {
  /** Whether the issuer can sign. Asks Vault only when spec or Secrets are new, a signing failed, or a failure's pause is over. */
  verify(ports: VaultPorts, issuer: Issuer): Promise<VaultFound>;
  /**
   * Has a PEM CSR signed for a duration in ms. The CSR leaves the process: its key must be durable before.
   * `endsRequest` tells which problems are final; after the others the issuer is verified again.
   */
  sign(ports: VaultPorts, issuer: Issuer, csrPem: string, durationMs: number): Promise<Reply<Chain, VaultProblem>>;
  /** The issuer is gone. */
  forget(key: string): void;
}

/** For the reconcile of issuers: what the Ready condition says; undefined for issuers of other kinds. */
export async function vaultVerdict(
  ports: VaultPorts & { readonly vaults: VaultSigner },
  issuer: Issuer,
): Promise<VaultVerdict | 'waiting' | undefined> {
  if (issuer.spec.vault === undefined) return undefined;
  const found = await ports.vaults.verify(ports, issuer);
  return found.kind === 'waiting' ? 'waiting' : vaultReadiness(found);
}

interface Held {
  /** Of the generation and the Secrets that the session was opened with. */
  readonly inputs: string;
  session: Promise<Reply<VaultSession, Unreadable>>;
  readonly reopen: () => Promise<Reply<VaultSession, Unreadable>>;
  verdict?: { readonly seen: VaultSeen; readonly attempts: number; readonly at: number };
}

// However many requests fail at once, Vault is asked again at most this often.
const verifiedForMs = 5_000;

export function vaultSigner(options: VaultSessionOptions): VaultSigner {
  const known = new Map<string, Held>();
  const hold = (ports: VaultPorts, issuer: Issuer, vault: VaultIssuer) =>
    holdIssuer(known, options, ports, issuer, vault);
  return {
    verify: async (ports, issuer) => {
      const { vault } = issuer.spec;
      if (vault === undefined) throw new Error(`${issuerKey(issuer)} is no Vault issuer`);
      const mistake = vaultMistake(vault);
      if (mistake !== undefined) return mistake;
      const held = hold(ports, issuer, vault);
      return 'kind' in held ? held : verdictOf(held, ports.now);
    },
    sign: async (ports, issuer, csrPem, durationMs) => {
      const { vault } = issuer.spec;
      const csr = readCsr(csrPem);
      if (!csr.ok) return fail('malformed', csr.problem.message);
      if (vault === undefined || vaultMistake(vault) !== undefined)
        return fail('unready', 'The issuer’s spec.vault is not usable.');
      const held = hold(ports, issuer, vault);
      if ('kind' in held)
        return fail('unready', 'message' in held ? held.message : 'A Secret of the issuer has not been seen yet.');
      const session = await opened(held);
      const signed = session.ok ? await session.value.sign({ csr: csr.value, durationMs }, ports.now()) : session;
      if (!signed.ok && needsLook(held, signed.problem, ports.now())) {
        delete held.verdict;
        ports.wakeIssuer(issuerKey(issuer));
      }
      return signed;
    },
    forget: (key) => {
      close(known.get(key));
      known.delete(key);
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([...known.values()].map(closed));
    },
  };
}

/** The issuer as it is now: a new spec or a new Secret is a new session. */
function holdIssuer(
  known: Map<string, Held>,
  options: VaultSessionOptions,
  ports: VaultPorts,
  issuer: Issuer,
  vault: VaultIssuer,
): Held | Exclude<ReturnType<typeof seeSecrets>, { kind: 'there' }> {
  const key = issuerKey(issuer);
  const seen = seeSecrets(ports, issuer, vault);
  if (seen.kind !== 'there') return seen;
  const inputs = [issuer.metadata.uid, issuer.metadata.generation, seen.versions].join(' ');
  const last = known.get(key);
  if (last?.inputs === inputs) return last;
  close(last);
  const reopen = () => openSession(ports, issuer, vault, options);
  const held: Held = { inputs, session: reopen(), reopen };
  known.set(key, held);
  return held;
}

async function verdictOf(held: Held, now: () => number): Promise<VaultSeen> {
  const { verdict } = held;
  if (verdict !== undefined && (verdict.seen.kind !== 'failed' || now() < verdict.seen.retryAt)) return verdict.seen;
  if (verdict !== undefined && !(await held.session).ok) held.session = held.reopen();
  const session = await held.session;
  const verified = session.ok ? await session.value.verify(now()) : session;
  const attempts = (verdict?.attempts ?? 0) + 1;
  const at = now();
  held.verdict = { seen: seenOf(verified, attempts, at), attempts, at };
  return held.verdict.seen;
}

function seenOf(verified: Reply<undefined, VaultProblem | Unreadable>, attempts: number, at: number): VaultSeen {
  if (verified.ok) return { kind: 'ready' };
  const { problem } = verified;
  if (problem.kind === 'unusable') return { kind: 'unusable', message: problem.message };
  const message = 'message' in problem ? problem.message : problem.detail;
  const refused = problem.kind === 'denied' || problem.kind === 'refused';
  return { kind: 'failed', message, retryAt: vaultRetryAt(refused ? 'refusal' : 'outage', attempts, at) };
}

async function opened(held: Held): Promise<Reply<VaultSession, VaultProblem>> {
  const session = await held.session;
  return session.ok ? session : fail('unready', session.problem.message);
}

/** Only what was thought good: a failed issuer is looked at again when its pause is over. */
function needsLook({ verdict }: Held, problem: VaultProblem, now: number): boolean {
  return !endsRequest(problem) && verdict?.seen.kind === 'ready' && now - verdict.at > verifiedForMs;
}

async function closed(held: Held): Promise<void> {
  const session = await held.session;
  if (session.ok) await session.value[Symbol.asyncDispose]();
}

function close(held: Held | undefined): void {
  if (held !== undefined) void closed(held);
}
