// The tree of a Certificate that was asked for by its name: who wants it, what stands against that, and its way. Pure; called by status-view.ts.

import type { Certificate } from '../api/certmanager.ts';
import type { Gateway, ListenerSet } from '../api/gateway.ts';
import { controllerOf } from '../plan/listeners-owner.ts';
import { sourceOfGateway, sourceOfListenerSet } from '../resolve/source.ts';
import { listed } from '../resolve/words.ts';
import { chainOf } from './status-chain.ts';
import type { Judgement } from './status-judge.ts';
import { linkOf, refusalNodes } from './status-listeners.ts';
import type { ViewNode } from './status-node.ts';
import { parentNodes } from './status-parent.ts';
import { isSet, type Subject, type Surroundings } from './status-scene.ts';

type Asked = Extract<Subject, { kind: 'certificate' }>;

export function certificateNodes(
  { certificate, owner }: Asked,
  judgement: Judgement | undefined,
  around: Surroundings,
  now: number,
): readonly ViewNode[] {
  if (owner?.kind === 'seen' && judgement !== undefined) {
    return ofListeners(certificate, owner.value, judgement, around, now);
  }
  const { namespace = '', name } = certificate.metadata;
  const kind = controllerOf(certificate)?.kind ?? 'Certificate';
  const from = 'as the Certificate says';
  const link = { name, namespace, owner: kind, from, suspendedBy: undefined, warned: undefined, behind: [] };
  const chain = chainOf({ ...link, certificate: { kind: 'seen', value: certificate } }, around, now);
  return [wantedBy(certificate, owner), ...chain];
}

function ofListeners(
  certificate: Certificate,
  owner: Gateway | ListenerSet,
  judgement: Judgement,
  around: Surroundings,
  now: number,
): readonly ViewNode[] {
  const source = isSet(owner) ? sourceOfListenerSet(owner) : sourceOfGateway(owner);
  const { name, namespace } = certificate.metadata;
  const isThis = (each: { readonly namespace: string; readonly name: string }) =>
    each.namespace === namespace && each.name === name;
  const wanted = judgement.resolution.wanted.find((each) => isThis(each) && each.owner.uid === source.subject.uid);
  const told = judgement.told.filter(({ touches }) => touches.includes(name));
  const asks =
    wanted === undefined ? 'no listener asks for it as it stands' : `for listener ${listed(wanted.listeners)}`;
  const above: ViewNode = {
    mark: wanted === undefined ? 'bad' : 'good',
    what: source.subject.kind,
    name: source.name,
    says: asks,
  };
  const link = linkOf({ judgement, around }, source, name, { kind: 'seen', value: certificate }, wanted);
  const parents = isSet(owner) ? parentNodes({ owner, judgement, around }) : [];
  const refusals = refusalNodes({ owner, judgement: { ...judgement, told } });
  return [...parents, above, ...refusals, ...chainOf(link, around, now)];
}

function wantedBy(certificate: Certificate, owner: Asked['owner']): ViewNode {
  const controller = controllerOf(certificate);
  if (controller === undefined) return { mark: 'note', what: 'owner', says: 'none: somebody has made it by hand' };
  const node = { what: controller.kind, name: controller.name };
  if (owner === undefined) return { ...node, mark: 'note', says: 'controls it; its controller is not Certway' };
  if (owner.kind === 'hidden') return { ...node, mark: 'hidden', says: owner.why };
  return { ...node, mark: 'note', says: 'controlled it, and does not exist any more' };
}
