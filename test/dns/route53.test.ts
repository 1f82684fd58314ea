// Route 53 through the AWS SDK, against the API reference's requests, answers and errors on loopback; signatures are checked by sigv4.ts.

import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Route53Solver } from '../../src/api/dns01-solver.ts';
import type { ProviderPorts } from '../../src/dns/make-provider.ts';
import type { DnsProvider } from '../../src/dns/provider.ts';
import type { TokenWish } from '../../src/kube/token-request.ts';
import { type AwsScript, awsError, awsScript, zoneId } from './aws-script.ts';
import { type LoopbackApi, startLoopbackApi, type Told } from './loopback-api.ts';
import { signatureOf } from './sigv4.ts';
import { got, never, problemIn, providerWith, record } from './stage.ts';

const secret = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
const byKey: Route53Solver = {
  accessKeyID: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKeySecretRef: { name: 'aws', key: 'secret-access-key' },
};
const fqdn = '_acme-challenge.example.com.';

// Tests must not find the credentials or the region of whoever runs them.
const elsewhere = {
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_CONFIG_FILE: '/dev/null',
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
};
for (const [name, value] of Object.entries(elsewhere)) process.env[name] = value;
for (const name of Object.keys(process.env).filter((each) =>
  /^AWS_(REGION|DEFAULT_REGION|PROFILE|ACCESS|SECRET|SESSION|ROLE|WEB|CONTAINER)/.test(each),
)) {
  delete process.env[name];
}
afterEach(() => vi.unstubAllEnvs());

function providerAt(api: LoopbackApi, solver = byKey, change: Partial<ProviderPorts> = {}): DnsProvider {
  const endpoints = { route53: api.url, sts: api.url };
  return providerWith({ route53: solver }, secret, { endpoints, ...change });
}

function apiOf(script: AwsScript): Promise<LoopbackApi> {
  return startLoopbackApi((asked) => script.answer(asked));
}

function valuesOf(script: AwsScript): readonly string[] {
  return script.sets.flatMap(({ values }) => values).toSorted();
}

const [apex, wildcard] = [record('example.com', 'for-apex'), record('example.com', 'for-wildcard')];

describe('a value', () => {
  it('is added with three signed requests and removed with two', async () => {
    const script = awsScript();
    await using api = await apiOf(script);
    const provider = providerAt(api);
    const note = got(await provider.present(apex, never));
    expect(note).toEqual({ zoneId, changeId: '/change/C2682N5HXP0BZ4' });
    expect(script.sets).toEqual([{ name: fqdn, ttl: '60', values: ['"for-apex"'], setIdentifier: '"for-apex"' }]);
    got(await provider.cleanUp(apex, note, never));
    expect(script.sets).toEqual([]);
    expect(api.asked.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'GET /2013-04-01/hostedzonesbyname?dnsname=example.com&maxitems=10',
      `GET /2013-04-01/hostedzone/${zoneId}/rrset?name=_acme-challenge.example.com.&type=TXT`,
      `POST /2013-04-01/hostedzone/${zoneId}/rrset`,
      `GET /2013-04-01/hostedzone/${zoneId}/rrset?name=_acme-challenge.example.com.&type=TXT`,
      `POST /2013-04-01/hostedzone/${zoneId}/rrset`,
    ]);
    for (const asked of api.asked) {
      expect(signatureOf(asked, secret)).toMatchObject({
        valid: true,
        accessKey: 'AKIAIOSFODNN7EXAMPLE',
        region: 'us-east-1',
        service: 'route53',
        covers: expect.arrayContaining(['host', 'x-amz-date']),
      });
      expect(signatureOf(asked, 'another secret').valid).toBe(false);
    }
  });

  it('stands beside others that are added at the same time, and goes alone', async () => {
    const script = awsScript();
    await using api = await apiOf(script);
    const provider = providerAt(api);
    await Promise.all([apex, wildcard].map(async (each) => got(await provider.present(each, never))));
    expect(valuesOf(script)).toEqual(['"for-apex"', '"for-wildcard"']);
    got(await provider.cleanUp(apex, undefined, never));
    expect(valuesOf(script)).toEqual(['"for-wildcard"']);
  });

  it('joins a simple record set that somebody else made, and leaves it as it was', async () => {
    const theirs = { name: fqdn, ttl: '300', values: ['"theirs"', '"too"'] };
    const script = awsScript(theirs);
    await using api = await apiOf(script);
    const provider = providerAt(api);
    got(await provider.present(apex, never));
    expect(script.sets).toEqual([{ ...theirs, values: ['"theirs"', '"too"', '"for-apex"'] }]);
    got(await provider.present(apex, never));
    got(await provider.cleanUp(apex, undefined, never));
    expect(script.sets).toEqual([theirs]);
  });

  it.each(['ErrorResponse', 'InvalidChangeBatch'] as const)(
    'is planned anew when somebody changes the set in between, told by %s',
    async (refusal) => {
      const script = awsScript({ name: fqdn, ttl: '300', values: ['"theirs"'] });
      script.refusal = refusal;
      await using api = await apiOf(script);
      script.meanwhile = () => {
        script.sets.splice(0, 1, { name: fqdn, ttl: '300', values: ['"theirs"', '"newer"'] });
      };
      got(await providerAt(api).present(apex, never));
      expect(valuesOf(script)).toEqual(['"for-apex"', '"newer"', '"theirs"']);
    },
  );

  it('that can never be added is refused in the end, in the words of AWS', async () => {
    const script = awsScript({ name: fqdn, ttl: '300', values: ['"theirs"'] });
    script.refusal = 'InvalidChangeBatch';
    await using api = await startLoopbackApi((asked) => {
      const ttl = String(api.asked.length);
      script.sets.splice(0, 1, { name: fqdn, ttl: '300', values: [`"theirs ${asked.method} ${ttl}"`] });
      return script.answer(asked);
    });
    expect(problemIn(await providerAt(api).present(apex, never))).toMatchObject({
      kind: 'refused',
      message: expect.stringMatching(/do not match the current values \(InvalidChangeBatch\)/),
    });
    expect(api.asked).toHaveLength(1 + 2 * 4);
  });

  it('that is gone already is not missed', async () => {
    await using api = await apiOf(awsScript());
    expect(await providerAt(api).cleanUp(apex, { zoneId }, never)).toEqual({ ok: true, value: undefined });
    expect(api.asked).toHaveLength(1);
  });

  it('is settled when its change is INSYNC, of which one request tells', async () => {
    const script = awsScript();
    await using api = await apiOf(script);
    const provider = providerAt(api);
    const note = { zoneId, changeId: '/change/C2682N5HXP0BZ4' };
    expect(got(await provider.settled(note, never))).toBe('not yet');
    script.status = 'INSYNC';
    expect(got(await provider.settled(note, never))).toBe('yes');
    expect(api.asked.map(({ path }) => path)).toEqual(Array(2).fill('/2013-04-01/change/C2682N5HXP0BZ4'));
    expect(got(await provider.settled({ zoneId }, never))).toBe('yes');
  });
});

