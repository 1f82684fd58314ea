// Gathers what planCertificate decides on: caches first, a GET only for a Secret whose content is not known yet. Called by certificate.ts.

import type { Certificate } from '../api/certmanager.ts';
import type { Metadata } from '../api/core.ts';
import { annotations, certManagerGroup } from '../api/names.ts';
import { secrets } from '../api/resources.ts';
import type { KubeProblem } from '../kube/problem.ts';
import type { Store } from '../kube/store.ts';
import { checkRequest } from '../pki/satisfies.ts';
import { type KeystoresSeen, secretDrift } from '../plan/secret-drift.ts';
import type { CertificateSeen, SecretSeen } from '../plan/seen.ts';
import { nothingStands } from '../plan/standing.ts';
import { type Attempt, attemptSeen } from './attempt.ts';
import { recall } from './budget-recall.ts';
import { hasten } from './hurry.ts';
import { seeClaim, seeInfra } from './infra-move.ts';
import { issuerOf, seeIssuer } from './issuer-of.ts';
import { unfitKey } from './kept-key.ts';
import { leftovers } from './leftovers.ts';
import { claimedNames, seeAllowance } from './names-allowed.ts';
import { hostsOf } from './order-object.ts';
import { standingOf } from './order-standing.ts';
import type { Ports } from './ports.ts';
import { dueRenewal } from './renewal-info-due.ts';
import { readSecret, secretFacts } from './secret-content.ts';
import { noKeystores, seeKeystores } from './see-keystores.ts';
import { changedSince, seeRequest } from './see-request.ts';
import type { Signers } from './signers.ts';

export type Observed =
  | { readonly kind: 'seen'; readonly seen: CertificateSeen }
  /** The namespace's Secrets are still being listed, or the CA is asked about a renewal until then (epoch ms); either wakes the key. */
  | { readonly kind: 'waiting'; readonly until?: number }
  | { readonly kind: 'problem'; readonly problem: KubeProblem };

export async function observeCertificate(
  ports: Ports,
  certificate: Certificate,
  attempt: Attempt,
  signers: Signers,
): Promise<Observed> {
  const namespace = certificate.metadata.namespace ?? '';
  const watch = ports.secrets.ours(namespace);
  if (watch.kind === 'waiting') return watch;
  const { forbidden: refusal } = attempt;
  if (refusal !== undefined && ports.secrets.grantedAt(namespace) > refusal.since) delete attempt.forbidden;
  const refused = watch.kind === 'forbidden' ? watch.message : attempt.forbidden?.message;
  const secret =
    watch.kind === 'forbidden' || refused !== undefined
      ? { ok: true as const, value: forbidden(namespace, refused ?? '') }
      : await seeSecret(ports, watch.store, certificate, attempt);
  if (!secret.ok) return { kind: 'problem', problem: secret.problem };
  const keystores = await keystoresOf(ports, certificate, attempt, secret.value);
  if (!keystores.ok) return { kind: 'problem', problem: keystores.problem };
  if (keystores.value === 'waiting') return { kind: 'waiting' };
  const changed = changedSince(ports, certificate, attempt, secret.value);
  const request = seeRequest(ports, certificate, attempt);
  const [order] = request === undefined ? [] : ports.stores.orders.by('owner', request.object.metadata.uid ?? '');
  if (order === undefined) delete attempt.order;
  else {
    hasten(ports, order, attempt);
    recall(ports, order, issuerOf(ports, certificate), attempt);
  }
  const due = dueRenewal(ports, certificate, secret.value, attempt, await signerEnd(ports, certificate, signers));
  if (due?.kind === 'awaited') return { kind: 'waiting', until: due.until };
  const checked = checkRequest(certificate.spec);
  const rival = rivalOf(ports, certificate, secret.value);
  // A request that the spec has left behind is deleted, and what it claims with it.
  const asked = request?.matchesSpec === true ? attempt.request?.facts : undefined;
  const names = claimedNames(asked, certificate.spec);
  const allowance = await seeAllowance(ports, namespace, { names, issuerRef: certificate.spec.issuerRef });
  if (!allowance.ok) return { kind: 'problem', problem: allowance.problem };
  const { value: notAllowed } = allowance;
  const unfit = unfitKey(certificate, secret.value, attempt);
  return {
    kind: 'seen',
    seen: {
      certificate,
      secret: secret.value,
      issuer: seeIssuer(ports, certificate, hostsOf(certificate)),
      ...(request !== undefined && { request }),
      ...(order !== undefined && { order }),
      standing: order === undefined ? nothingStands : standingOf(ports.stores, order),
      attempt: attemptSeen(attempt, certificate.spec.privateKey),
      leftovers: leftovers(ports, certificate, watch.kind === 'ready' ? watch.store : undefined),
      ...(due?.kind === 'due' && { renewAt: due.at }),
      keystores: keystores.value,
      drift: driftOf(ports, certificate, secret.value, keystores.value),
      ...(changed !== undefined && { requestChanged: changed }),
      leastBackOffMs: ports.settings.leastBackOffMs,
      renewal: due?.kind === 'disabled' ? 'disabled' : 'wanted',
      ...(!checked.ok && { invalid: checked.problem.message }),
      ...(notAllowed !== undefined && { notAllowed }),
      ...(unfit !== undefined && { unfitKey: unfit }),
      // An edit may be what mends it: try at once.
      ...(attempt.refusal?.generation === certificate.metadata.generation && { refusal: attempt.refusal }),
      ...(rival !== undefined && { rival }),
      ...seeInfra(ports, certificate, hostsOf(certificate), order),
      ...seeClaim(ports, certificate),
    },
  };
}

