// Has a request signed by its Vault issuer and leaves the outcome in the attempt: a certificate, a failure for good, or a wait that people can
// read. Called by the reconcilers of Certificates and requests for the action `sign`; the key is durable before, since the CSR leaves us here.

import type { Wait } from '../order/state.ts';
import { parseGoDuration } from '../pki/renewal.ts';
import { vaultRetryAt } from '../plan/issuer-vault.ts';
import { endsRequest, type VaultProblem } from '../vault/problem.ts';
import type { RequestTurn } from './order-turn.ts';
import { type Done, onward } from './perform.ts';
import type { VaultSigner } from './vault.ts';

export type VaultTurn = RequestTurn & { readonly attempt: { wait?: Wait } };

const ninetyDays = 90 * 86_400_000;

/** Never stops the turn: the plan sees what came of it. */
export async function signByVault({ ports, request, issuer, attempt }: VaultTurn, vaults: VaultSigner): Promise<Done> {
  const csrPem = Buffer.from(request.spec.request, 'base64').toString('utf8');
  const durationMs = parseGoDuration(request.spec.duration ?? '') ?? ninetyDays;
  const signed = await vaults.sign(ports, issuer, csrPem, durationMs);
  if (signed.ok) {
    attempt.signed = signed.value;
    delete attempt.wait;
    return onward;
  }
  const { namespace, name } = request.metadata;
  const { kind, detail } = signed.problem;
  ports.log.warn({ namespace, name, problem: { kind, detail } }, 'Vault did not sign');
  if (endsRequest(signed.problem)) attempt.failure = detail;
  else attempt.wait = waitFor(signed.problem, attempt.wait, ports.now());
  return onward;
}

function waitFor(problem: VaultProblem, last: Wait | undefined, now: number): Wait {
  const attempts = (last?.attempts ?? 0) + 1;
  // A login that may lock a role is the issuer's to try again, and until it is verified nothing gets here.
  const until = vaultRetryAt('outage', attempts, now);
  return { until, reason: reasonOf(problem), message: problem.detail, attempts };
}

function reasonOf({ kind }: VaultProblem): string {
  switch (kind) {
    case 'denied':
      return 'VaultDenied';
    case 'unready':
      return 'IssuerNotReady';
    case 'unavailable':
    case 'network':
      return 'VaultUnavailable';
    case 'refused':
    case 'malformed':
      return 'Failed';
    default:
      return kind satisfies never;
  }
}
