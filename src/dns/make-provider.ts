// From an issuer's solver to the provider that performs it: which Secrets it needs, what is wrong with it, and the provider itself. Asks nobody
// anything: the issuer's check calls it for its complaints, the driver of orders for the provider.

import type { Proxies } from '../acme/proxy.ts';
import type { SecretKeySelector } from '../api/certmanager.ts';
import type { CloudflareSolver, Dns01Solver, Rfc2136Solver, Route53Solver } from '../api/dns01-solver.ts';
import type { Reply } from '../api/reply.ts';
import type { Session } from '../kube/session.ts';
import type { RequestToken } from '../kube/token-request.ts';
import type { AwsSource } from './aws.ts';
import { cloudflareProvider } from './cloudflare.ts';
import type { Https } from './https.ts';
import { readNameserver } from './nameserver.ts';
import { type DnsProblem, failed } from './problem.ts';
import type { DnsProvider } from './provider.ts';
import { rfc2136Provider } from './rfc2136.ts';
import { route53Provider } from './route53.ts';
import { isGiven, originOf, type ReadSecret, secretText, tsigKey } from './secrets.ts';
import { accountToken } from './service-account.ts';
import { webhookProvider } from './webhook.ts';

export interface ProviderPorts {
  readonly now: () => number;
  readonly https: Https;
  /** For the AWS SDK, which has sockets of its own. */
  readonly proxies: Proxies | undefined;
  /** For webhooks. */
  readonly session: Pick<Session, 'request'>;
  readonly requestToken: RequestToken;
  /** The issuer's namespace; for a ClusterIssuer the cluster resource namespace. */
  readonly resourceNamespace: string;
  /** `--cluster-issuer-ambient-credentials` or `--issuer-ambient-credentials`, whichever the issuer's kind is under. */
  readonly ambientCredentials: 'allowed' | 'forbidden';
  /** Where the providers' APIs are, when not where everybody's are. */
  readonly endpoints?: { readonly cloudflare?: string; readonly route53?: string; readonly sts?: string };
}

const cloudflareUrl = 'https://api.cloudflare.com/client/v4';
const awsAudience = 'sts.amazonaws.com';

/** The Secrets that must be there, in the issuer's resource namespace, before the solver can work. */
export function solverSecrets({ rfc2136, cloudflare, route53 }: Dns01Solver): readonly SecretKeySelector[] {
  return [
    rfc2136?.tsigSecretSecretRef,
    cloudflare?.apiTokenSecretRef,
    cloudflare?.apiKeySecretRef,
    route53?.accessKeyIDSecretRef,
    route53?.secretAccessKeySecretRef,
  ].filter(isGiven);
}

/** Every problem is `misconfigured`, with a sentence for the issuer's condition. */
export function makeProvider(
  solver: Dns01Solver,
  read: ReadSecret,
  ports: ProviderPorts,
): Reply<DnsProvider, DnsProblem> {
  if (solver.rfc2136 !== undefined) return fromRfc2136(solver.rfc2136, read, ports);
  if (solver.cloudflare !== undefined) return fromCloudflare(solver.cloudflare, read, ports);
  if (solver.route53 !== undefined) return fromRoute53(solver.route53, read, ports);
  if (solver.webhook !== undefined) {
    const { groupName, solverName } = solver.webhook;
    if (groupName === '' || solverName === '') {
      return failed('misconfigured', 'dns01.webhook needs groupName and solverName, as the webhook documents them.');
    }
    return { ok: true, value: webhookProvider({ ...ports, solver: solver.webhook }) };
  }
  return failed('misconfigured', unsupported(solver) ?? 'dns01 names no provider.');
}

const elsewhere = {
  acmeDNS: 'acme-dns',
  akamai: 'Akamai',
  azureDNS: 'Azure DNS',
  cloudDNS: 'Google Cloud DNS',
  digitalocean: 'DigitalOcean',
} as const;

/** The sentence of the condition NotSupported; undefined where we perform the provider, or none is named. */
export function unsupported(solver: Dns01Solver): string | undefined {
  const fields = ['acmeDNS', 'akamai', 'azureDNS', 'cloudDNS', 'digitalocean'] as const;
  const field = fields.find((name) => solver[name] !== undefined);
  if (field === undefined) return undefined;
  const ways = 'use a DNS webhook for it (dns01.webhook; cert-manager’s webhooks work as they are)';
  const cname = 'or a CNAME from _acme-challenge to a zone at rfc2136, cloudflare or route53 with cnameStrategy Follow';
  return `Certway does not write records at ${elsewhere[field]} (dns01.${field}) itself: ${ways}, ${cname}.`;
}

function fromRfc2136(solver: Rfc2136Solver, read: ReadSecret, { now }: ProviderPorts): Reply<DnsProvider, DnsProblem> {
  const server = readNameserver(solver.nameserver);
  if (server?.kind !== 'dns') {
    const given = JSON.stringify(solver.nameserver.slice(0, 100));
    return failed('misconfigured', `dns01.rfc2136.nameserver is ${given}; write host, host:port or [address]:port.`);
  }
  const key = tsigKey(solver, read);
  if (!key.ok) return key;
  const protocol = solver.protocol === 'TCP' ? 'tcp' : 'udp';
  return { ok: true, value: rfc2136Provider({ server, protocol, key: key.value, now }) };
}

