// Asks a CA when it would like a certificate to be renewed (RFC 9773), and wakes the Certificate where the answer is news. The reconcile function of
// the queue `renewalInfo`, whose keys are Certificates; it runs on the leader alone, while Certway issues.

import type { AcmeProblem } from '../acme/problem.ts';
import { type RenewalInfo, renewalInfo } from '../acme/renewal-info.ts';
import type { AcmeEndpoint } from '../acme/transport.ts';
import type { Certificate, Issuer } from '../api/certmanager.ts';
import type { OrderPhase } from '../api/order.ts';
import { apiVersion, certificates } from '../api/resources.ts';
import { afterSilence, askAfterFailure, nextAskAt, nextLookAt, silenceOf } from '../plan/renewal-asks.ts';
import { isRecall, soonestReplacement, suggestionOf } from '../plan/renewal-info.ts';
import type { Outcome } from '../queue/work-queue.ts';
import { issuerOf } from './issuer-of.ts';
import type { Ports } from './ports.ts';
import type { KnownRenewal } from './renewal-info-book.ts';

const hour = 3_600_000;
const day = 24 * hour;

/** A CA that does not answer is left alone for a while by all its certificates; not by its URL, or who mistrusts a CA would silence it for others. */
type Silences = Map<AcmeEndpoint, { readonly failures: number; readonly until: number }>;

/** The reconcile function for keys "namespace/name" of Certificates. */
export function renewalInfoReconciler(ports: Ports): (key: string) => Promise<Outcome> {
  const silences: Silences = new Map();
  return async (key) => {
    const known = ports.renewals.get(key);
    const certificate = ports.stores.certificates.get(key);
    if (known === undefined || certificate === undefined) {
      ports.renewals.delete(key);
      return { kind: 'settled' };
    }
    const now = ports.now();
    if (known.askAt > now) return { kind: 'revisit', at: known.askAt };
    const issuer = issuerOf(ports, certificate);
    // Its return wakes nothing here, and no Certificate is renewed without it.
    if (issuer?.spec.acme === undefined) return { kind: 'revisit', at: now + hour };
    const endpoint = ports.accounts.endpoint(issuer);
    const { until = 0 } = silences.get(endpoint) ?? {};
    if (until > now) return note(ports, key, known, failed(known, afterSilence(known.certId, until)));
    const reply = await renewalInfo(endpoint, known.certId, now);
    // Another certificate may have come meanwhile, which is asked about in its own turn.
    if (ports.renewals.get(key) !== known) return { kind: 'revisit', at: ports.now() };
    if (!reply.ok) return note(ports, key, known, refused(ports, known, endpoint, reply.problem, silences));
    silences.delete(endpoint);
    const next =
      reply.value === undefined ? without(known, ports.now()) : heard(ports, certificate, issuer, known, reply.value);
    tellRecall(ports, certificate, known, next, reply.value?.explanationUrl);
    return note(ports, key, known, next);
  };
}

/** Remembers it, and wakes the Certificate where something changes for it. */
function note(ports: Ports, key: string, known: KnownRenewal, next: KnownRenewal): Outcome {
  ports.renewals.set(key, next);
  const news = ({ answer, suggested }: KnownRenewal) => JSON.stringify([answer, suggested]);
  if (news(known) !== news(next)) ports.wakeCertificate(key);
  return { kind: 'revisit', at: next.askAt };
}

function heard(
  ports: Ports,
  certificate: Certificate,
  issuer: Issuer,
  known: KnownRenewal,
  { window, askAgainAt }: RenewalInfo,
): KnownRenewal {
  const now = ports.now();
  const { certId, life, suggested, remembered } = known;
  const soonest = soonestReplacement(life, orderedAt(ports, certificate, certId));
  const last = suggested ?? (remembered === undefined ? undefined : { moment: remembered });
  const next = suggestionOf({ certId, window, soonest, last }, now);
  const askAt = nextAskAt(certId, askAgainAt, now);
  return { ...known, answer: 'heard', suggested: next, heardBy: issuer.status?.acme?.uri ?? '', failures: 0, askAt };
}

