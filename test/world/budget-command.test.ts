// `certway budget` as people run it: a real process with their kubeconfig, on the books that the controller keeps of a CA whose limits are small, and for
// somebody who may not see them.

import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { ConfigMap } from '../../src/api/core.ts';
import { writeKubeconfig } from '../rig/kubeconfig.ts';
import { type AcmeFault, startAcmeFault } from '../rig/proxy/acme-fault.ts';
import { type SharedWorld, sharedWorld } from '../rig/shared-world.ts';
import { until } from '../rig/wait.ts';
import { issuerNamed } from './account-eyes.ts';
import { acmeIssuer, gateway, listenerSet, makeTeam, type Team } from './team.ts';

const program = join(import.meta.dirname, '../../bin/certway');
const limits = {
  limits: {
    newOrdersPerAccount: { count: 20, period: '1h' },
    certificatesPerDomain: { count: 2, period: '2h' },
  },
};

let world: SharedWorld;
let team: Team;
let ca: AcmeFault;
let account: string;

beforeAll(async () => {
  world = await sharedWorld();
  team = await makeTeam(world, 'budget');
  // A directory of its own: nobody else's orders are counted there.
  ca = await startAcmeFault(world.acme);
  const issuer = acmeIssuer(team.namespace, ca, 'small');
  const { metadata } = issuer;
  const annotated = { ...metadata, annotations: { 'certway.dev/limits': JSON.stringify(limits) } };
  await team.kubectl.apply([gateway(team.namespace), { ...issuer, metadata: annotated }]);
  await team.issuerSays('small', 'True', /^ACMEAccountRegistered/);
  await team.kubectl.apply([acmeIssuer(team.namespace, world.acme, 'other')]);
  await team.issuerSays('other', 'True', /^ACMEAccountRegistered/);
  account = (await issuerNamed(team, 'small')).status?.acme?.uri ?? '';
  await order('one');
  await order('two');
  await team.ready('one-tls');
  await team.ready('two-tls');
  await order('three');
  await team.says('three-tls', 'RateLimited', /certificatesPerDomain/);
  // Once a minute at most: what they lack yet the command reads from the Orders, as a new leader would.
  await until('the books to be written', async () => {
    const { items } = await team.kubectl.get<{ items: ConfigMap[] }>(
      ...['configmaps', '-n', 'certway-system', '-l', 'certway.dev/budget=checkpoint'],
    );
    return items.some(({ data }) => data?.checkpoint?.includes(account));
  });
});
afterAll(async () => {
  await team?.[Symbol.asyncDispose]();
  await ca?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

function order(name: string): Promise<string> {
  const annotations = { 'cert-manager.io/issuer': 'small', 'cert-manager.io/private-key-algorithm': 'ECDSA' };
  const hostname = `${name}.${team.namespace}.example.com`;
  return team.kubectl.apply([listenerSet(team.namespace, { name, hostname, annotations })]);
}

async function budget(kubeconfig: string, ...words: readonly string[]) {
  const env = { KUBECONFIG: kubeconfig };
  const { stdout, stderr, exitCode } = await execa(program, ['budget', ...words], { env, reject: false });
  return { stdout, stderr, exitCode };
}

describe('a platform owner', () => {
  it('sees what is spent, by whom, and who waits', async () => {
    const { stdout, stderr, exitCode } = await budget(world.kubeconfig, 'small', '-n', team.namespace);
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
    for (const line of [
      new RegExp(`^Issuer ${team.namespace}/small$`, 'm'),
      new RegExp(`^ {2}directory {2}${ca.directory}$`, 'm'),
      new RegExp(`^ {2}account {4}${account}$`, 'm'),
      /^ {2}counted {4}noted \d{4}-.* UTC \(\d+ (seconds|minutes) ago\)$/m,
      new RegExp(
        `certificates per domain +example\\.com +2 +0 +\\d{4}-.* UTC \\(in \\d+ minutes\\) +${team.namespace} 2$`,
        'm',
      ),
      new RegExp(`orders per account +this account +[234] +1[678] +now +${team.namespace} [234]$`, 'm'),
      new RegExp(
        `^ {2}new +${team.namespace}/three-tls-1-\\S+ +\\d+ \\S+ ago +\\d{4}-.* UTC \\(in \\d+ minutes\\)$`,
        'm',
      ),
      /why: .*certificatesPerDomain for example\.com/,
    ]) {
      expect(stdout).toMatch(line);
    }
    expect(stdout.split('\n').filter((line) => line.length > 120)).toEqual([]);
  });

  it('gets the same as JSON, with times that programs read', async () => {
    const { stdout } = await budget(world.kubeconfig, 'small', '-n', team.namespace, '-o', 'json');
    const view: unknown = JSON.parse(stdout);
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    expect(view).toMatchObject({
      unseen: [],
      accounts: [
        {
          account,
          issuers: [`Issuer ${team.namespace}/small`],
          notedAt: time,
          cells: expect.arrayContaining([
            expect.objectContaining({
              limit: 'certificatesPerDomain',
              subject: 'example.com',
              left: 0,
              burst: 2,
              nextFree: time,
              spentBy: [{ tenant: team.namespace, count: 2 }],
            }),
          ]),
          waiting: [{ class: 'new', tenant: team.namespace, since: time, until: time }],
        },
      ],
    });
  });

  it('sees all accounts without naming one', async () => {
    const { stdout } = await budget(world.kubeconfig);
    expect(stdout).toContain(`Issuer ${team.namespace}/small\n`);
    expect(stdout).toContain(`Issuer ${team.namespace}/other\n  directory  ${world.acme.directory}\n`);
  });

  it.each([
    [['nobody'], /^certway: ClusterIssuer nobody does not exist\. For an Issuer, say its namespace with -n\.$/],
    [['nobody', '-n', 'kube-system'], /^certway: Issuer kube-system\/nobody does not exist\.$/],
  ])('is told of %j', async (words, expected) => {
    const { stderr, stdout, exitCode } = await budget(world.kubeconfig, ...words);
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 1 });
    expect(stderr).toMatch(expected);
  });
});

