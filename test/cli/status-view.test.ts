// What `certway status` answers, as a table: what was fetched, the line that tells, and the sentence that says who can fix it.

import { describe, expect, it } from 'vitest';
import type { Surroundings } from '../../src/cli/status-scene.ts';
import { clusterIssuer, gateway, https, listenerSet, issuer as namedIssuer, openGateway } from '../resolve/world.ts';
import {
  foo,
  good,
  hidden,
  isMissing,
  isReady,
  issuer,
  issuing,
  linesOf,
  order,
  route,
  seen,
  set,
  viewOf,
} from './status-world.ts';

const gone: Surroundings['secrets'] = new Map([['foo-tls', { kind: 'absent', what: 'object' }]]);
const open = { orders: seen(order('pending')), secrets: gone };
const older = listenerSet({
  name: 'older',
  namespace: 'rival',
  metadata: { creationTimestamp: '2025-01-01T00:00:00Z' },
});
const own = (name: string) => listenerSet({ annotations: namedIssuer(name) });
const suspended = {
  ...good,
  metadata: { ...good.metadata, annotations: { 'certway.dev/suspended': 'The door is shut.' } },
};

const unmet = foo([isMissing, issuing('IssuerNotFound', 'Issuer "mine" does not exist; create it.')]);
const byMine = { ...unmet, spec: { ...unmet.spec, issuerRef: { name: 'mine' } } };

interface Row {
  readonly says: string;
  readonly parts?: Partial<Surroundings>;
  readonly object?: typeof set;
  /** Of one line of the tree. */
  readonly line: RegExp;
  readonly who: 'developer' | 'platform owner' | 'nobody';
  readonly sentence: RegExp;
  readonly state?: 'good';
}

