// Certificates of a real Pebble whose renewal information a test decides: each issuer has a proxy of its own before Pebble, so that a question can be held,
// spoilt or counted without anybody else noticing. Called by the tests of renewal information.

import { Agent, request } from 'undici';
import type { Certificate } from '../../src/api/certmanager.ts';
import type { Order } from '../../src/api/order.ts';
import { orders } from '../../src/api/resources.ts';
import { certificateId } from '../../src/pki/certificate-id.ts';
import { get } from '../rig/https.ts';
import { type AcmeFault, startAcmeFault } from '../rig/proxy/acme-fault.ts';
import { forward, type Verdict } from '../rig/proxy/verdict.ts';
import { until } from '../rig/wait.ts';
import { type Pair, pairOf } from './spec-scene.ts';
import { acmeIssuer, listenerSet, type Team } from './team.ts';

export const hour = 3_600_000;
export const day = 24 * hour;

interface Acme {
  readonly directory: string;
  readonly management: string;
  readonly caPem: string;
}

export interface Window {
  readonly start: number;
  readonly end: number;
}

/** Tells Pebble what to answer for a certificate; any text, or a window. */
export async function suggest(acme: Acme, leafPem: string, answer: string | Window): Promise<void> {
  const dispatcher = new Agent({ connect: { ca: acme.caPem } });
  const said = typeof answer === 'string' ? answer : windowText(answer);
  const reply = await request(`${acme.management}/set-renewal-info/`, {
    method: 'POST',
    headers: { 'user-agent': 'certway-test' },
    body: JSON.stringify({ Certificate: leafPem, ARIResponse: said }),
    dispatcher,
  });
  await reply.body.dump();
  await dispatcher.destroy();
  if (reply.statusCode !== 200) throw new Error(`Pebble's management answered ${reply.statusCode}`);
}

export function windowText({ start, end }: Window): string {
  const [from, to] = [new Date(start).toISOString(), new Date(end).toISOString()];
  return JSON.stringify({ suggestedWindow: { start: from, end: to } });
}

/** An answer in Pebble's place. */
export function answering(body: string, headers: Readonly<Record<string, string>> = {}): Verdict {
  return { kind: 'respond', status: 200, headers: { 'content-type': 'application/json', ...headers }, body };
}

/** What Pebble says now. */
export async function windowOf(acme: Acme, certId: string): Promise<Window> {
  const { body } = await get(new URL(`/draft-ietf-acme-ari-03/renewalInfo/${certId}`, acme.directory).href, acme);
  const { suggestedWindow } = JSON.parse(body);
  return { start: Date.parse(suggestedWindow.start), end: Date.parse(suggestedWindow.end) };
}

export interface Issuing extends AsyncDisposable {
  readonly name: string;
  readonly ca: AcmeFault;
  /** How often Pebble has been asked about renewals through it, refusals included. */
  asked(): number;
  /** From now on the answer to each question about a renewal. */
  answer(verdict: () => Verdict | Promise<Verdict>): void;
}

/** An issuer of the team behind a proxy of its own; `script` holds from the first request on. */
export async function issuing(
  team: Team,
  acme: Acme,
  name: string,
  script?: Parameters<typeof startAcmeFault>[1],
): Promise<Issuing> {
  const ca = await startAcmeFault(acme, script);
  await team.kubectl.apply([acmeIssuer(team.namespace, ca, name)]);
  return {
    name,
    ca,
    asked: () => ca.proxy.passed.filter(({ edge }) => edge === 'renewalInfo').length,
    answer: (verdict) => ca.proxy.follow(({ edge }) => (edge === 'renewalInfo' ? verdict() : forward)),
    [Symbol.asyncDispose]: () => ca[Symbol.asyncDispose](),
  };
}

/** A listener whose certificate `issuer` is to make. */
export async function wish(team: Team, name: string, issuer: string, noted: Readonly<Record<string, string>> = {}) {
  const annotations = { 'cert-manager.io/issuer': issuer, 'cert-manager.io/private-key-algorithm': 'ECDSA', ...noted };
  const hostname = `${name}.${team.namespace}.example.com`;
  await team.kubectl.apply([listenerSet(team.namespace, { name, hostname, annotations })]);
}

export interface Issued extends Pair {
  readonly certId: string;
}

export async function issued(team: Team, name: string): Promise<Issued> {
  await team.ready(`${name}-tls`);
  const pair = await pairOf(team, `${name}-tls`);
  return { ...pair, certId: certificateId(pair.facts) ?? '' };
}

/** Waits until status.renewalTime fits, and answers the Certificate. */
export function renewsWhen(
  team: Team,
  name: string,
  fits: (at: number) => boolean,
  deadlineMs = 30_000,
): Promise<Certificate> {
  return until(
    `the renewal of ${name} to be where it should`,
    async () => {
      const certificate = await team.certificate(`${name}-tls`);
      const shown = certificate?.status?.renewalTime ?? '';
      if (certificate === undefined || !fits(Date.parse(shown))) throw new Error(`it is at "${shown}"`);
      return certificate;
    },
    { deadlineMs },
  );
}

export function inside({ start, end }: Window): (at: number) => boolean {
  return (at) => at >= start && at < end;
}

/** The Orders of the Certificate, in the order in which they were made. */
export async function ordersOf(team: Team, name: string): Promise<readonly Order[]> {
  const made = (await team.all(orders)).filter(({ metadata }) => metadata.name.startsWith(`${name}-tls-`));
  const revision = ({ metadata }: Order) => Number(metadata.name.slice(`${name}-tls-`.length).split('-')[0]);
  return made.toSorted((a, b) => revision(a) - revision(b));
}
