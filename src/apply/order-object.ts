// The Order object as the memory of an order: how it is made, what is written into it, and which state it stands for after a restart.

import { isIP } from 'node:net';
import type { CertificateRequest } from '../api/certmanager.ts';
import { annotations, labels } from '../api/names.ts';
import type { Order, OrderAuthorization } from '../api/order.ts';
import { apiVersion, certificateRequests, orders } from '../api/resources.ts';
import type { CaAuthorization, CaIdentifier, CaOrder } from '../order/ca.ts';
import type { OrderState } from '../order/state.ts';
import { canonicalIp } from '../pki/ip.ts';
import type { Names } from '../pki/names.ts';
import { isRehearsing } from '../plan/rehearsal.ts';
import { hostLabel } from '../solve/host.ts';
import { orderName } from './names.ts';
import { notedWait } from './order-note.ts';

/** The intent, written before the CA is asked: it names the hosts, so that every replica can answer for them. */
export function orderObject(request: CertificateRequest, names: Names, replaces?: string): Order {
  const { metadata, spec } = request;
  const { commonName, dnsNames, ipAddresses } = names;
  const asked = { dnsNames, ipAddresses, ...(commonName !== undefined && { commonName }) };
  const hosts = hostsOf({ spec: asked }).map((host) => [`${labels.hostPrefix}${hostLabel(host)}`, 'true'] as const);
  // What is believed of an Order is written by us alone: requests are made by tenants too.
  const {
    [annotations.state]: _,
    [annotations.records]: __,
    [annotations.rehearsal]: ___,
    ...copied
  } = metadata.annotations ?? {};
  return {
    apiVersion: apiVersion(orders),
    kind: orders.kind,
    metadata: {
      name: orderName(metadata.name, metadata.uid ?? ''),
      namespace: metadata.namespace ?? '',
      labels: { ...metadata.labels, ...Object.fromEntries(hosts) },
      annotations: copied,
      ownerReferences: [
        {
          apiVersion: apiVersion(certificateRequests),
          kind: certificateRequests.kind,
          name: metadata.name,
          uid: metadata.uid ?? '',
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    spec: {
      issuerRef: spec.issuerRef,
      request: spec.request,
      ...(commonName !== undefined && { commonName }),
      dnsNames,
      ...(ipAddresses.length > 0 && { ipAddresses }),
      ...(replaces !== undefined && { replaces }),
    },
  };
}

/** Of a Certificate, an Order or a CSR. */
type Asked = Pick<Order['spec'], 'dnsNames' | 'ipAddresses' | 'commonName'>;

/** The hostnames and addresses that the order has to prove, as Host headers spell them: a common name is a name like the others. */
export function hostsOf(order: { readonly spec: Asked }): readonly string[] {
  const { dnsNames = [], ipAddresses = [], commonName } = order.spec;
  const names = [...dnsNames, ...(commonName === undefined ? [] : [commonName]), ...ipAddresses];
  return [...new Set(names.map((name) => canonicalIp(name.toLowerCase())))];
}

/** The sorted set of names that the CA is asked for (RFC 8555 §7.1.3, RFC 8738 for addresses). */
export function identifiersOf(order: Order): readonly CaIdentifier[] {
  const hosts = hostsOf(order).toSorted();
  const identifiers = (type: CaIdentifier['type']) =>
    hosts.filter((value) => (isIP(value) === 0) === (type === 'dns')).map((value) => ({ type, value }));
  return [...identifiers('dns'), ...identifiers('ip')];
}

/** Neither a certificate nor a refusal yet: its hosts may still be asked for. */
export function isUnfinished(order: Order): boolean {
  const state = order.status?.state;
  return state !== 'valid' && state !== 'invalid' && state !== 'expired' && state !== 'errored';
}

/** The state that the object stands for. Only the process that has just made it knows that nothing was asked of the CA. */
export function resume(order: Order, freshOrder: string | undefined): OrderState {
  const { status } = order;
  const noted = notedWait(order);
  const wait = noted === undefined ? {} : { wait: noted };
  if (status?.state === 'invalid' || status?.state === 'expired' || status?.state === 'errored') {
    return { kind: 'failed', phase: status.state, reason: status.reason ?? 'The order failed.' };
  }
  if (status?.url !== undefined) return { kind: 'known', url: status.url, ...wait };
  // An order that is still rehearsed has not been asked for.
  const isUnasked = freshOrder === order.metadata.uid || isRehearsing(order);
  return { kind: 'intended', asked: isUnasked ? 'no' : 'maybe', ...wait };
}

/** The status with the CA's URLs and tokens, or undefined when it stands there already. */
export function recordedStatus(
  order: Order,
  placed: CaOrder,
  authorizations: readonly CaAuthorization[],
): NonNullable<Order['status']> | undefined {
  const status = {
    ...order.status,
    url: placed.url,
    finalizeURL: placed.finalize,
    state: placed.status,
    authorizations: authorizations.map(recordedAuthorization),
  };
  const last = order.status;
  const isSame = last?.url === status.url && JSON.stringify(tokensIn(last)) === JSON.stringify(tokensIn(status));
  return isSame ? undefined : status;
}

/** The same for an order of a rehearsal: everybody answers for its tokens, and nobody takes it for the issuer's own. */
export function rehearsedStatus(
  { status: last }: Order,
  authorizations: readonly CaAuthorization[],
): NonNullable<Order['status']> | undefined {
  const status = { ...last, authorizations: authorizations.map(recordedAuthorization) };
  return JSON.stringify(tokensIn(last)) === JSON.stringify(tokensIn(status)) ? undefined : status;
}

function recordedAuthorization(each: CaAuthorization): OrderAuthorization {
  return {
    url: each.url,
    identifier: each.identifier.value,
    wildcard: each.wildcard,
    initialState: each.status,
    challenges: each.challenges.flatMap(({ url, token, type }) => (token === undefined ? [] : [{ url, token, type }])),
  };
}

function tokensIn(status: Order['status']): readonly string[] {
  return (status?.authorizations ?? []).flatMap((each) => (each.challenges ?? []).map(({ token }) => token));
}
