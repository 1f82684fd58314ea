// One reconcile of a CertificateRequest that no Certificate of ours stands behind: observe, plan, perform, until the plan rests. Called by the work
// queue in main.ts; the requests of Certificates are served by certificate.ts.

import type { KeyObject } from 'node:crypto';
import type { CertificateRequest } from '../api/certmanager.ts';
import { fullRef } from '../api/issuer-ref.ts';
import { annotations, certManagerGroup } from '../api/names.ts';
import type { Reply } from '../api/reply.ts';
import { secrets } from '../api/resources.ts';
import type { KubeProblem } from '../kube/problem.ts';
import { namesInCsr } from '../pki/csr-claims.ts';
import { keyFromPem, publicHalf, publicKeysEqual } from '../pki/keys.ts';
import { planRequest, type RequestAction, type RequestSeenAlone } from '../plan/request.ts';
import { nothingStands } from '../plan/standing.ts';
import type { Outcome } from '../queue/work-queue.ts';
import { recall } from './budget-recall.ts';
import { hasten } from './hurry.ts';
import { seeInfraOfRequest } from './infra-move.ts';
import { issuerOf, seeIssuer } from './issuer-of.ts';
import { seeAllowance } from './names-allowed.ts';
import { hostsOf } from './order-object.ts';
import { standingOf } from './order-standing.ts';
import type { OrderAttempt, RequestTurn } from './order-turn.ts';
import { createOrder, noteWait, recordOrder } from './order-writes.ts';
import { afterProblem } from './outcome.ts';
import { type Done, onward } from './perform.ts';
import { advanceOrder } from './perform-order.ts';
import { sign } from './perform-sign.ts';
import type { Ports } from './ports.ts';
import { requestedCsr } from './request-csr.ts';
import { writeApproved, writeDenied, writeFailed, writeIssued, writePending } from './request-status.ts';
import { decode } from './secret-content.ts';
import type { Signers } from './signers.ts';
import { withdraw } from './withdraw.ts';

const mostActions = 40;

interface Memory extends OrderAttempt {
  readonly uid: string | undefined;
  key?: KeyObject;
  csr?: ReturnType<typeof requestedCsr>;
}

/** The reconcile function for keys "namespace/name" of CertificateRequests. */
export function requestReconciler(ports: Ports, signers: Signers): (key: string) => Promise<Outcome> {
  const memories = new Map<string, Memory>();
  return async (key) => {
    for (let count = 0; count < mostActions; count++) {
      const request = ports.stores.requests.get(key);
      if (request === undefined || isServedElsewhere(ports, request)) {
        memories.delete(key);
        return { kind: 'settled' };
      }
      const last = memories.get(key);
      const memory: Memory =
        last?.uid === request.metadata.uid && last !== undefined ? last : { uid: request.metadata.uid };
      memories.set(key, memory);
      const observed = await observe(ports, request, memory);
      if (!observed.ok) return afterProblem(observed.problem, ports.now());
      const { value: seen } = observed;
      const action = planRequest(seen, ports.now());
      if (action.kind === 'rest') {
        return action.revisitAt === undefined ? { kind: 'settled' } : { kind: 'revisit', at: action.revisitAt };
      }
      const done = await perform({ ports, request, seen, memory, signers, key }, action);
      if (done.kind === 'stop') return done.outcome;
    }
    ports.log.error({ request: key }, 'no rest after so many actions: a bug; left alone for a minute');
    return { kind: 'revisit', at: ports.now() + 60_000 };
  };
}

/** By its Certificate's reconcile, or by the controller of another group. */
export function isServedElsewhere(ports: Pick<Ports, 'stores'>, request: CertificateRequest): boolean {
  if (fullRef(request.spec.issuerRef).group !== certManagerGroup) return true;
  const { namespace, ownerReferences = [] } = request.metadata;
  return ownerReferences.some(
    ({ kind, name, uid }) =>
      kind === 'Certificate' && ports.stores.certificates.get(`${namespace}/${name}`)?.metadata.uid === uid,
  );
}