it('the controller exports the same, and what cert-manager exports of Certificates', async () => {
  const text = await fetch(inject('metricsUrl')).then((answer) => answer.text());
  const domain = `directory="${ca.directory}",limit="certificatesPerDomain",subject="example.com"`;
  const certificate = `name="one-tls",namespace="${team.namespace}",issuer_name="small",issuer_kind="Issuer",issuer_group="cert-manager.io"`;
  for (const line of [
    `certway_budget_remaining{${domain}} 0`,
    `certway_budget_burst{${domain}} 2`,
    `certway_budget_waiting{class="new",tenant="${team.namespace}"} 1`,
    `certmanager_certificate_ready_status{${certificate},condition="True"} 1`,
    `certmanager_issuer_ready_status{name="small",namespace="${team.namespace}",condition="True"} 1`,
    'certway_leading 1',
  ]) {
    expect(text).toContain(`${line}\n`);
  }
  expect(text).toMatch(/^certway_budget_denials_total\{limit="certificatesPerDomain"\} [1-9]/m);
  expect(text).toMatch(/^certway_time_to_secret_seconds_count\{issuer="acme"\} [1-9]/m);
  expect(text).toMatch(/^certway_issuance_seconds_count\{issuer="acme",outcome="issued"\} [1-9]/m);
});

describe('somebody of the team', () => {
  let kubeconfig: string;

  beforeAll(async () => {
    const { namespace, kubectl } = team;
    await kubectl.run(['create', 'serviceaccount', 'dev', '-n', namespace]);
    await kubectl.run([
      'create',
      'rolebinding',
      'dev',
      '--clusterrole=view',
      `--serviceaccount=${namespace}:dev`,
      '-n',
      namespace,
    ]);
    const token = await kubectl.run(['create', 'token', 'dev', '-n', namespace]);
    const server = { url: world.apiUrl, caFile: world.apiCaFile };
    kubeconfig = await writeKubeconfig(join(world.dir, 'budget-dev.kubeconfig'), server, { kind: 'token', token });
  });

  it('who may not read the books is told which Role is missing', async () => {
    const { stderr, stdout, exitCode } = await budget(kubeconfig, 'small', '-n', team.namespace);
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 1 });
    expect(stderr).toMatch(
      /^certway: you may not list ConfigMaps in namespace certway-system, where the controller keeps its books; the Role certway-budget-view there/,
    );
  });

  it('with that Role sees the budget of the own Issuer, and what else was not to be seen', async () => {
    const binding = `budget-${team.namespace}`;
    const serviceAccount = `--serviceaccount=${team.namespace}:dev`;
    const inSystem = ['-n', 'certway-system'];
    await team.kubectl.run([
      'create',
      'rolebinding',
      binding,
      '--role=certway-budget-view',
      serviceAccount,
      ...inSystem,
    ]);
    try {
      const { stdout, exitCode } = await until('the right to be known', async () => {
        const said = await budget(kubeconfig, 'small', '-n', team.namespace);
        return said.stderr === '' ? said : undefined;
      });
      expect(stdout).toMatch(new RegExp(`certificates per domain +example\\.com +2 +0 .* ${team.namespace} 2$`, 'm'));
      expect(stdout).toContain('Not seen:\n  you may not list ClusterIssuers');
      expect(exitCode).toBe(1);
    } finally {
      await team.kubectl.run(['delete', 'rolebinding', binding, ...inSystem]);
    }
  });
});

describe('a wrong call', () => {
  it.each([
    [['a', 'b'], /unexpected argument "b"; one issuer at a time/],
    [['-o', 'yaml'], /--output "yaml" is none of text, json/],
    [['--kubeconfig', '/nowhere'], /kubeconfig \/nowhere cannot be read/],
  ])('%j exits 2 and says so', async (words, said) => {
    expect(await budget(world.kubeconfig, ...words)).toMatchObject({
      exitCode: 2,
      stdout: '',
      stderr: expect.stringMatching(said),
    });
  });
});
