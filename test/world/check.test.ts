// `certway check` as people run it: a real process with their kubeconfig, on a cluster that is ready, and for somebody who may see little of it.
// What it says of a cluster in pieces is in test/worlds/check.test.ts.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeKubeconfig } from '../rig/kubeconfig.ts';
import { type SharedWorld, sharedWorld } from '../rig/shared-world.ts';
import { until } from '../rig/wait.ts';
import { makeTeam, type Team } from './team.ts';

const program = join(import.meta.dirname, '../../bin/certway');

let world: SharedWorld;
let team: Team;

beforeAll(async () => {
  world = await sharedWorld();
  team = await makeTeam(world, 'check');
});
afterAll(async () => {
  await team?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

async function check(kubeconfig: string, ...words: readonly string[]) {
  const env = { KUBECONFIG: kubeconfig };
  const { stdout, stderr, exitCode } = await execa(program, ['check', ...words], { env, reject: false });
  return { stdout, stderr, exitCode, last: stdout.trimEnd().split('\n').at(-1) };
}

describe('an administrator', () => {
  it('reads what there is, piece by piece', async () => {
    const { stdout, stderr } = await check(world.kubeconfig);
    expect(stderr).toBe('');
    for (const line of [
      /^├─ ✓ API cert-manager\.io\/v1: served$/m,
      /✓ CRD certificates\.cert-manager\.io: established; Certway's$/m,
      /✓ CRD challenges\.acme\.cert-manager\.io: established; Certway's$/m,
      /^├─ ✓ Gateway API: installed, v1\.\d+\.\d+, standard channel$/m,
      /✓ API gateway\.networking\.k8s\.io\/v1: gateways, listenersets and httproutes$/m,
      /✓ API gateway\.networking\.x-k8s\.io\/v1alpha1: xlistenersets$/m,
      /^├─ ✓ ValidatingAdmissionPolicy certway-approval: bound$/m,
      /^├─ ✓ ValidatingAdmissionPolicy certway-requester: bound$/m,
      /^├─ ✓ ValidatingAdmissionPolicy certway-request-annotations: bound$/m,
      /^├─ ✓ MutatingAdmissionPolicy certway-requester: bound$/m,
      /^├─ ✓ Lease certway-system\/certway-controller: held and renewed by \S+$/m,
      /^├─ ✓ issuance: Certway's$/m,
      /^[├└]─ ✓ ServiceAccount certway-system\/certway-controller: bound to ClusterRole certway-controller$/m,
    ]) {
      expect(stdout).toMatch(line);
    }
  });

  it('gets the same as JSON', async () => {
    const { stdout } = await check(world.kubeconfig, '-o', 'json');
    const view: unknown = JSON.parse(stdout);
    expect(view).toMatchObject({
      server: expect.stringMatching(/^https:/),
      unseen: [],
      tree: expect.arrayContaining([expect.objectContaining({ what: 'Lease', mark: 'good' })]),
      verdict: { sentence: expect.any(String) },
    });
  });

  it('is told of another namespace where no Certway runs', async () => {
    const { exitCode, last, stdout } = await check(world.kubeconfig, '-n', team.namespace);
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/✗ ServiceAccount \S+\/certway-controller: does not exist/);
    expect(last).toMatch(
      /^The platform owner can fix this: no Certway controller leads in check-\w+: its Lease does not exist; /,
    );
  });
});

it('somebody without any right learns that the kinds are served, and what else was not to be seen', async () => {
  const { namespace, kubectl } = team;
  await kubectl.run(['create', 'serviceaccount', 'dev', '-n', namespace]);
  const token = await kubectl.run(['create', 'token', 'dev', '-n', namespace]);
  const server = { url: world.apiUrl, caFile: world.apiCaFile };
  const kubeconfig = await writeKubeconfig(join(world.dir, 'check-dev.kubeconfig'), server, { kind: 'token', token });
  const { exitCode, stdout, last } = await check(kubeconfig);
  expect(last).toBe('The API is ready to be used, as far as you may see.');
  expect(exitCode).toBe(0);
  expect(stdout).toContain('✓ CRD certificates.cert-manager.io: served\n');
  expect(stdout).toContain('✓ Gateway API: installed\n');
  const [, unseen = ''] = stdout.split('Not seen:');
  expect(unseen).toContain('you may not get Lease certway-controller in namespace certway-system');
  expect(unseen).toContain('you may not get ValidatingAdmissionPolicy certway-approval');
  const verbs = await until('the audit log to have it', () => verbsOf(`system:serviceaccount:${namespace}:dev`));
  expect([...verbs].sort()).toEqual(['get', 'list']);
});

/** What the user has asked of the API server; undefined until it has asked for something. */
async function verbsOf(username: string): Promise<ReadonlySet<string> | undefined> {
  const log = await readFile(world.auditLog, 'utf8');
  const lines = log.slice(0, log.lastIndexOf('\n')).split('\n');
  const verbs = lines.flatMap((line) => {
    if (!line.includes(username)) return [];
    const event: { readonly verb: string; readonly user: { readonly username: string } } = JSON.parse(line);
    return event.user.username === username ? [event.verb] : [];
  });
  return verbs.length > 0 ? new Set(verbs) : undefined;
}

describe('a wrong call', () => {
  it.each([
    [['cluster'], /unexpected argument "cluster"; usage: certway check/],
    [['--wait', 'long'], /--wait "long" is not a duration/],
    [['-o', 'yaml'], /--output "yaml" is none of text, json/],
    [['--nope'], /unknown flag --nope/],
    [['--kubeconfig', '/nowhere'], /kubeconfig \/nowhere cannot be read/],
  ])('%j exits 2 and says so', async (words, said) => {
    const answer = await check(world.kubeconfig, ...words);
    expect(answer).toMatchObject({ exitCode: 2, stdout: '', stderr: expect.stringMatching(said) });
  });

  it('a cluster that does not answer is not ready', async () => {
    const server = { url: 'https://127.0.0.1:1', caFile: world.apiCaFile };
    const kubeconfig = await writeKubeconfig(join(world.dir, 'gone.kubeconfig'), server, { kind: 'token', token: 'a' });
    const { exitCode, last } = await check(kubeconfig);
    expect(exitCode).toBe(1);
    expect(last).toMatch(
      /^The developer can fix this: .* cannot be read: .*; check the kubeconfig and the way to the API server/,
    );
  });
});