const rows: readonly Row[] = [
  {
    says: 'all good',
    line: /^good life : expires on 2026-05-01 12:00 UTC \(in 61 days\), renews on 2026-04-01/,
    who: 'nobody',
    sentence: /^Nothing is missing: it renews on 2026-04-01 12:00 UTC \(in 31 days\)\.$/,
    state: 'good',
  },
  {
    says: 'an inherited issuer, and where it came from',
    line: /^good ClusterIssuer le: inherited from Gateway infra\/gw; ready$/,
    who: 'nobody',
    sentence: /^Nothing is missing/,
    state: 'good',
  },
  {
    says: 'an Issuer that is missing',
    object: own('mine'),
    parts: { certificates: seen(byMine) },
    line: /^bad Issuer mine: named on this ListenerSet; does not exist in namespace team$/,
    who: 'developer',
    sentence: /^The developer can fix this: Issuer "mine" does not exist; create it, or correct the reference\.$/,
  },
  {
    says: 'a ClusterIssuer that is not ready',
    parts: { clusterIssuers: seen(issuer('le', 'False', 'The CA does not answer.')) },
    line: /^bad ClusterIssuer le: inherited from Gateway infra\/gw; not ready: The CA does not answer$/,
    who: 'platform owner',
    sentence: /^The platform owner can fix this: ClusterIssuer "le" is not ready: The CA does not answer\.$/,
  },
  {
    says: 'an inherited Issuer that the namespace does not have',
    parts: {
      gateway: { kind: 'seen', value: openGateway({ annotations: namedIssuer('theirs') }) },
      certificates: seen(),
    },
    line: /^bad refused IssuerNotFound: Issuer "theirs", which Gateway "infra\/gw" sets as the default, does not exist/,
    who: 'developer',
    sentence:
      /^The developer can fix this: Issuer "theirs", which Gateway "infra\/gw" sets as the default.*1 more above\)\.$/,
  },
  {
    says: 'a set that its Gateway does not admit',
    parts: { gateway: { kind: 'seen', value: gateway({ annotations: clusterIssuer('le') }) }, certificates: seen() },
    line: /^bad Gateway infra\/gw: class eg, without an address; refused: NotAllowed$/,
    who: 'platform owner',
    sentence:
      /^The platform owner can fix this: Gateway infra\/gw allows no listener sets; the owner of the Gateway can change spec\.allowedListeners; until then this ListenerSet gets no certificate/,
  },
  {
    says: 'a hostname that an older set holds',
    parts: { sets: seen(set, older), certificates: seen() },
    line: /^bad refused HostnameConflict: Listener "web" gets no certificate: port 443 with hostname "foo.com" is already taken/,
    who: 'developer',
    sentence: /^The developer can fix this: Listener "web" gets no certificate.* choose another hostname or port/,
  },
  {
    says: 'a Gateway that does not exist',
    parts: { gateway: { kind: 'absent', what: 'object' }, certificates: seen() },
    line: /^bad Gateway infra\/gw: does not exist/,
    who: 'developer',
    sentence: /^The developer can fix this: Gateway infra\/gw does not exist; correct spec\.parentRef/,
  },
  {
    says: 'no issuer anywhere',
    parts: { gateway: { kind: 'seen', value: openGateway() }, certificates: seen(), secrets: gone },
    line: /^bad Secret foo-tls: no certificate is asked for: neither this object nor its Gateway names an issuer/,
    who: 'developer',
    sentence: /annotate it with cert-manager\.io\/issuer or cert-manager\.io\/cluster-issuer/,
  },
  {
    says: 'an order that waits for its self-check',
    parts: {
      ...open,
      certificates: seen(foo([isMissing, issuing('SelfCheckFailed', 'http://foo.com:80/… cannot be reached.')])),
      orders: seen(order('pending', { reason: 'SelfCheckFailed', message: 'http://foo.com:80/… cannot be reached.' })),
      routes: seen(route([{ type: 'Accepted', status: 'True' }])),
    },
    line: /^busy Order foo-tls-1-7: pending; waits for SelfCheckFailed: .* cannot be reached \(attempt 3\); it is tried again at 2026-03-01 12:01 UTC \(in 60 seconds\)$/,
    who: 'developer',
    sentence:
      /^The developer can fix this: Certificate foo-tls: http:\/\/foo\.com:80\/… cannot be reached; it is tried again/,
  },
  {
    says: 'a self-check that fails since the data plane refuses the route',
    parts: {
      ...open,
      certificates: seen(foo([isMissing, issuing('SelfCheckFailed', 'http://foo.com:80/… answered 404.')])),
      routes: seen(
        route([{ type: 'Accepted', status: 'False', reason: 'NotAllowedByListeners', message: 'See other-team/x.' }]),
      ),
    },
    line: /^bad HTTPRoute acme-foo-com: foo\.com through Gateway infra\/gw, listener "http"; The Gateway’s listener http does not allow routes from team \(Gateway infra\/gw\); its owner can allow them in allowedRoutes$/,
    who: 'platform owner',
    sentence:
      /^The platform owner can fix this: HTTPRoute acme-foo-com .* does not allow routes from team \(Gateway infra\/gw\); its owner can allow them in allowedRoutes\.$/,
  },
  {
    says: 'a rate limit, which only time ends',
    parts: {
      ...open,
      certificates: seen(foo([isMissing, issuing('RateLimited', 'Too many certificates.')])),
      orders: seen(order('pending', { reason: 'RateLimited', message: 'Too many certificates.' })),
    },
    line: /^busy Certificate foo-tls: RateLimited: Too many certificates; it is tried again at 2026-03-01 12:01/,
    who: 'nobody',
    sentence:
      /^Nothing to do but wait: Certificate foo-tls: Too many certificates; it is tried again at 2026-03-01 12:01 UTC/,
  },
  {
    says: 'an issuance under way',
    parts: { ...open, certificates: seen(foo([isMissing, issuing('DoesNotExist', 'No Secret.')])) },
    line: /^busy Certificate foo-tls: is being issued: No Secret$/,
    who: 'nobody',
    sentence: /^Nothing to do but wait: Certificate foo-tls: it is being issued\.$/,
  },
  {
    says: 'a refusal by the CA',
    parts: { ...open, certificates: seen(foo([isMissing, issuing('Failed', 'The CA refused.', 'False')])) },
    line: /^bad Certificate foo-tls: Failed: The CA refused; attempt 1 failed/,
    who: 'developer',
    sentence: /^The developer can fix this: Certificate foo-tls: The CA refused;/,
  },
  {
    says: 'Secrets that Certway may not write',
    parts: { ...open, certificates: seen(foo([isMissing, issuing('Forbidden', 'Run certway grant team.')])) },
    line: /^bad Certificate foo-tls: Forbidden: Run certway grant team$/,
    who: 'platform owner',
    sentence: /^The platform owner can fix this: Certificate foo-tls: Run certway grant team\.$/,
  },
  {
    says: 'a suspension whose cause cannot be seen',
    parts: { certificates: seen(suspended) },
    line: /^bad Certificate foo-tls: is neither issued nor renewed: The door is shut$/,
    who: 'developer',
    sentence: /The door is shut\.$/,
  },
  {
    says: 'a suspension with its cause, told once',
    parts: { gateway: { kind: 'seen', value: gateway() }, certificates: seen(suspended) },
    object: listenerSet({ annotations: clusterIssuer('le') }),
    line: /^bad Certificate foo-tls: is neither issued/,
    who: 'platform owner',
    sentence: /allows no listener sets; [^(]*\.$/,
  },
  {
    says: 'a renewal that nobody does',
    parts: {
      certificates: seen(foo([isReady], { notAfter: '2026-05-01T12:00:00Z', renewalTime: '2026-03-01T10:00:00Z' })),
    },
    line: /^bad Certificate foo-tls: its renewal was due at 2026-03-01 10:00 UTC \(2 hours ago\)/,
    who: 'platform owner',
    sentence: /Certway is not running here\.$/,
  },
  {
    says: 'an edit that has not reached the Certificate',
    object: listenerSet({ listeners: [https({ hostname: 'bar.com' })] }),
    line: /^busy Certificate foo-tls: what its listeners ask for has not reached it yet \(dnsNames\)$/,
    who: 'nobody',
    sentence: /^Nothing to do but wait: .*\(dnsNames\); if that lasts, Certway is not running here\.$/,
  },
  {
    says: 'a Certificate of somebody else under the name',
    parts: { certificates: seen({ ...good, metadata: { ...good.metadata, ownerReferences: [] } }) },
    line: /^bad refused BadConfig: Certificate "foo-tls" exists and is not made for a listener; it is left alone/,
    who: 'developer',
    sentence:
      /^The developer can fix this: .*; to go on, name another Secret in the listener, or delete that Certificate\.$/,
  },
  {
    says: 'a Certificate that is not made yet',
    parts: { certificates: seen(), secrets: gone },
    line: /^busy Certificate foo-tls: is not made yet$/,
    who: 'nobody',
    sentence: /if that lasts, Certway is not running here, or without --enable-gateway-api\.$/,
  },
  {
    says: 'a Secret that the user may not see, of a Certificate that is Ready',
    parts: { secrets: new Map([['foo-tls', hidden('you may not get Secret foo-tls in namespace team')]]) },
    line: /^hidden Secret foo-tls: you may not get Secret foo-tls in namespace team$/,
    who: 'nobody',
    sentence: /^Nothing is missing: it renews/,
    state: 'good',
  },
  {
    says: 'Certificates that the user may not see',
    parts: { certificates: hidden('you may not list Certificates in namespace team') },
    line: /^hidden Certificate foo-tls: you may not list/,
    who: 'platform owner',
    sentence: /^The platform owner can fix this: you may not list Certificates in namespace team, and without that/,
  },
];

describe('certway status', () => {
  it.each(rows.map((row) => [row.says, row] as const))('tells of %s', (_, row) => {
    const { parts = {}, object = set } = row;
    const view = viewOf({ sets: seen(object), ...parts }, { kind: 'listeners', object });
    expect(linesOf(view.tree)).toContainEqual(expect.stringMatching(row.line));
    expect(view.verdict).toEqual({
      state: row.state ?? 'missing',
      who: row.who,
      sentence: expect.stringMatching(row.sentence),
    });
  });
});
