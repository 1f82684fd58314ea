// One reconcile of one Issuer or ClusterIssuer: observe, plan, perform, until the plan rests. Called by the work queue in main.ts.

import { createHash, type KeyObject } from 'node:crypto';
import { register } from '../acme/account.ts';
import type { Issuer } from '../api/certmanager.ts';
import type { Secret } from '../api/core.ts';
import { annotations } from '../api/names.ts';
import { clusterIssuers, issuers, secrets } from '../api/resources.ts';
import type { KubeProblem } from '../kube/problem.ts';
import { generateKey, keyToPem } from '../pki/keys.ts';
import {
  type AccountKeySeen,
  type IssuerAction,
  planIssuer,
  type Readiness,
  type RegistrationSeen,
  type SignerSeen,
} from '../plan/issuer.ts';
import type { Outcome } from '../queue/work-queue.ts';
import { secretNamespace } from './issuer-of.ts';
import { afterProblem } from './outcome.ts';
import type { Ports } from './ports.ts';
import { decode } from './secret-content.ts';
import type { Signers } from './signers.ts';

/** What this process knows of the issuer's account; a restart knows nothing and need not. */
interface Held {
  generation: number | undefined;
  key: { readonly seen: AccountKeySeen; readonly key?: KeyObject };
  registration: RegistrationSeen;
}

const unread: Held['key'] = { seen: { kind: 'unread' } };

/** The reconcile function for keys "Issuer/namespace/name" and "ClusterIssuer/name". */
export function issuerReconciler(ports: Ports, signers: Signers): (key: string) => Promise<Outcome> {
  const held = new Map<string, Held>();
  return async (key) => {
    for (let count = 0; count < 10; count++) {
      const issuer = find(ports, key);
      if (issuer === undefined) {
        held.delete(key);
        return { kind: 'settled' };
      }
      const mine = held.get(key) ?? { generation: undefined, key: unread, registration: { kind: 'none' } };
      if (
        mine.generation !== issuer.metadata.generation ||
        (ports.accounts.isLost(issuer) && mine.registration.kind === 'done')
      ) {
        // The spec decides which key, which address and which directory: start over.
        Object.assign(mine, { generation: issuer.metadata.generation, key: unread, registration: { kind: 'none' } });
      }
      held.set(key, mine);
      const signer = issuer.spec.ca === undefined ? undefined : await signers(ports, issuer);
      if (signer?.kind === 'waiting') return { kind: 'settled' };
      const action = planIssuer(
        {
          issuer,
          ...(signer !== undefined && { signer: signer satisfies SignerSeen }),
          accountKey: mine.key.seen,
          account: ports.accounts.isLost(issuer) ? 'lost' : 'asTold',
          registration: mine.registration,
        },
        ports.now(),
      );
      if (action.kind === 'rest') {
        return action.revisitAt === undefined ? { kind: 'settled' } : { kind: 'revisit', at: action.revisitAt };
      }
      const problem = await perform(ports, issuer, mine, action);
      if (problem !== undefined) return afterProblem(problem, ports.now());
    }
    return { kind: 'retry', why: 'ten actions without coming to rest' };
  };
}

function find(ports: Ports, key: string): Issuer | undefined {
  const slash = key.indexOf('/');
  const name = key.slice(slash + 1);
  return key.startsWith('ClusterIssuer/') ? ports.stores.clusterIssuers.get(name) : ports.stores.issuers.get(name);
}

async function perform(
  ports: Ports,
  issuer: Issuer,
  held: Held,
  action: IssuerAction,
): Promise<KubeProblem | undefined> {
  switch (action.kind) {
    case 'loadKey':
      return loadKey(ports, issuer, held);
    case 'makeKey':
      return makeKey(ports, issuer, held);
    case 'register':
      return registerAccount(ports, issuer, held);
    case 'annotate': {
      const noted = { ...issuer.metadata.annotations, [annotations.accountThumbprint]: action.thumbprint };
      const reply = await ports.kube.replace(resourceOf(issuer), {
        ...issuer,
        metadata: { ...issuer.metadata, annotations: noted },
      });
      return noteIssuer(ports, reply);
    }
    case 'writeStatus': {
      const reply = await ports.kube.replaceStatus(resourceOf(issuer), { ...issuer, status: action.status });
      const problem = noteIssuer(ports, reply);
      if (problem === undefined) await tell(ports, issuer, action.ready);
      return problem;
    }
    case 'rest':
      return undefined;
    default:
      return action satisfies never;
  }
}