function fromCloudflare(
  { email, apiTokenSecretRef, apiKeySecretRef }: CloudflareSolver,
  read: ReadSecret,
  { now, https, endpoints }: ProviderPorts,
): Reply<DnsProvider, DnsProblem> {
  if (isGiven(apiTokenSecretRef) && isGiven(apiKeySecretRef)) {
    return failed('misconfigured', 'dns01.cloudflare has both apiTokenSecretRef and apiKeySecretRef; keep the token.');
  }
  const shared = { url: endpoints?.cloudflare ?? cloudflareUrl, https, now };
  if (isGiven(apiTokenSecretRef)) {
    const token = secretText(read, apiTokenSecretRef, 'cloudflare.apiTokenSecretRef');
    if (!token.ok) return token;
    const credentials = { kind: 'token', token: token.value } as const;
    return { ok: true, value: cloudflareProvider({ ...shared, credentials, origin: originOf(apiTokenSecretRef) }) };
  }
  if (!isGiven(apiKeySecretRef)) {
    return failed('misconfigured', 'dns01.cloudflare needs apiTokenSecretRef: the Secret and key of an API token.');
  }
  const key = secretText(read, apiKeySecretRef, 'cloudflare.apiKeySecretRef');
  if (!key.ok) return key;
  const address = email?.trim() ?? '';
  if (!/^[\x21-\x7e]+$/.test(address)) {
    return failed('misconfigured', 'dns01.cloudflare.email must be the address of the account whose API key is used.');
  }
  const credentials = { kind: 'key', email: address, key: key.value } as const;
  return { ok: true, value: cloudflareProvider({ ...shared, credentials, origin: originOf(apiKeySecretRef) }) };
}

function fromRoute53(solver: Route53Solver, read: ReadSecret, ports: ProviderPorts): Reply<DnsProvider, DnsProblem> {
  const source = awsSource(solver, read, ports);
  if (!source.ok) return source;
  const { now, proxies, endpoints = {} } = ports;
  const [role, region, hostedZoneId] = [solver.role, solver.region, solver.hostedZoneID].map(filled);
  // Its token is exchanged for the role already.
  const assumed = source.value.kind === 'webIdentity' ? undefined : role;
  const options = { source: source.value, role: assumed, region, hostedZoneId, endpoints, proxies, now };
  return { ok: true, value: route53Provider(options) };
}

function awsSource(solver: Route53Solver, read: ReadSecret, ports: ProviderPorts): Reply<AwsSource, DnsProblem> {
  const account = solver.auth?.kubernetes?.serviceAccountRef;
  const role = filled(solver.role);
  if (account !== undefined) {
    if (role === undefined) return failed('misconfigured', 'dns01.route53.auth needs role: the ARN to assume.');
    const { requestToken, resourceNamespace: namespace } = ports;
    const audiences = account.audiences?.length ? account.audiences : [awsAudience];
    const wish = { namespace, name: account.name, audiences };
    const token = () => accountToken(requestToken, wish);
    return { ok: true, value: { kind: 'webIdentity', role, token } };
  }
  const { accessKeyIDSecretRef: idRef, secretAccessKeySecretRef: secretRef } = solver;
  const plainId = filled(solver.accessKeyID);
  if (plainId !== undefined && isGiven(idRef)) {
    return failed('misconfigured', 'dns01.route53 has both accessKeyID and accessKeyIDSecretRef; keep one of them.');
  }
  const hasId = plainId !== undefined || isGiven(idRef);
  if (hasId && isGiven(secretRef)) {
    const id = isGiven(idRef) ? secretText(read, idRef, 'route53.accessKeyIDSecretRef') : undefined;
    if (id?.ok === false) return id;
    const secret = secretText(read, secretRef, 'route53.secretAccessKeySecretRef');
    if (!secret.ok) return secret;
    const accessKeyId = id?.value ?? plainId ?? '';
    return { ok: true, value: { kind: 'keys', accessKeyId, secretAccessKey: secret.value } };
  }
  if (hasId || isGiven(secretRef)) {
    const both = 'accessKeyID (or accessKeyIDSecretRef) and secretAccessKeySecretRef';
    return failed('misconfigured', `dns01.route53 has one half of an access key only; give both ${both}, or neither.`);
  }
  if (ports.ambientCredentials === 'allowed') return { ok: true, value: { kind: 'ambient' } };
  const why = 'and an Issuer may not use those of the controller (--issuer-ambient-credentials)';
  return failed(
    'misconfigured',
    `dns01.route53 names no credentials, ${why}: give accessKeyID and secretAccessKeySecretRef.`,
  );
}

function filled(text: string | undefined): string | undefined {
  const trimmed = text?.trim();
  return trimmed === '' ? undefined : trimmed;
}
