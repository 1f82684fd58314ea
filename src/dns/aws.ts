// A Route 53 client of the AWS SDK with the credentials that the issuer means, and the SDK's errors as problems. Called by route53.ts.
// The SDK is loaded at first use: half a megabyte in the bundle and 30 MB of memory that only installations with Route 53 pay.

import { Agent } from 'node:https';
import type { Route53Client } from '@aws-sdk/client-route-53';
import { fieldOf, readText } from '../acme/json.ts';
import type { Proxies } from '../acme/proxy.ts';
import type { Reply } from '../api/reply.ts';
import { type DnsProblem, failed, rateLimited, said } from './problem.ts';

export type AwsSource =
  | { readonly kind: 'keys'; readonly accessKeyId: string; readonly secretAccessKey: string }
  /** What the controller's own environment has: variables, EKS Pod Identity, IRSA, instance metadata. */
  | { readonly kind: 'ambient' }
  /** A ServiceAccount's token, exchanged for `role`. */
  | {
      readonly kind: 'webIdentity';
      readonly role: string;
      readonly token: () => Promise<Reply<string, DnsProblem>>;
    };

export interface AwsOptions {
  readonly source: AwsSource;
  /** Assumed with the credentials of `source`. */
  readonly role: string | undefined;
  readonly region: string | undefined;
  readonly endpoints: { readonly route53?: string; readonly sts?: string };
  readonly proxies: Proxies | undefined;
  readonly now: () => number;
}

export type Sdk = typeof import('@aws-sdk/client-route-53');

export interface AwsLink extends Disposable {
  readonly sdk: Sdk;
  readonly client: Route53Client;
}

const roleSessionName = 'certway';
// Route 53 is one service for the whole of an AWS partition; a region only says which partition.
const commonRegion = 'us-east-1';
const coolDownMs = 5_000;

const socks = 'HTTPS_PROXY is a SOCKS proxy, through which Route 53 cannot be reached; use an HTTP proxy.';

/** Asks AWS for nothing yet; where a ServiceAccount's token is wanted, the API server is asked for it. */
export async function openAws(options: AwsOptions): Promise<Reply<AwsLink, DnsProblem>> {
  if (options.proxies?.url.startsWith('socks')) return failed('misconfigured', socks);
  const [sdk, providers] = await Promise.all([
    import('@aws-sdk/client-route-53'),
    import('@aws-sdk/credential-providers'),
  ]);
  const { role, endpoints } = options;
  const region = options.region ?? (await regionHere(sdk));
  const shared = { region, maxAttempts: 2, requestHandler: requestHandler(options.proxies) };
  const clientConfig = { ...shared, ...(endpoints.sts !== undefined && { endpoint: endpoints.sts }) };
  const own = await ownCredentials(options.source, providers, clientConfig);
  if (!own.ok) return own;
  const params = { RoleArn: role ?? '', RoleSessionName: roleSessionName };
  const credentials =
    role === undefined
      ? own.value
      : providers.fromTemporaryCredentials({ masterCredentials: own.value, params, clientConfig });
  const endpoint = endpoints.route53 === undefined ? {} : { endpoint: endpoints.route53 };
  const client = new sdk.Route53Client({ ...shared, credentials, ...endpoint });
  return { ok: true, value: { sdk, client, [Symbol.dispose]: () => client.destroy() } };
}

interface ClientConfig {
  readonly region: string;
  readonly maxAttempts: number;
  readonly requestHandler: ReturnType<typeof requestHandler>;
  readonly endpoint?: string;
}

type Providers = typeof import('@aws-sdk/credential-providers');
type Credentials = NonNullable<Parameters<Providers['fromTemporaryCredentials']>[0]['masterCredentials']>;

async function ownCredentials(
  source: AwsSource,
  providers: Providers,
  clientConfig: ClientConfig,
): Promise<Reply<Credentials, DnsProblem>> {
  switch (source.kind) {
    case 'keys':
      return { ok: true, value: source };
    case 'ambient':
      return { ok: true, value: providers.fromNodeProviderChain({ clientConfig }) };
    case 'webIdentity': {
      const token = await source.token();
      if (!token.ok) return token;
      const wish = { roleArn: source.role, roleSessionName, webIdentityToken: token.value, clientConfig };
      return { ok: true, value: providers.fromWebToken(wish) };
    }
    default:
      return source satisfies never;
  }
}

/** As the SDK finds it: AWS_REGION, a profile. */
async function regionHere({ Route53Client: Client }: Sdk): Promise<string> {
  return new Client({}).config.region().catch(() => commonRegion);
}

function requestHandler(proxies: Proxies | undefined) {
  const limits = { connectionTimeout: 5_000, requestTimeout: 15_000, throwOnRequestTimeout: true };
  if (proxies === undefined) return limits;
  const proxyEnv = { HTTPS_PROXY: proxies.url, NO_PROXY: proxies.except };
  return { ...limits, httpsAgent: new Agent({ keepAlive: true, proxyEnv }) };
}

/** The value, or what the SDK's error means. `code` is AWS's own name for a refusal. */
export type AwsReply<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: DnsProblem; readonly code: string };

export async function attempt<T>(work: () => Promise<T>, now: () => number): Promise<AwsReply<T>> {
  try {
    return { ok: true, value: await work() };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { ok: false, problem: problemOf(error, now), code: codeOf(error) };
  }
}

const throttled = /throttl|PriorRequestNotComplete|RequestLimitExceeded|TooManyRequests|SlowDown/i;
const noCredentials = /^(CredentialsProviderError|TokenProviderError)$/;
const rights =
  'Route 53 needs route53:ListHostedZonesByName, ListResourceRecordSets, ChangeResourceRecordSets and GetChange';

// Route 53 has a form of its own for one error, which the SDK does not know: <InvalidChangeBatch><Messages><Message>…
function codeOf(error: Error): string {
  return batchMessages(error) === undefined ? error.name : 'InvalidChangeBatch';
}

function batchMessages(error: Error): string | undefined {
  const messages = fieldOf(fieldOf(error, 'Messages'), 'Message');
  if (Array.isArray(messages)) return messages.map(String).join('; ');
  return readText(messages);
}

function problemOf(error: Error, now: () => number): DnsProblem {
  const words = `${said(batchMessages(error) ?? error.message)} (${codeOf(error)})`;
  if (noCredentials.test(error.name)) {
    const remedy = 'give accessKeyID and secretAccessKeySecretRef, or a role for the controller’s Pod';
    return failed('misconfigured', `The controller finds no AWS credentials in its environment; ${remedy}.`).problem;
  }
  if (throttled.test(error.name)) return rateLimited(`AWS asks to slow down: ${words}.`, now() + coolDownMs).problem;
  const fault = readText(fieldOf(error, '$fault'));
  const status = fieldOf(fieldOf(error, '$metadata'), 'httpStatusCode');
  if (fault === 'client' && typeof status === 'number' && status < 500) {
    const hint = status === 403 ? `; ${rights}` : '';
    return failed('refused', `AWS refuses: ${words}${hint}.`).problem;
  }
  if (fault !== undefined) return failed('unavailable', `AWS fails: ${words}.`).problem;
  return failed('network', `AWS cannot be reached: ${words}.`).problem;
}