/** Only of a Secret that may be written. */
async function keystoresOf(ports: Ports, certificate: Certificate, attempt: Attempt, secret: SecretSeen) {
  if (secret.kind === 'forbidden' || secret.kind === 'foreign') return { ok: true as const, value: noKeystores };
  return seeKeystores(ports, certificate, attempt);
}

function driftOf(ports: Ports, certificate: Certificate, secret: SecretSeen, keystores: KeystoresSeen) {
  const shape = secret.kind === 'ours' ? secret.facts.shape : undefined;
  return shape === undefined ? [] : secretDrift(certificate, shape, keystores, ports.settings.secretOwner);
}

function forbidden(namespace: string, message: string): SecretSeen {
  return {
    kind: 'forbidden',
    message: `Certway may not write Secrets in namespace "${namespace}"; run: certway grant ${namespace} | kubectl apply -f - (${message})`,
  };
}

async function seeSecret(ports: Ports, store: Store<Metadata>, certificate: Certificate, attempt: Attempt) {
  const namespace = certificate.metadata.namespace ?? '';
  const name = certificate.spec.secretName;
  const metadata = store.get(`${namespace}/${name}`);
  if (metadata === undefined && attempt.secret !== undefined && isStill(ports, namespace, name, attempt.secret)) {
    return { ok: true as const, value: { kind: attempt.secret.kind } satisfies SecretSeen };
  }
  const known = attempt.secret?.kind === 'content' ? attempt.secret.content : undefined;
  if (metadata !== undefined && known !== undefined && known.resourceVersion === metadata.metadata.resourceVersion) {
    return ours(metadata, known, certificate);
  }
  const read = await ports.kube.getWhole(secrets, { namespace, name });
  if (!read.ok) {
    if (read.problem.kind !== 'notFound') return { ok: false as const, problem: read.problem };
    attempt.secret = { kind: 'absent' };
    return { ok: true as const, value: { kind: 'absent' } satisfies SecretSeen };
  }
  if (read.value.metadata.annotations?.[annotations.certificateName] === undefined) {
    attempt.secret = { kind: 'foreign', resourceVersion: read.value.metadata.resourceVersion };
    return { ok: true as const, value: { kind: 'foreign' } satisfies SecretSeen };
  }
  const content = readSecret(read.value);
  attempt.secret = { kind: 'content', content };
  return ours(read.value, content, certificate);
}

type Unlabelled = Extract<Attempt['secret'], { kind: 'absent' | 'foreign' }>;

/** Somebody else's Secret lacks the label that we watch by, so it is watched by its name: its end is what the Certificate waits for. */
function isStill(
  ports: Ports,
  namespace: string,
  name: string,
  seen: NonNullable<Attempt['secret']>,
): seen is Unlabelled {
  if (seen.kind !== 'foreign') return seen.kind === 'absent';
  const watch = ports.secrets.named(namespace, name);
  if (watch.kind !== 'ready') return true;
  return watch.store.get(`${namespace}/${name}`)?.metadata.resourceVersion === seen.resourceVersion;
}

function ours(metadata: Metadata, content: ReturnType<typeof readSecret>, certificate: Certificate) {
  const facts = secretFacts(metadata.metadata, content, certificate.spec);
  return { ok: true as const, value: { kind: 'ours', facts } satisfies SecretSeen };
}

/** Of a CA whose key is here; undefined too where it is not read yet. */
async function signerEnd(ports: Ports, certificate: Certificate, signers: Signers): Promise<number | undefined> {
  const isOurs = (certificate.spec.issuerRef.group || certManagerGroup) === certManagerGroup;
  const issuer = isOurs ? issuerOf(ports, certificate) : undefined;
  if (issuer?.spec.ca === undefined) return undefined;
  const found = await signers(ports, issuer);
  return found.kind === 'ready' ? found.notAfter : undefined;
}

/** Of several Certificates with one secretName, the one that the Secret names keeps it, else the oldest, then the first by name. */
function rivalOf(ports: Ports, certificate: Certificate, secret: SecretSeen): string | undefined {
  const { namespace, name } = certificate.metadata;
  const claims = ports.stores.certificates.by('secretName', `${namespace}/${certificate.spec.secretName}`);
  if (claims.length < 2) return undefined;
  const named = secret.kind === 'ours' ? secret.facts.certificateName : undefined;
  const holder =
    claims.find((each) => each.metadata.name === named) ??
    claims.toSorted(
      (a, b) =>
        (a.metadata.creationTimestamp ?? '').localeCompare(b.metadata.creationTimestamp ?? '') ||
        a.metadata.name.localeCompare(b.metadata.name),
    )[0];
  return holder === undefined || holder.metadata.name === name ? undefined : holder.metadata.name;
}
