// Signs a request in this process, for CA and SelfSigned issuers. Signing again after a crash costs nothing, so nothing is made durable here.

import { randomBytes } from 'node:crypto';
import { readCsr } from '../pki/csr.ts';
import { parseGoDuration } from '../pki/renewal.ts';
import { selfSign, signCsr } from '../pki/sign.ts';
import { issuerOf } from './issuer-of.ts';
import { type Done, onward, type Turn } from './perform.ts';
import type { Signers } from './signers.ts';

const ninetyDays = 90 * 86_400_000;

export async function sign(turn: Turn, signers: Signers): Promise<Done> {
  const { ports, certificate, seen, attempt } = turn;
  const issuer = issuerOf(ports, certificate);
  const pem = Buffer.from(seen.request?.object.spec.request ?? '', 'base64').toString('utf8');
  const csr = readCsr(pem);
  if (issuer === undefined) return onward;
  if (!csr.ok) {
    attempt.failure = csr.problem.message;
    return onward;
  }
  const notBefore = Math.floor(ports.now() / 1000) * 1000;
  const { spec } = certificate;
  const terms = {
    csr: csr.value,
    notBefore,
    notAfter: notBefore + (parseGoDuration(spec.duration ?? '') ?? ninetyDays),
    usages: spec.usages ?? [],
    isCA: spec.isCA === true,
    serial: randomBytes(16),
  };
  const signed = issuer.spec.ca === undefined ? await signBySelf() : await signByCa(issuer.spec.ca);
  if (signed === 'waiting') return { kind: 'stop', outcome: { kind: 'settled' } };
  if (signed.ok && signed.value.validity === 'endsWithSigner') {
    const ends = new Date(signed.value.notAfter).toISOString();
    ports.log.warn(
      { namespace: certificate.metadata.namespace, name: certificate.metadata.name, ends },
      'cut to the life of the signing CA',
    );
  }
  if (signed.ok) attempt.signed = { chainPem: signed.value.chainPem, caPem: signed.value.caPem };
  else attempt.failure = signed.problem.message;
  return onward;

  async function signBySelf() {
    const { key } = attempt;
    if (key === undefined || key.kind === 'lost') return 'waiting';
    const points = issuer?.spec.selfSigned?.crlDistributionPoints;
    return selfSign({ ...terms, key: key.key, ...(points !== undefined && { crlDistributionPoints: points }) });
  }

  async function signByCa(ca: NonNullable<NonNullable<typeof issuer>['spec']['ca']>) {
    if (issuer === undefined) return 'waiting';
    const found = await signers(ports, issuer);
    // The issuer's own reconcile says what is wrong with its Secret, and wakes this Certificate when it is mended.
    if (found.kind !== 'ready') return 'waiting';
    const { crlDistributionPoints, ocspServers, issuingCertificateURLs } = ca;
    return signCsr({
      ...terms,
      issuer: found.signer,
      ...(crlDistributionPoints !== undefined && { crlDistributionPoints }),
      ...(ocspServers !== undefined && { ocspServers }),
      ...(issuingCertificateURLs !== undefined && { issuingCertificateURLs }),
    });
  }
}
