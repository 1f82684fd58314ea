// `certway status` as people run it: a real process with their kubeconfig, on what a real controller has made and refused. It only ever looks,
// and what a user may not see it says instead of failing.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Secret } from '../../src/api/core.ts';
import { orders } from '../../src/api/resources.ts';
import { writeKubeconfig } from '../rig/kubeconfig.ts';
import { type SharedWorld, sharedWorld } from '../rig/shared-world.ts';
import { until } from '../rig/wait.ts';
import { acmeIssuer, caIssuer, gateway, listenerSet, makeTeam, type Team } from './team.ts';

const program = join(import.meta.dirname, '../../bin/certway');
const byCa = { 'cert-manager.io/issuer': 'ca', 'cert-manager.io/private-key-algorithm': 'ECDSA' };

let world: SharedWorld;
let team: Team;

beforeAll(async () => {
  world = await sharedWorld();
  team = await makeTeam(world, 'status');
  const { namespace } = team;
  await team.kubectl.apply([
    ...caIssuer(namespace),
    gateway(namespace, { annotations: byCa }),
    listenerSet(namespace, { name: 'web', hostname: host('web') }),
    listenerSet(namespace, { kind: 'XListenerSet', name: 'xweb', hostname: host('xweb'), annotations: byCa }),
  ]);
  await Promise.all(['web-tls', 'xweb-tls'].map((name) => team.ready(name)));
});
afterAll(async () => {
  await team?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

const host = (name: string) => `${name}.${team.namespace}.example.com`;

interface Answer {
  readonly exitCode?: number;
  readonly stdout: string;
  readonly stderr: string;
}

function status(words: readonly string[], env: Record<string, string> = {}): Promise<Answer> {
  const environment = { KUBECONFIG: world.kubeconfig, ...env };
  return execa(program, ['status', ...words], { env: environment, reject: false });
}

const here = (...words: readonly string[]) => status([...words, '-n', team.namespace]);

/** Asks until the answer has the words. */
function answered(words: readonly string[], expected: RegExp): Promise<Answer> {
  return until(
    `certway status ${words.join(' ')} to say ${expected}`,
    async () => {
      const answer = await here(...words);
      if (expected.test(answer.stdout)) return answer;
      throw new Error(answer.stdout + answer.stderr);
    },
    { deadlineMs: 30_000 },
  );
}

const lastLine = ({ stdout }: Answer) => stdout.trimEnd().split('\n').at(-1);

describe('what is issued', () => {
  it.each([
    [
      'listenerset',
      'web',
      /ListenerSet status-\w+\/web\n/,
      /Issuer ca: inherited from Gateway status-\w+\/parent; ready/,
    ],
    ['xlistenerset', 'xweb', /XListenerSet status-\w+\/xweb\n/, /Issuer ca: named on this XListenerSet; ready/],
    ['certificate', 'web-tls', /Certificate status-\w+\/web-tls\n/, /ListenerSet web: for listener "?https"?/],
    ['certificate', 'ca-root', /none: somebody has made it by hand/, /Issuer selfsigned: as the Certificate says/],
  ])('%s %s: nothing is missing, and when it renews', async (kind, name, head, issuer) => {
    const answer = await here(kind, name);
    expect(answer).toMatchObject({ exitCode: 0, stderr: '' });
    expect(answer.stdout).toMatch(head);
    expect(answer.stdout).toMatch(issuer);
    expect(answer.stdout).toMatch(/CertificateRequest \S+-1: issued/);
    expect(answer.stdout).toMatch(/Secret \S+: exists, issued by Issuer/);
    expect(lastLine(answer)).toMatch(
      /^Nothing is missing: it renews on \d{4}-\d\d-\d\d \d\d:\d\d UTC \(in \d+ days\)\.$/,
    );
  });

  it('the Gateway names the sets that are on it', async () => {
    const answer = await here('gateway', 'parent');
    expect(answer).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('listener sets: 2 attached') });
  });

  it('-o json is the view, without anything of the Secret’s payload', async () => {
    const { exitCode, stdout } = await here('listenerset/web', '-o', 'json');
    const view: unknown = JSON.parse(stdout);
    expect(view).toMatchObject({
      object: { kind: 'ListenerSet', namespace: team.namespace, name: 'web' },
      unseen: [],
      verdict: { state: 'good', who: 'nobody' },
    });
    expect(exitCode).toBe(0);
    const { data = {} }: Partial<Secret> = (await team.secret('web-tls')) ?? {};
    for (const value of Object.values(data)) expect(stdout).not.toContain(value.slice(0, 40));
  });
});