async function loadKey(ports: Ports, issuer: Issuer, held: Held): Promise<KubeProblem | undefined> {
  const namespace = secretNamespace(ports, issuer);
  const read = await ports.accounts.readKey(issuer, namespace);
  if (read.ok) {
    held.key = read.value === undefined ? { seen: { kind: 'absent' } } : await keySeen(ports, issuer, read.value);
    return undefined;
  }
  if (read.problem.kind === 'key') {
    held.key = { seen: { kind: 'unusable', message: read.problem.message } };
    return undefined;
  }
  if (read.problem.problem.kind !== 'forbidden') return read.problem.problem;
  const message = `Certway may not read Secrets in namespace "${namespace}"; run: certway grant ${namespace} | kubectl apply -f -`;
  held.key = { seen: { kind: 'forbidden', message } };
  return undefined;
}

async function keySeen(ports: Ports, issuer: Issuer, key: KeyObject): Promise<Held['key']> {
  const der =
    key.asymmetricKeyType === 'rsa'
      ? key.export({ type: 'pkcs1', format: 'der' })
      : key.export({ type: 'pkcs8', format: 'der' });
  const hash = createHash('sha256').update(der).digest('base64');
  const thumbprint = await ports.accounts.endpoint(issuer).thumbprint(key);
  return { seen: { kind: 'held', hash, thumbprint }, key };
}

async function makeKey(ports: Ports, issuer: Issuer, held: Held): Promise<KubeProblem | undefined> {
  const key = await generateKey({ algorithm: 'RSA', size: 2048 });
  const { name = '', key: entry = 'tls.key' } = issuer.spec.acme?.privateKeySecretRef ?? {};
  const secret: Secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'Opaque',
    metadata: {
      name,
      namespace: secretNamespace(ports, issuer),
      labels: { 'app.kubernetes.io/managed-by': 'cert-manager' },
    },
    data: { [entry]: Buffer.from(keyToPem(key, 'PKCS1')).toString('base64') },
  };
  const created = await ports.kube.create(secrets, secret);
  // Another issuer of the same account was faster: its key counts.
  if (!created.ok && created.problem.kind === 'alreadyExists') return loadKey(ports, issuer, held);
  if (!created.ok) return created.problem;
  held.key = await keySeen(ports, issuer, key);
  held.registration = { kind: 'none' };
  return undefined;
}

async function registerAccount(ports: Ports, issuer: Issuer, held: Held): Promise<KubeProblem | undefined> {
  const { key } = held.key;
  const { email = '', externalAccountBinding } = issuer.spec.acme ?? {};
  if (key === undefined) return undefined;
  let eab: { readonly keyId: string; readonly macKey: string } | undefined;
  if (externalAccountBinding !== undefined) {
    const { name, key: entry = 'secret' } = externalAccountBinding.keySecretRef;
    const read = await ports.kube.get(secrets, { namespace: secretNamespace(ports, issuer), name });
    if (!read.ok) return read.problem;
    eab = { keyId: externalAccountBinding.keyID, macKey: decode(read.value, entry).trim() };
  }
  const answered = await register({
    endpoint: ports.accounts.endpoint(issuer),
    key,
    ...(email !== '' && { contact: email }),
    ...(eab !== undefined && { eab }),
  });
  const attempts = held.registration.kind === 'problem' ? held.registration.attempts + 1 : 1;
  if (answered.ok) ports.accounts.regain(issuer);
  held.registration = answered.ok
    ? { kind: 'done', url: answered.value.url, email }
    : { kind: 'problem', problem: answered.problem, attempts, at: ports.now() };
  return undefined;
}

function resourceOf(issuer: Issuer) {
  return issuer.metadata.namespace === undefined ? clusterIssuers : issuers;
}

function noteIssuer(ports: Ports, reply: Awaited<ReturnType<Ports['kube']['replace']>>): KubeProblem | undefined {
  if (!reply.ok) return reply.problem;
  const issuer = reply.value as Issuer;
  const store = issuer.metadata.namespace === undefined ? ports.stores.clusterIssuers : ports.stores.issuers;
  store.note(issuer);
  return undefined;
}

async function tell(ports: Ports, issuer: Issuer, ready: Readiness): Promise<void> {
  const { apiVersion, kind, metadata } = issuer;
  const about = {
    apiVersion,
    kind,
    name: metadata.name,
    ...(metadata.namespace !== undefined && { namespace: metadata.namespace }),
    ...(metadata.uid !== undefined && { uid: metadata.uid }),
  };
  const type = ready.status === 'True' ? 'Normal' : 'Warning';
  ports.log.info({ kind, name: metadata.name, ready }, 'issuer');
  await ports.recorder.say({ about, type, reason: ready.reason, message: ready.message });
}