/** The CA has no renewal information: the fallback is all there is. */
function without({ suggested: _, ...known }: KnownRenewal, now: number): KnownRenewal {
  return { ...known, answer: 'none', failures: 0, askAt: nextLookAt(known.certId, now) };
}

function failed(known: KnownRenewal, askAt: number): KnownRenewal {
  return { ...known, answer: known.answer === 'unasked' ? 'failed' : known.answer, askAt };
}

/** A refusal concerns the one certificate; a CA that does not answer is asked by nobody for a while. */
function refused(
  ports: Ports,
  known: KnownRenewal,
  endpoint: AcmeEndpoint,
  problem: AcmeProblem,
  silences: Silences,
): KnownRenewal {
  const now = ports.now();
  const { directoryUrl: server } = endpoint;
  const { certId, life } = known;
  const retryAt = 'retryAt' in problem ? problem.retryAt : undefined;
  switch (problem.kind) {
    case 'refused':
    case 'malformed': {
      const failures = known.failures + 1;
      const askAt = askAfterFailure({ certId, life, failures, retryAt }, now);
      if (failures === 1) ports.log.info({ certId, server, problem }, 'no renewal information of a certificate');
      return { ...failed(known, askAt), failures };
    }
    case 'unavailable':
    case 'rateLimited':
    case 'network': {
      const failures = (silences.get(endpoint)?.failures ?? 0) + 1;
      const until = Math.max(now + silenceOf(failures), Math.min(retryAt ?? 0, now + day));
      silences.set(endpoint, { failures, until });
      ports.log.info({ server, problem, again: new Date(until).toISOString() }, 'no renewal information');
      return failed(known, afterSilence(certId, until));
    }
    default:
      return problem satisfies never;
  }
}

const failures: ReadonlySet<OrderPhase> = new Set(['invalid', 'expired', 'errored']);

/** When the certificate itself was ordered in the place of another one, epoch ms. */
function orderedAt(ports: Ports, certificate: Certificate, certId: string): number | undefined {
  const requests = ports.stores.requests.by('owner', certificate.metadata.uid ?? '');
  const orders = requests.flatMap(({ metadata }) => ports.stores.orders.by('owner', metadata.uid ?? ''));
  // The one that is to replace it is not the one that it came from, which may not be on record as valid yet.
  const past = orders.filter(
    ({ spec, status }) => spec.replaces !== certId && !failures.has(status?.state ?? 'pending'),
  );
  const at = ({ metadata }: (typeof past)[number]) => Date.parse(metadata.creationTimestamp ?? '') || 0;
  const newest = past.toSorted((a, b) => at(b) - at(a))[0];
  return newest?.spec.replaces === undefined ? undefined : at(newest);
}

/** People hear of an incident before they wonder about a renewal that nobody expected. */
function tellRecall(
  ports: Ports,
  about: Certificate,
  known: KnownRenewal,
  next: KnownRenewal,
  explanationUrl: string | undefined,
): void {
  if (next.suggested === undefined || known.suggested?.kind === 'over') return;
  if (!isRecall(next.suggested, next.life)) return;
  const why = explanationUrl === undefined ? '' : ` It explains why: ${explanationUrl}`;
  const message = `The CA wants this certificate to be replaced at once, long before its end: it is revoked, or about to be.${why}`;
  const { name, namespace = '', uid } = about.metadata;
  const ref = {
    apiVersion: apiVersion(certificates),
    kind: certificates.kind,
    name,
    namespace,
    ...(uid !== undefined && { uid }),
  };
  void ports.recorder.say({ about: ref, type: 'Warning', reason: 'RecalledByCA', message }, { of: known.certId });
}