describe('what is missing', () => {
  it('is an issuer: the developer’s', async () => {
    const annotations = { 'cert-manager.io/issuer': 'nowhere' };
    await team.kubectl.apply([listenerSet(team.namespace, { name: 'lost', hostname: host('lost'), annotations })]);
    const answer = await answered(['listenerset', 'lost'], /Certificate lost-tls: IssuerNotFound/);
    expect(answer.exitCode).toBe(1);
    expect(lastLine(answer)).toBe(
      'The developer can fix this: Issuer "nowhere" does not exist; create it, or correct the reference.',
    );
  });

  it('is the Gateway’s consent: the platform owner’s, long after the events are gone', async () => {
    const set = listenerSet(team.namespace, { name: 'shut', hostname: host('shut'), parent: { name: 'closed' } });
    await team.kubectl.apply([gateway(team.namespace, { name: 'closed', annotations: byCa, from: 'None' }), set]);
    await team.told('shut', /^NotAllowed: /);
    await team.kubectl.run(['delete', 'events', '--all', '-n', team.namespace]);
    const answer = await here('listenerset', 'shut');
    expect(answer.exitCode).toBe(1);
    expect(answer.stdout).toContain('refused NotAllowed: ');
    expect(lastLine(answer)).toMatch(
      /^The platform owner can fix this: Gateway status-\w+\/closed allows no listener sets; /,
    );
  });

  it('is a hostname that leads nowhere: what the order waits for, and when it is tried again', async () => {
    await world.dns.set(host('astray'), 'NXDOMAIN');
    const annotations = { ...byCa, 'cert-manager.io/issuer': 'acme' };
    await team.kubectl.apply([
      acmeIssuer(team.namespace, world.acme),
      listenerSet(team.namespace, { name: 'astray', hostname: host('astray'), annotations }),
    ]);
    await team.says('astray-tls', 'Issuing', /^SelfCheckFailed: /, 60_000);
    await until('the Order to note its wait', async () =>
      (await team.all(orders)).some(({ metadata }) => 'certway.dev/state' in (metadata.annotations ?? {})),
    );
    const answer = await here('listenerset', 'astray');
    expect(answer.exitCode).toBe(1);
    expect(answer.stdout).toMatch(
      /Order astray-tls-1-\w+: (pending|not placed at the CA yet); waits for SelfCheckFailed: .*; it is (being )?tried again/,
    );
    expect(answer.stdout).toMatch(
      /HTTPRoute acme-astray-\S+: astray\S+ through Gateway status-\w+\/parent, listener "http"; /,
    );
    expect(lastLine(answer)).toContain(`The developer can fix this: Certificate astray-tls: ${host('astray')} `);
  });

  it('is the object itself', async () => {
    expect(await here('gateway', 'nope')).toMatchObject({
      exitCode: 1,
      stdout: expect.stringContaining(`The developer can fix this: Gateway ${team.namespace}/nope does not exist`),
    });
  });
});

describe('somebody with rights in one namespace only', () => {
  const rules = [
    { apiGroups: ['gateway.networking.k8s.io'], resources: ['listenersets', 'httproutes'] },
    { apiGroups: ['gateway.networking.x-k8s.io'], resources: ['xlistenersets'] },
    { apiGroups: ['cert-manager.io'], resources: ['certificates', 'certificaterequests', 'issuers'] },
    { apiGroups: ['acme.cert-manager.io'], resources: ['orders'] },
  ].map((rule) => ({ ...rule, verbs: ['get', 'list'] }));

  async function developer(): Promise<string> {
    const { namespace, kubectl } = team;
    const rbac = 'rbac.authorization.k8s.io';
    const metadata = { name: 'dev', namespace };
    await kubectl.apply([
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
      { apiVersion: `${rbac}/v1`, kind: 'Role', metadata, rules },
      {
        apiVersion: `${rbac}/v1`,
        kind: 'RoleBinding',
        metadata,
        roleRef: { apiGroup: rbac, kind: 'Role', name: 'dev' },
        subjects: [{ kind: 'ServiceAccount', name: 'dev', namespace }],
      },
    ]);
    const token = await kubectl.run(['create', 'token', 'dev', '-n', namespace]);
    const server = { url: world.apiUrl, caFile: world.apiCaFile };
    return writeKubeconfig(join(world.dir, 'dev.kubeconfig'), server, { kind: 'token', token });
  }

  /** What the user has done to the API server; undefined until it has done something. */
  async function verbsOf(username: string): Promise<ReadonlySet<string> | undefined> {
    const log = await readFile(world.auditLog, 'utf8');
    const whole = log.slice(0, log.lastIndexOf('\n'));
    const lines = whole.split('\n').filter((line) => line.includes(username));
    const verbs = lines.flatMap((line) => {
      const event: { readonly verb: string; readonly user: { readonly username: string } } = JSON.parse(line);
      return event.user.username === username ? [event.verb] : [];
    });
    return verbs.length > 0 ? new Set(verbs) : undefined;
  }

  it('sees that all is good, and reads what was not to be seen', async () => {
    const kubeconfig = await developer();
    const ask = (kind: string, name: string) => status([kind, name, '-n', team.namespace, '--kubeconfig', kubeconfig]);
    const answer = await until('the rights to be known', async () => {
      const each = await ask('listenerset', 'web');
      return each.exitCode === 0 && each;
    });
    expect(lastLine(answer)).toMatch(/^Nothing is missing: it renews on /);
    const [, unseen = ''] = answer.stdout.split('Not seen:');
    expect(unseen).toContain(`you may not get Gateway parent in namespace ${team.namespace}`);
    expect(unseen).toContain(`you may not get Secret web-tls in namespace ${team.namespace}`);
    expect(unseen).toContain('whether listener sets of other namespaces hold one of these hostnames');
    const verbs = await until('the audit log to have it', () => verbsOf(`system:serviceaccount:${team.namespace}:dev`));
    expect([...verbs].sort()).toEqual(['get', 'list']);
    const refused = await ask('gateway', 'parent');
    expect(refused.exitCode).toBe(1);
    expect(lastLine(refused)).toBe(
      `The platform owner can fix this: you may not get Gateway parent in namespace ${team.namespace}.`,
    );
  });
});

describe('a wrong call', () => {
  it.each([
    [['service', 'web'], /unknown kind "service"; usage: certway status listenerset/],
    [['gateway'], /name a kind and an object/],
    [['gateway', 'a', '-o', 'yaml'], /--output "yaml" is none of text, json/],
    [['gateway', 'a', '--nope'], /unknown flag --nope/],
    [['gateway', 'a', '--kubeconfig', '/nowhere'], /kubeconfig \/nowhere cannot be read/],
  ])('%j exits 2 and says so', async (words, said) => {
    const answer = await status(words);
    expect(answer).toMatchObject({ exitCode: 2, stdout: '', stderr: expect.stringMatching(said) });
  });
});
