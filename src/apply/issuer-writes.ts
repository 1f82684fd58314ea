// The writes to an Issuer itself: the notes in its annotations, its status, and what is said of both in events. Called by issuer.ts.

import type { Issuer } from '../api/certmanager.ts';
import { annotations } from '../api/names.ts';
import type { Reply } from '../api/reply.ts';
import { clusterIssuers, issuers } from '../api/resources.ts';
import type { KubeProblem } from '../kube/problem.ts';
import type { IssuerAction } from '../plan/issuer-seen.ts';
import { refOf } from '../plan/object-ref.ts';
import { sharers } from './issuer-held.ts';
import type { Ports } from './ports.ts';

type Of<K extends IssuerAction['kind']> = IssuerAction & { readonly kind: K };

/** After a rollover those that share the account answer with the new thumbprint as well, before any order goes on. */
export async function annotate(ports: Ports, issuer: Issuer, action: Of<'annotate'>): Promise<KubeProblem | undefined> {
  const { thumbprint, rolledOver } = action;
  const own = await note(ports, issuer, {
    [annotations.accountThumbprint]: thumbprint,
    ...(rolledOver !== undefined && { [annotations.rolledOverAccountKey]: rolledOver }),
  });
  if (own !== undefined || rolledOver === undefined) return own;
  for (const other of sharers(ports, issuer)) {
    if (other.status?.acme?.uri !== issuer.status?.acme?.uri || issuer.status?.acme?.uri === undefined) continue;
    const problem = await note(ports, other, { [annotations.accountThumbprint]: thumbprint });
    if (problem !== undefined) return problem;
  }
  return undefined;
}

async function note(
  ports: Ports,
  issuer: Issuer,
  notes: Readonly<Record<string, string>>,
): Promise<KubeProblem | undefined> {
  const noted = { ...issuer.metadata.annotations, ...notes };
  const metadata = { ...issuer.metadata, annotations: noted };
  return keep(ports, await ports.kube.replace(resourceOf(issuer), { ...issuer, metadata }));
}

export async function writeIssuerStatus(
  ports: Ports,
  issuer: Issuer,
  { status, ready }: Of<'writeStatus'>,
): Promise<KubeProblem | undefined> {
  const problem = keep(ports, await ports.kube.replaceStatus(resourceOf(issuer), { ...issuer, status }));
  if (problem !== undefined) return problem;
  const { kind, metadata } = issuer;
  ports.log.info({ kind, namespace: metadata.namespace, name: metadata.name, ready }, 'issuer');
  const type = ready.status === 'True' ? 'Normal' : 'Warning';
  const message = ready.lasting ?? ready.message;
  await ports.recorder.say({ about: refOf(issuer), type, reason: ready.reason, message });
  return undefined;
}

export async function tellRolledOver(ports: Ports, issuer: Issuer): Promise<undefined> {
  const { kind, metadata } = issuer;
  ports.log.info({ kind, namespace: metadata.namespace, name: metadata.name }, 'the account has a new key');
  const message = 'The CA knows the account by a new key';
  const of = metadata.annotations?.[annotations.rolledOverAccountKey] ?? '';
  await ports.recorder.say({ about: refOf(issuer), type: 'Normal', reason: 'AccountKeyRolledOver', message }, { of });
}

function resourceOf(issuer: Issuer) {
  return issuer.metadata.namespace === undefined ? clusterIssuers : issuers;
}

function keep(ports: Ports, reply: Reply<Issuer, KubeProblem>): KubeProblem | undefined {
  if (!reply.ok) return reply.problem;
  const issuer = reply.value;
  const store = issuer.metadata.namespace === undefined ? ports.stores.clusterIssuers : ports.stores.issuers;
  store.note(issuer);
  return undefined;
}
