// The Orders of an account as the log behind its checkpoint: what a new process counts again before it admits anybody. Called by budget-bureau.ts when
// an account is first heard of.

import type { Certificate, CertificateRequest, Issuer } from '../api/certmanager.ts';
import type { Order } from '../api/order.ts';
import type { Ask } from '../budget/ask.ts';
import type { OrderRecord } from '../budget/replay.ts';
import { conditionOf } from '../plan/conditions.ts';
import { isRehearsing } from '../plan/rehearsal.ts';
import { askFor, type TenantOf } from './budget-ask.ts';
import { issuerKey } from './issuer-of.ts';
import { requestName } from './names.ts';
import { hostsOf } from './order-object.ts';
import type { Stores } from './ports.ts';

export interface Records {
  readonly stores: Pick<Stores, 'orders' | 'requests' | 'certificates'>;
  readonly tenantOf: TenantOf;
  readonly account: string;
  /** All that use the account. */
  readonly issuers: readonly Issuer[];
  /** This process has made the Order: no earlier one can have asked the CA for it. Absent: nobody else's count. */
  readonly isOurs?: (uid: string) => boolean;
  /** `unfinished`: what is over counts no more, for nothing binds. */
  readonly wanted: 'all' | 'unfinished';
  /** `standing`: nothing was written down, so Certificates stand for Orders that are gone. */
  readonly certificates: 'standing' | 'none';
}

/** `now`: epoch ms, on the CA's clock. */
export function recordsOf(of: Records, now: number): readonly OrderRecord[] {
  const { stores, wanted } = of;
  const keys = of.issuers.map(issuerKey);
  const orders = keys.flatMap((key) => stores.orders.by('issuer', key));
  const records = orders.flatMap((order) => recordOf(of, order, now) ?? []);
  const open = records.filter(({ state }) => wanted === 'all' || state === 'open');
  if (of.certificates === 'none' || wanted === 'unfinished') return open;
  const counted = new Set(orders.flatMap(({ metadata }) => certificatesBehind(stores, metadata)));
  const alone = keys
    .flatMap((key) => stores.certificates.by('issuer', key))
    .filter(({ metadata }) => !counted.has(metadata.uid ?? ''));
  return [...open, ...alone.flatMap((certificate) => recordOfCertificate(of, certificate, now) ?? [])];
}

/**
 * How it stood before the CA then is not known any more: it is counted as a new name unless it says that it renews. Undefined where the CA cannot have
 * heard of it.
 */
function recordOf(of: Records, order: Order, now: number): OrderRecord | undefined {
  const { status, spec } = order;
  const asking = { order, account: of.account, tenant: of.tenantOf(order), last: undefined, replacing: 'no' } as const;
  const ask: Ask = { ...askFor(asking, now), class: spec.replaces === undefined ? 'new' : 'renewal' };
  switch (status?.state) {
    case 'valid':
      return { ask, state: 'issued', at: issuedAt(requestOf(of.stores, order.metadata)) ?? now };
    case 'invalid':
    case 'expired':
    case 'errored': {
      if (status.url === undefined) return undefined;
      const at = Date.parse(status.failureTime ?? '');
      const record = { ask, state: 'failed', at: Number.isNaN(at) ? now : at } as const;
      return status.state === 'invalid' ? record : { ...record, identifiers: [] };
    }
    default:
      if (status?.url !== undefined) return { ask, state: 'open' };
      if (isRehearsing(order)) return undefined;
      return of.isOurs?.(ask.id) === false ? { ask, state: 'untold' } : undefined;
  }
}

/** When the request of the order got its certificate; undefined while it has none. */
function issuedAt(request: CertificateRequest | undefined): number | undefined {
  const ready = conditionOf(request?.status?.conditions, 'Ready');
  const at = ready?.status === 'True' ? Date.parse(ready.lastTransitionTime ?? '') : Number.NaN;
  // Conditions have whole seconds, and it must not be counted before it happened.
  return Number.isNaN(at) ? undefined : at + 1000;
}

function requestOf({ requests }: Records['stores'], { namespace, ownerReferences }: Order['metadata']) {
  return requests.get(`${namespace}/${ownerReferences?.[0]?.name}`);
}

function lastRequest({ requests }: Records['stores'], { metadata, status }: Certificate) {
  return requests.get(`${metadata.namespace}/${requestName(metadata.name, status?.revision ?? 0)}`);
}

function certificatesBehind(stores: Records['stores'], order: Order['metadata']): readonly string[] {
  return requestOf(stores, order)?.metadata.ownerReferences?.map(({ uid }) => uid) ?? [];
}

/** CAs date a certificate back by an hour at most. */
const backdatedMs = 3_600_000;

function recordOfCertificate(of: Records, certificate: Certificate, now: number): OrderRecord | undefined {
  const { status, metadata } = certificate;
  const notBefore = Date.parse(status?.notBefore ?? '');
  // Anybody who may write a Secret makes a Certificate Ready; what the CA has signed stands in a request, which only its signer writes.
  if (Number.isNaN(notBefore) || issuedAt(lastRequest(of.stores, certificate)) === undefined) return undefined;
  const { account } = of;
  const at = Math.min(now, notBefore + backdatedMs);
  const tenant = of.tenantOf(certificate);
  const id = metadata.uid ?? '';
  const common = { id, account, identifiers: hostsOf(certificate), tenant, since: at, deadline: at } as const;
  return { ask: { ...common, class: 'new', urgency: 'routine' }, state: 'issued', at };
}