async function observe(
  ports: Ports,
  request: CertificateRequest,
  memory: Memory,
): Promise<Reply<RequestSeenAlone, KubeProblem>> {
  memory.csr ??= requestedCsr(request);
  const { csr } = memory;
  const [order] = ports.stores.orders.by('owner', request.metadata.uid ?? '');
  if (order === undefined) delete memory.order;
  else {
    hasten(ports, order, memory);
    recall(ports, order, issuerOf(ports, request), memory);
  }
  const hosts = csr.ok ? hostsOf({ spec: csr.value.names }) : [];
  const issuer = seeIssuer(ports, request, hosts);
  const isSelfSigned = issuerOf(ports, request)?.spec.selfSigned !== undefined;
  const lacksKey = issuer.kind === 'local' && isSelfSigned ? await findKey(ports, request, memory) : undefined;
  const claimed = csr.ok ? namesInCsr(csr.value) : [];
  const asked = { names: claimed, issuerRef: request.spec.issuerRef };
  const allowance = await seeAllowance(ports, request.metadata.namespace ?? '', asked);
  if (!allowance.ok) return allowance;
  const { value: notAllowed } = allowance;
  const { signed, failure, wait, order: state, refusal } = memory;
  const seen = {
    request,
    approver: ports.settings.approver,
    issuer,
    ...(!csr.ok && { hopeless: csr.problem.message }),
    ...(notAllowed !== undefined && { notAllowed }),
    ...(lacksKey !== undefined && { lacksKey }),
    ...(order !== undefined && { order }),
    standing: order === undefined ? nothingStands : standingOf(ports.stores, order),
    attempt: {
      signed: signed !== undefined,
      ...(failure !== undefined && { failure }),
      ...(wait !== undefined && { wait }),
      ...(state !== undefined && { order: state }),
    },
    ...(refusal !== undefined && { refusal }),
    ...seeInfraOfRequest(ports, request, hosts, order),
  };
  return { ok: true, value: seen };
}

/** A SelfSigned issuer signs with the request's own key, which the requester names (cert-manager.io/private-key-secret-name). */
async function findKey(ports: Ports, request: CertificateRequest, memory: Memory): Promise<string | undefined> {
  if (memory.key !== undefined || memory.csr?.ok !== true) return undefined;
  const { namespace = '' } = request.metadata;
  const name = request.metadata.annotations?.[annotations.privateKeySecretName];
  if (name === undefined) {
    return `A self-signed certificate is signed with its own key; name its Secret in the annotation ${annotations.privateKeySecretName}.`;
  }
  const secret = `Secret "${namespace}/${name}"`;
  // Watched by its name: the request is looked at again when the Secret comes or changes.
  ports.secrets.named(namespace, name);
  const read = await ports.kube.get(secrets, { namespace, name });
  if (!read.ok && read.problem.kind === 'forbidden') {
    return `Certway may not read ${secret}; run: certway grant ${namespace} | kubectl apply -f -`;
  }
  if (!read.ok) return `${secret} with the request's private key does not exist.`;
  const key = keyFromPem(decode(read.value, 'tls.key'));
  if (!key.ok) return `${secret} holds no private key under tls.key.`;
  if (!publicKeysEqual(publicHalf(key.value), memory.csr.value.publicKey)) {
    memory.failure = `The private key in ${secret} does not belong to the request.`;
    return undefined;
  }
  memory.key = key.value;
  return undefined;
}

interface Working {
  readonly ports: Ports;
  readonly request: CertificateRequest;
  readonly seen: RequestSeenAlone;
  readonly memory: Memory;
  readonly signers: Signers;
  readonly key: string;
}

function perform(working: Working, action: Exclude<RequestAction, { kind: 'rest' }>): Promise<Done> | Done {
  const { ports, request, memory } = working;
  const task = { ports, about: request, attempt: memory };
  switch (action.kind) {
    case 'approve':
      return writeApproved(task, request);
    case 'deny':
      return writeDenied(task, request, action.message);
    case 'tellPending':
      return writePending(task, request, action.message);
    case 'fail':
      return writeFailed(task, request, action);
    case 'issue':
      return memory.signed === undefined ? onward : writeIssued(task, request, memory.signed);
    case 'withdraw':
      return withdraw(task, action.standing);
    case 'sign':
    case 'createOrder':
    case 'advanceOrder':
    case 'noteWait':
    case 'recordOrder':
      return pursue(working, action);
    default:
      return action satisfies never;
  }
}

type Pursued = 'sign' | 'createOrder' | 'advanceOrder' | 'noteWait' | 'recordOrder';

function pursue(working: Working, action: RequestAction & { readonly kind: Pursued }): Promise<Done> | Done {
  const { ports, request, memory, seen, key } = working;
  const issuer = issuerOf(ports, request);
  if (issuer === undefined) return onward;
  const wake = () => ports.wakeRequest(key);
  const turn: RequestTurn = { ports, about: request, attempt: memory, request, issuer, wake };
  if (action.kind === 'sign') return sign(turn, working.signers, memory.key);
  if (action.kind === 'createOrder') return createOrder(turn);
  if (seen.order === undefined) return onward;
  const ordered = { ...turn, order: seen.order };
  switch (action.kind) {
    case 'advanceOrder':
      return advanceOrder(ordered);
    case 'noteWait':
      return noteWait(ordered);
    case 'recordOrder':
      return recordOrder(ordered, action.phase, action.reason);
    default:
      return action satisfies never;
  }
}
