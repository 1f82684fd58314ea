// `certway check` on a cluster in pieces: each piece is taken away and put back, and the last line says what is missing and who can mend it. In a
// world of its own, since the pieces are everybody's.

import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Controller, startController } from '../rig/controller.ts';
import { type Kubectl, kubectlFor } from '../rig/kubectl.ts';
import { until } from '../rig/wait.ts';
import { startWorld, type World } from '../rig/world.ts';
import { makeTeam } from '../world/team.ts';

const root = join(import.meta.dirname, '../..');
const program = join(root, 'bin/certway');
const shortLease = ['lease-duration=3s', 'renew-deadline=2s', 'retry-period=500ms'].map(
  (flag) => `--leader-election-${flag}`,
);

let world: World;
let kubectl: Kubectl;
let controller: Controller;

beforeAll(async () => {
  world = await startWorld();
  kubectl = kubectlFor(world);
});
afterAll(async () => {
  await controller?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

async function check(...words: readonly string[]) {
  const env = { KUBECONFIG: world.kubeconfig };
  const { stdout, exitCode } = await execa(program, ['check', ...words], { env, reject: false });
  return { stdout, exitCode, last: stdout.trimEnd().split('\n').at(-1) ?? '' };
}

const apply = (file: string) => kubectl.run(['apply', '--server-side', '--force-conflicts', '-f', join(root, file)]);
const mend = 'The platform owner can fix this: ';
const ready = 'The API is ready to be used.';

it('before the controller nobody leads; waiting for it ends when it does', async () => {
  const first = await check();
  expect(first).toMatchObject({ exitCode: 1 });
  expect(first.last).toBe(
    `${mend}no Certway controller leads in certway-system: its Lease does not exist; start it, or look at the log of its Pods.`,
  );
  const begun = performance.now();
  const waiting = check('--wait', '60s');
  controller = await startController(world, { flags: shortLease });
  expect(await waiting).toMatchObject({ exitCode: 0, last: ready });
  expect(performance.now() - begun).toBeLessThan(30_000);
});

/** Takes a piece away, asks until the last line says so, and puts back what the file has. */
async function missed(away: readonly string[], file: string, says: RegExp): Promise<void> {
  await kubectl.run(away);
  try {
    const found = await until('its absence to be told', async () => {
      const answer = await check();
      if (answer.last.startsWith(mend) && says.test(answer.last.slice(mend.length))) return answer;
      throw new Error(answer.stdout);
    });
    expect(found.exitCode).toBe(1);
  } finally {
    await apply(file);
  }
}

describe('what is taken away is missed', () => {
  const [policies, name] = ['deploy/policies.yaml', 'certway-requester'];

  it('a kind', () =>
    missed(
      ['delete', 'crd', 'orders.acme.cert-manager.io'],
      'crds/orders.yaml',
      /^CustomResourceDefinition orders\.acme\.cert-manager\.io is missing; apply crds\/\.$/,
    ));

  it('the policies', () =>
    missed(
      ['delete', '-f', join(root, policies)],
      policies,
      /^ValidatingAdmissionPolicy certway-approval is missing, so whoever may write the status of requests may approve them; /,
    ));

  it('a binding', () =>
    missed(
      ['delete', 'validatingadmissionpolicybinding', name],
      policies,
      /^ValidatingAdmissionPolicy certway-requester is not bound, so a request may claim to be from anybody; apply/,
    ));

  it('a binding that denies', () => {
    const actions = JSON.stringify({ spec: { validationActions: ['Audit'] } });
    return missed(
      ['patch', 'validatingadmissionpolicybinding', name, '--type=merge', '-p', actions],
      policies,
      /^the binding of ValidatingAdmissionPolicy certway-requester denies nothing; apply/,
    );
  });

  it('the rights of the controller', () =>
    missed(
      ['delete', 'clusterrolebinding', 'certway-controller'],
      'deploy/rbac.yaml',
      /^ServiceAccount certway-system\/certway-controller is not bound to ClusterRole certway-controller; apply deploy\/rbac\.yaml\.$/,
    ));

  it('the policy that stamps is told of, and is not missed', async () => {
    await kubectl.run(['delete', '-f', join(root, 'deploy/policies-mutating.yaml')]);
    const { stdout } = await check();
    expect(stdout).toMatch(
      /· MutatingAdmissionPolicy certway-requester: missing: username, uid, groups and extra are not/,
    );
    await apply('deploy/policies-mutating.yaml');
  });

  it('the right to write Secrets, where there are Certificates', async () => {
    await using team = await makeTeam(world, 'ungranted', { rights: 'none' });
    const spec = { secretName: 'a', dnsNames: ['a.example.com'], issuerRef: { name: 'nowhere' } };
    const metadata = { name: 'a', namespace: team.namespace };
    await kubectl.apply([{ apiVersion: 'cert-manager.io/v1', kind: 'Certificate', metadata, spec }]);
    const { last, exitCode } = await check();
    expect(exitCode).toBe(1);
    expect(last).toBe(
      `${mend}Certway may not write Secrets in ${team.namespace}; certway grant ${team.namespace} prints the RoleBindings that let it.`,
    );
    await team.grant();
    expect((await check()).stdout).toContain(`and ${team.namespace}: every namespace with a Certificate`);
  });

  it('the mark that the definitions are ours, where no cert-manager is at work', async () => {
    const crd = ['label', 'crd', 'certificates.cert-manager.io', '--overwrite'];
    await kubectl.run([...crd, 'app.kubernetes.io/part-of-']);
    const { stdout } = await check();
    expect(stdout).toContain("✓ CRD certificates.cert-manager.io: established; not Certway's");
    await kubectl.run([...crd, 'app.kubernetes.io/part-of=certway']);
  });
});

it('a cert-manager at work beside our definitions is named', async () => {
  const lease = (renewTime: string) => ({
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name: 'cert-manager-controller', namespace: 'default' },
    spec: { holderIdentity: 'cert-manager-7d-external', leaseDurationSeconds: 3600, renewTime },
  });
  await kubectl.apply([lease(new Date().toISOString().replace('Z', '000Z'))]);
  const { last, exitCode } = await check();
  expect(exitCode).toBe(1);
  expect(last).toBe(
    `${mend}a cert-manager is at work: cert-manager-7d-external holds Lease default/cert-manager-controller, so Certway issues nothing; scale that cert-manager to zero.`,
  );
  await kubectl.run(['delete', 'lease', 'cert-manager-controller', '-n', 'default']);
});

it('a controller that was killed is seen by its Lease, which nobody renews', async () => {
  expect(await check('--wait', '60s')).toMatchObject({ exitCode: 0, last: ready });
  await controller.kill('SIGKILL');
  const { last } = await until('its Lease to run out', async () => {
    const answer = await check();
    return answer.exitCode === 1 && answer;
  });
  expect(last).toMatch(
    /no Certway controller leads in certway-system: its Lease was last renewed at \S+Z, by \S+; start it/,
  );
});