describe('the zone', () => {
  it('that the issuer names is not looked for', async () => {
    await using api = await apiOf(awsScript());
    got(await providerAt(api, { ...byKey, hostedZoneID: zoneId }).present(apex, never));
    expect(api.asked.some(({ path }) => path.includes('hostedzonesbyname'))).toBe(false);
  });

  it('that the issuer names must exist', async () => {
    await using api = await apiOf(awsScript());
    expect(problemIn(await providerAt(api, { ...byKey, hostedZoneID: 'ZNONE' }).present(apex, never))).toEqual({
      kind: 'misconfigured',
      message: 'Route 53 has no hosted zone ZNONE in this account: correct route53.hostedZoneID.',
    });
  });

  it('must be in the account', async () => {
    await using api = await apiOf(awsScript());
    expect(problemIn(await providerAt(api).present(record('example.org', 'x'), never))).toMatchObject({
      kind: 'refused',
      message: expect.stringMatching(/no public hosted zone example\.org/),
    });
  });
});

describe('credentials', () => {
  it('of a role are got with the access key, and sign the rest', async () => {
    await using api = await apiOf(awsScript());
    const role = 'arn:aws:iam::123456789012:role/dns';
    got(await providerAt(api, { ...byKey, role, hostedZoneID: zoneId, region: 'eu-west-1' }).present(apex, never));
    const [assume, ...rest] = api.asked;
    expect(Object.fromEntries(new URLSearchParams(assume?.body))).toMatchObject({
      Action: 'AssumeRole',
      RoleArn: role,
      RoleSessionName: 'certway',
    });
    if (assume !== undefined)
      expect(signatureOf(assume, secret)).toMatchObject({ valid: true, service: 'sts', region: 'eu-west-1' });
    expect(rest).toHaveLength(2);
    for (const asked of rest) {
      expect(signatureOf(asked, 'role-secret')).toMatchObject({ valid: true, accessKey: 'ASIAROLE' });
      expect(asked.headers['x-amz-security-token']).toBe('role-session');
    }
  });

  it('of a ServiceAccount are its token, exchanged for the role', async () => {
    await using api = await apiOf(awsScript());
    const role = 'arn:aws:iam::123456789012:role/dns';
    const wishes: TokenWish[] = [];
    const requestToken = async (wish: TokenWish) => {
      wishes.push(wish);
      return { ok: true, value: 'header.payload.signature' } as const;
    };
    const auth = { kubernetes: { serviceAccountRef: { name: 'dns-writer' } } };
    got(await providerAt(api, { auth, role, hostedZoneID: zoneId }, { requestToken }).present(apex, never));
    expect(wishes).toEqual([{ namespace: 'team', name: 'dns-writer', audiences: ['sts.amazonaws.com'] }]);
    expect(Object.fromEntries(new URLSearchParams(api.asked[0]?.body))).toMatchObject({
      Action: 'AssumeRoleWithWebIdentity',
      RoleArn: role,
      WebIdentityToken: 'header.payload.signature',
    });
    expect(api.asked.slice(1).every((asked) => signatureOf(asked, 'role-secret').valid)).toBe(true);
  });

  it.each([
    ['forbidden', 'refused', /ServiceAccount team\/dns-writer may not be requested.*serviceaccounts\/token/],
    ['notFound', 'misconfigured', /No token of ServiceAccount team\/dns-writer/],
  ] as const)('of a ServiceAccount whose token is %s are a problem of the issuer', async (kind, expected, sentence) => {
    await using api = await apiOf(awsScript());
    const requestToken = async () => ({ ok: false, problem: { kind, message: 'so it is' } }) as const;
    const auth = { kubernetes: { serviceAccountRef: { name: 'dns-writer' } } };
    const provider = providerAt(api, { auth, role: 'arn:aws:iam::1:role/dns' }, { requestToken });
    expect(problemIn(await provider.present(apex, never))).toEqual({
      kind: expected,
      message: expect.stringMatching(sentence),
    });
    expect(api.asked).toEqual([]);
  });

  it('are those of the environment where that is allowed', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAAMBIENT');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'ambient-secret');
    vi.stubEnv('AWS_REGION', 'cn-north-1');
    await using api = await apiOf(awsScript());
    got(await providerAt(api, { hostedZoneID: zoneId }, { ambientCredentials: 'allowed' }).present(apex, never));
    for (const asked of api.asked) {
      expect(signatureOf(asked, 'ambient-secret')).toMatchObject({ valid: true, accessKey: 'AKIAAMBIENT' });
    }
  });

  it('that are nowhere are said to be missing', async () => {
    await using api = await apiOf(awsScript());
    expect(problemIn(await providerAt(api, {}, { ambientCredentials: 'allowed' }).present(apex, never))).toEqual({
      kind: 'misconfigured',
      message: expect.stringMatching(/^The controller finds no AWS credentials in its environment; give accessKeyID/),
    });
  });
});

