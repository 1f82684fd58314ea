// cert-manager's own cmctl, as its users run it, on what our controller has made: it tells, renews, approves and denies as they know it. What it
// cannot do here is said by the last test: its check asks for cert-manager's webhook by name, and `certway check` stands for it.

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CertificateRequest } from '../../src/api/certmanager.ts';
import { certificateRequests } from '../../src/api/resources.ts';
import { conditionOf } from '../../src/plan/conditions.ts';
import { buildCmctl } from '../rig/build.ts';
import { type SharedWorld, sharedWorld } from '../rig/shared-world.ts';
import { until } from '../rig/wait.ts';
import { boundTo } from './acting.ts';
import { acmeIssuer, caIssuer, gateway, listenerSet, makeTeam, type Team } from './team.ts';

let world: SharedWorld;
let team: Team;
let program: string;

beforeAll(async () => {
  program = await buildCmctl((line) => process.stdout.write(`  ${line}\n`));
  world = await sharedWorld();
  team = await makeTeam(world, 'cmctl');
  await team.kubectl.apply([...caIssuer(team.namespace), certificate('web', 'ca'), certificate('stuck', 'nowhere')]);
  await Promise.all(['ca-root', 'web'].map((name) => team.ready(name)));
}, 1_800_000);
afterAll(async () => {
  await team?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

function certificate(name: string, issuer: string) {
  const dnsNames = [`${name}.${team.namespace}.example.com`];
  const spec = { secretName: `${name}-tls`, dnsNames, privateKey: { algorithm: 'ECDSA' }, issuerRef: { name: issuer } };
  return { apiVersion: 'cert-manager.io/v1', kind: 'Certificate', metadata: { name, namespace: team.namespace }, spec };
}

/** Its words on both channels, and its exit code. */
async function cmctl(...words: readonly string[]): Promise<{ readonly said: string; readonly exitCode: number }> {
  const args = [...words, `--namespace=${team.namespace}`, `--cache-dir=${join(world.dir, 'cmctl-cache')}`];
  const env = { KUBECONFIG: world.kubeconfig };
  const { all = '', exitCode = -1 } = await execa(program, args, { env, cwd: world.dir, all: true, reject: false });
  return { said: all, exitCode };
}

async function requestNamed(name: string): Promise<CertificateRequest | undefined> {
  return (await team.all(certificateRequests)).find(({ metadata }) => metadata.name === name);
}

describe('status certificate', () => {
  it('walks from a Certificate that is ready to its Secret', async () => {
    const { said, exitCode } = await cmctl('status', 'certificate', 'web');
    expect(exitCode).toBe(0);
    expect(said).toMatch(/^ {2}Ready: True, Reason: Ready, Message: Certificate is up to date/m);
    expect(said).toMatch(/^Issuer:\n {2}Name: ca\n {2}Kind: Issuer\n {2}Conditions:\n {4}Ready: True, /m);
    expect(said).toMatch(/^Secret:\n {2}Name: web-tls\n(.*\n)* {2}Key Usage: Digital Signature, Key Encipherment/m);
    expect(said).toMatch(/^Not After: \d{4}-/m);
    expect(said).toMatch(/^Renewal Time: \d{4}-/m);
  });

  it('says why one is stuck', async () => {
    await team.says('stuck', 'Issuing', /^IssuerNotFound/);
    const { said } = await cmctl('status', 'certificate', 'stuck');
    expect(said).toMatch(/^ {2}Issuing: True, Reason: IssuerNotFound, Message: Issuer "nowhere" does not exist/m);
    expect(said).toContain('issuers.cert-manager.io "nowhere" not found');
  });

  it('walks from one that its CA cannot reach to its request and its order', async () => {
    const hostname = `astray.${team.namespace}.example.com`;
    await world.dns.set(hostname, 'NXDOMAIN');
    const annotations = { 'cert-manager.io/issuer': 'acme', 'cert-manager.io/private-key-algorithm': 'ECDSA' };
    await team.kubectl.apply([
      acmeIssuer(team.namespace, world.acme),
      gateway(team.namespace),
      listenerSet(team.namespace, { name: 'astray', hostname, annotations }),
    ]);
    await team.says('astray-tls', 'Issuing', /astray/, 60_000);
    const { said, exitCode } = await until('the Order to say what it waits for', async () => {
      const answer = await cmctl('status', 'certificate', 'astray-tls');
      if (/^Order:\n {2}Name: astray-tls-1-\S+\n {2}State: \w*, Reason: .* resolves to no address/m.test(answer.said))
        return answer;
      throw new Error(answer.said);
    });
    expect(exitCode).toBe(0);
    expect(said).toMatch(/^CertificateRequest:\n {2}Name: astray-tls-1\n/m);
  });
});

it('inspect secret reads what was written', async () => {
  const { said, exitCode } = await cmctl('inspect', 'secret', 'web-tls');
  expect(exitCode).toBe(0);
  expect(said).toContain(`- web.${team.namespace}.example.com`);
  expect(said).toMatch(/Issued By:\n\tCommon Name:\s+Test root/);
  expect(said).toMatch(/Usages:\s+- digital signature\s+- key encipherment/);
});

describe('renew', () => {
  it('by somebody with edit issues anew, with a new key and the next revision', async () => {
    const developer = `${team.namespace}-dev`;
    await team.kubectl.apply([boundTo(developer, 'edit', team.namespace)]);
    const [before, secret] = [await team.certificate('web'), await team.secret('web-tls')];
    await until('the right to be known', async () => {
      const { said, exitCode } = await cmctl('renew', 'web', `--as=${developer}`);
      if (exitCode === 0) return said.includes('Manually triggered issuance of Certificate');
      throw new Error(said);
    });
    const after = await until('the next revision', async () => {
      const found = await team.certificate('web');
      return (found?.status?.revision ?? 0) > (before?.status?.revision ?? 0) && found;
    });
    expect(after.status?.revision).toBe((before?.status?.revision ?? 0) + 1);
    expect(conditionOf(after.status?.conditions, 'Issuing')).toBeUndefined();
    const renewed = await team.secret('web-tls');
    for (const key of ['tls.crt', 'tls.key']) expect(renewed?.data?.[key]).not.toBe(secret?.data?.[key]);
  });
});

/** A request as a person makes it, with a key that stays in a file; its issuer signs when it is there. */
async function requestByHand(name: string, issuerRef: object, ...flags: readonly string[]): Promise<void> {
  const template = join(world.dir, `${name}.yaml`);
  const { spec, ...rest } = certificate(name, 'late');
  await writeFile(template, JSON.stringify({ ...rest, spec: { ...spec, issuerRef } }));
  const keyFile = join(world.dir, `${name}.key`);
  const words = ['create', 'certificaterequest', name, `--from-certificate-file=${template}`];
  expect(await cmctl(...words, `--output-key-file=${keyFile}`, ...flags)).toMatchObject({ exitCode: 0 });
}

describe('a request that a person has made for an external issuer', () => {
  const external = { name: 'some', kind: 'Signer', group: 'signers.example.test' };

  it.each([
    ['approve', 'Approved', 'Denied'],
    ['deny', 'Denied', 'Approved'],
  ])('is decided by %s, once and for all', async (verb, type, other) => {
    const name = `to-${verb}`;
    await requestByHand(name, external);
    const why = ['--reason=Policy', '--message=looked at by a person'];
    expect((await cmctl(verb, name, ...why)).exitCode).toBe(0);
    const { conditions } = (await requestNamed(name))?.status ?? {};
    const decided = { status: 'True', reason: 'Policy', message: 'looked at by a person' };
    expect(conditionOf(conditions, type)).toMatchObject(decided);
    expect(conditionOf(conditions, other)).toBeUndefined();
    const again = await cmctl('approve', name);
    expect(again).toMatchObject({ exitCode: 1, said: expect.stringContaining(`already ${type.toLowerCase()}`) });
  });

  it('is not approved by somebody without the right to', async () => {
    const name = 'to-attack';
    await requestByHand(name, external);
    const attacker = `${team.namespace}-attacker`;
    const rules = [
      {
        apiGroups: ['cert-manager.io'],
        resources: ['certificaterequests', 'certificaterequests/status'],
        verbs: ['get', 'update'],
      },
    ];
    const role = {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: attacker },
      rules,
    };
    await team.kubectl.apply([role, boundTo(attacker, attacker, team.namespace)]);
    const { said } = await until('the right to be known', async () => {
      const answer = await cmctl('approve', name, `--as=${attacker}`);
      return !answer.said.includes('cannot get resource') && answer;
    });
    expect(said).toContain('may not approve or deny requests for Signer some');
    await team.kubectl.run(['delete', 'clusterrole', attacker]);
  });
});

describe('a request that a person has made for an issuer of ours', () => {
  const late = { name: 'late', kind: 'Issuer' };

  it('is signed after approve, when its issuer is there', async () => {
    const name = 'by-person';
    await requestByHand(name, late);
    expect((await cmctl('approve', name, '--message=looked at by a person')).exitCode).toBe(0);
    const [, , issuer] = caIssuer(team.namespace, 'ca');
    await team.kubectl.apply([{ ...issuer, metadata: { name: 'late', namespace: team.namespace } }]);
    const signed = await until('the request to be signed', async () => (await requestNamed(name))?.status?.certificate);
    const leaf = new X509Certificate(Buffer.from(signed, 'base64'));
    expect(leaf.subjectAltName).toBe(`DNS:${name}.${team.namespace}.example.com`);
    expect(leaf.checkPrivateKey(createPrivateKey(await readFile(join(world.dir, `${name}.key`))))).toBe(true);
    expect(conditionOf((await requestNamed(name))?.status?.conditions, 'Approved')?.message).toBe(
      'looked at by a person',
    );
  });

  it('is signed and fetched in one go', async () => {
    const name = 'fetched';
    const certificateFile = join(world.dir, `${name}.crt`);
    await requestByHand(
      name,
      { name: 'ca' },
      '--fetch-certificate',
      '--timeout=60s',
      `--output-certificate-file=${certificateFile}`,
    );
    const leaf = new X509Certificate(await readFile(certificateFile));
    expect(leaf.subjectAltName).toBe(`DNS:${name}.${team.namespace}.example.com`);
  });

  it('is never signed after deny', async () => {
    const name = 'denied';
    await requestByHand(name, { ...late, name: 'later' });
    expect((await cmctl('deny', name, '--message=not for us')).exitCode).toBe(0);
    // Until then it says that its issuer is missing.
    await until('the request to be closed', async () => {
      const ready = conditionOf((await requestNamed(name))?.status?.conditions, 'Ready');
      return ready?.status === 'False' && ready.reason === 'Denied';
    });
    expect((await requestNamed(name))?.status?.certificate).toBeUndefined();
  });
});

it('check api does not know us: it wants the answer of a webhook by cert-manager’s name', async () => {
  const { said, exitCode } = await cmctl('check', 'api');
  expect(exitCode).toBe(1);
  // The stamp of the requester, which it looks for first, is there; its invalid request is refused, but by the API server itself.
  expect(said).toContain('request is not a CSR in PEM');
});
