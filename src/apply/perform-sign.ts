// Signs a request in this process, for CA and SelfSigned issuers. Signing again after a crash costs nothing, so nothing is made durable here.

import { type KeyObject, randomBytes } from 'node:crypto';
import type { Issuer } from '../api/certmanager.ts';
import type { CsrFacts } from '../pki/csr.ts';
import { parseGoDuration } from '../pki/renewal.ts';
import { selfSign, signCsr } from '../pki/sign.ts';
import type { RequestTurn } from './order-turn.ts';
import { type Done, onward } from './perform.ts';
import { requestedCsr } from './request-csr.ts';
import type { Signers } from './signers.ts';
import { signByVault } from './vault-sign.ts';

const ninetyDays = 90 * 86_400_000;

/** `key` is the request's own private key, which a SelfSigned issuer signs with. The outcome is left in the attempt. */
export async function sign(turn: RequestTurn, signers: Signers, key: KeyObject | undefined): Promise<Done> {
  const { ports, request, issuer, attempt } = turn;
  if (issuer.spec.vault !== undefined) return signByVault(turn, ports.vaults);
  const csr = requestedCsr(request);
  if (!csr.ok) {
    attempt.failure = csr.problem.message;
    return onward;
  }
  const terms = termsOf(turn, csr.value);
  const signed =
    issuer.spec.ca === undefined ? await signBySelf(issuer, terms, key) : await signByCa(turn, signers, terms);
  // The issuer's own reconcile says what is wrong with its Secret, and wakes this request when it is mended.
  if (signed === 'waiting') return { kind: 'stop', outcome: { kind: 'settled' } };
  if (!signed.ok) {
    attempt.failure = signed.problem.message;
    return onward;
  }
  const { chainPem, caPem, validity, notAfter } = signed.value;
  if (validity === 'endsWithSigner') {
    const { namespace, name } = request.metadata;
    ports.log.warn({ namespace, name, ends: new Date(notAfter).toISOString() }, 'cut to the life of the signing CA');
  }
  attempt.signed = { chainPem, caPem };
  return onward;
}

function termsOf({ ports, request }: RequestTurn, csr: CsrFacts) {
  const { spec } = request;
  const notBefore = Math.floor(ports.now() / 1000) * 1000;
  return {
    csr,
    notBefore,
    notAfter: notBefore + (parseGoDuration(spec.duration ?? '') ?? ninetyDays),
    usages: spec.usages ?? [],
    isCA: spec.isCA === true,
    serial: randomBytes(16),
  };
}

type Terms = ReturnType<typeof termsOf>;

function signBySelf(issuer: Issuer, terms: Terms, key: KeyObject | undefined) {
  if (key === undefined) return 'waiting' as const;
  const points = issuer.spec.selfSigned?.crlDistributionPoints;
  return selfSign({ ...terms, key, ...(points !== undefined && { crlDistributionPoints: points }) });
}

async function signByCa({ ports, issuer }: RequestTurn, signers: Signers, terms: Terms) {
  const found = await signers(ports, issuer);
  if (found.kind !== 'ready' || found.notAfter <= ports.now()) return 'waiting' as const;
  const { crlDistributionPoints, ocspServers, issuingCertificateURLs } = issuer.spec.ca ?? {};
  return signCsr({
    ...terms,
    issuer: found.signer,
    ...(crlDistributionPoints !== undefined && { crlDistributionPoints }),
    ...(ocspServers !== undefined && { ocspServers }),
    ...(issuingCertificateURLs !== undefined && { issuingCertificateURLs }),
  });
}