describe('AWS', () => {
  async function refusedBy(told: Told | undefined) {
    await using api = await startLoopbackApi(() => told);
    return problemIn(await providerAt(api, { ...byKey, hostedZoneID: zoneId }).present(apex, never));
  }

  it.each([
    [
      403,
      'AccessDenied',
      'User: arn:aws:iam::123456789012:user/dns is not authorized to perform: route53:ListResourceRecordSets',
    ],
    [403, 'InvalidClientTokenId', 'The security token included in the request is invalid.'],
    [403, 'SignatureDoesNotMatch', 'The request signature we calculated does not match the signature you provided.'],
    [403, 'ExpiredToken', 'The security token included in the request is expired'],
  ])('that says %i %s refuses, and the rights are named', async (status, code, words) => {
    const problem = await refusedBy(awsError(status, code, words));
    expect(problem.kind).toBe('refused');
    expect(problem.message).toContain(words.replace(/\.$/, ''));
    expect(problem.message).toContain(`(${code})`);
    expect(problem.message).toContain('route53:ListHostedZonesByName');
    expect(problem.message).not.toMatch(/b25f48e8/);
    expect(problem.message).not.toContain(secret);
  });

  it.each([
    [400, 'Throttling'],
    [400, 'PriorRequestNotComplete'],
  ])('that says %i %s wants us slower', async (status, code) => {
    const before = Date.now();
    const problem = await refusedBy(awsError(status, code, 'Rate exceeded'));
    expect(problem.kind).toBe('rateLimited');
    expect(problem.kind === 'rateLimited' && problem.retryAt > before).toBe(true);
  });

  it.each([
    ['500', awsError(500, 'InternalFailure', 'An internal error occurred'), 'unavailable'],
    ['503', awsError(503, 'ServiceUnavailable', 'Service unavailable'), 'unavailable'],
    ['a cut connection', undefined, 'network'],
  ] as const)('with %s is asked again', async (_, told, kind) => {
    expect(await refusedBy(told)).toMatchObject({ kind, message: expect.stringMatching(/^AWS .*\.$/) });
  });

  it('that is not there is a network problem', async () => {
    const endpoints = { route53: 'http://127.0.0.1:1' };
    const provider = providerWith({ route53: { ...byKey, hostedZoneID: zoneId } }, secret, { endpoints });
    expect(problemIn(await provider.present(apex, never))).toMatchObject({ kind: 'network' });
  });
});
