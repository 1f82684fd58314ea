// A customer of the CA for one test: an account of its own at Pebble, behind a fault proxy of its own, and listener sets of which each is one
// order. The world's Pebble takes a moment to validate, as CAs do, so that requests meet challenges that are being looked at.

import { createPrivateKey } from 'node:crypto';
import type { AcmeSession } from '../../src/acme/session.ts';
import { openAcme } from '../../src/acme/transport.ts';
import { annotations } from '../../src/api/names.ts';
import type { Order } from '../../src/api/order.ts';
import { issuers, orders } from '../../src/api/resources.ts';
import { type AcmeFault, startAcmeFault } from '../rig/proxy/acme-fault.ts';
import type { AcmeRequest } from '../rig/proxy/acme-request.ts';
import type { Proxied } from '../rig/proxy/fault-proxy.ts';
import { tooEarly } from '../rig/proxy/passage.ts';
import { type Answer, forward, type Script, type Verdict } from '../rig/proxy/verdict.ts';
import { until } from '../rig/wait.ts';
import type { World, WorldOptions } from '../rig/world.ts';
import { acmeIssuer, listenerSet, type Team } from '../world/team.ts';

/**
 * Validations take up to a second; what an account has proven it need not prove again; each certificate has two chains; lists have long pages; a
 * nonce is bad only where a script says so.
 */
export const pebbleEnv: WorldOptions['pebbleEnv'] & {} = {
  PEBBLE_VA_NOSLEEP: '0',
  PEBBLE_VA_SLEEPTIME: '2',
  PEBBLE_AUTHZREUSE: '100',
  PEBBLE_ALTERNATE_ROOTS: '1',
  PEBBLE_WFE_ORDERS_PER_PAGE: '200',
  PEBBLE_WFE_NONCEREJECT: '0',
};

/** A certificate for these hosts, by one listener each, in Secret `<set>-tls`. */
export interface Wish {
  readonly set: string;
  readonly hosts: readonly string[];
}

export interface Customer extends AsyncDisposable {
  readonly name: string;
  readonly ca: AcmeFault;
  readonly team: Team;
  want(...wishes: readonly Wish[]): Promise<void>;
  host(label: string): string;
  /** The newest Order of the set's Certificate. */
  order(set: string): Promise<Order>;
  /** The wait that the Order tells, once it tells one. */
  toldWait(set: string): Promise<{ readonly reason: string; readonly message: string; readonly nextAttemptAt: number }>;
  /** Orders that Pebble has made for this account. */
  placed(): number;
  /** Requests that have come; exact where Pebble refuses no nonces, as with `pebbleEnv`. */
  asked(edge: string): number;
  /** Requests that came before the CA had allowed them. */
  hasty(): readonly string[];
}

/** `acme` goes into the issuer's spec.acme, `script` is for the time until the account is registered, which this resolves with. */
export async function customer(
  world: World,
  team: Team,
  name: string,
  acme: object = {},
  script: Script<Proxied<AcmeRequest>> = () => forward,
): Promise<Customer> {
  const ca = await startAcmeFault(world.acme, script);
  await team.kubectl.apply([withAcme(acmeIssuer(team.namespace, ca, name), acme)]);
  await team.issuerSays(name, 'True', /./, 60_000);
  const host = (label: string) => `${label}.${name}.${team.namespace}.example.com`;
  const passed = (edge: string) => ca.proxy.passed.filter((each) => each.edge === edge);
  const order = (set: string) =>
    until(`the Order of ${set}`, async () => {
      const all = (await team.all(orders)).filter(({ metadata }) => metadata.name.startsWith(`${set}-tls-`));
      return all.toSorted((a, b) => createdAt(b) - createdAt(a))[0];
    });
  return {
    name,
    ca,
    team,
    host,
    order,
    want: async (...wishes) => void (await team.kubectl.apply(wishes.map((wish) => wanted(team, name, wish)))),
    toldWait: (set) =>
      until(
        `the Order of ${set} to say until when it waits`,
        async () => {
          const note = (await order(set)).metadata.annotations?.[annotations.state];
          const said: { reason: string; message: string; nextAttemptAt: string } | undefined =
            note === undefined ? undefined : JSON.parse(note);
          return said === undefined ? undefined : { ...said, nextAttemptAt: Date.parse(said.nextAttemptAt) };
        },
        { deadlineMs: 30_000 },
      ),
    placed: () => passed('newOrder').filter(({ upstream }) => upstream === 201).length,
    asked: (edge) => passed(edge).length,
    hasty: () => tooEarly(ca.proxy.passed),
    [Symbol.asyncDispose]: () => ca[Symbol.asyncDispose](),
  };
}

function createdAt({ metadata }: Order): number {
  return Date.parse(metadata.creationTimestamp ?? '');
}

function withAcme(issuer: ReturnType<typeof acmeIssuer>, acme: object): object {
  const { spec } = issuer as typeof issuer & { readonly spec: { readonly acme: object } };
  return { ...issuer, spec: { acme: { ...spec.acme, ...acme } } };
}

function wanted(team: Team, issuer: string, { set, hosts }: Wish): object {
  const [hostname, ...more] = hosts;
  const marks = { 'cert-manager.io/issuer': issuer, 'cert-manager.io/private-key-algorithm': 'ECDSA' };
  const others = more.map((each, index) => ({
    name: `more-${index}`,
    hostname: each,
    protocol: 'HTTPS',
    port: 443,
    tls: { mode: 'Terminate', certificateRefs: [{ name: `${set}-tls` }] },
  }));
  const named = hostname === undefined ? {} : { hostname };
  return listenerSet(team.namespace, { name: set, ...named, annotations: marks, others });
}

/** The JSON of an answer with other members. */
export function changed(change: object): Verdict {
  const edit = ({ body, ...answer }: Answer): Answer => ({
    ...answer,
    body: JSON.stringify({ ...JSON.parse(String(body)), ...change }),
  });
  return { kind: 'edit', edit };
}

/** As `cmctl renew` does. */
export async function renew(team: Team, certificate: string): Promise<void> {
  const asked = { type: 'Issuing', status: 'True', reason: 'ManuallyTriggered', message: 'renew' };
  const conditions = (await team.certificate(certificate))?.status?.conditions ?? [];
  const others = conditions.filter(({ type }) => type !== 'Issuing');
  const status = { conditions: [...others, { ...asked, lastTransitionTime: new Date().toISOString() }] };
  const target = ['certificate', certificate, '-n', team.namespace, '--subresource=status', '--type=merge'];
  await team.kubectl.run(['patch', ...target, '-p', JSON.stringify({ status })]);
}

/** The customer's account, by its own key. */
export async function sessionOf(by: Customer): Promise<AcmeSession & AsyncDisposable> {
  const secret = await by.team.secret(`${by.name}-account`);
  const issuer = (await by.team.all(issuers)).find(({ metadata }) => metadata.name === by.name);
  const endpoint = openAcme({
    directoryUrl: by.ca.directory,
    caBundle: by.ca.caPem,
    skipTlsVerify: false,
    userAgent: 'certway-test',
    maxInFlight: 1,
  });
  const key = createPrivateKey(Buffer.from(secret?.data?.['tls.key'] ?? '', 'base64'));
  const accountUrl = issuer?.status?.acme?.uri ?? '';
  return { endpoint, key, accountUrl, [Symbol.asyncDispose]: () => endpoint[Symbol.asyncDispose]() };
}
