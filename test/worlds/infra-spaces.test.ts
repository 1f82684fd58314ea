// Hosting namespaces, given and left by `certway infra` with the rights of deploy/infra alone, in a world of its own: what each gets and in which order,
// what is put right, what is left alone, and how a namespace is left through refusals, a crash, and the certificate half's word.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Infra } from '../rig/infra.ts';
import { until } from '../rig/wait.ts';
import {
  everything,
  gateway,
  listenerSet,
  namespace,
  openScene,
  patient,
  platform,
  pullSecret,
  type Scene,
  system,
} from './infra-spaces-scene.ts';

let scene: Scene;
let infra: Infra;

const run = (...args: readonly string[]) => scene.kubectl.run(args);
const patch = (kind: string, name: string, what: object, ...flags: readonly string[]) =>
  run('patch', kind, name, '--type=merge', '-p', JSON.stringify(what), ...flags);
const subjects = async () => {
  const found = await run(
    'get',
    'clusterrolebinding',
    'certway-gateway-extension',
    '--ignore-not-found',
    '-o',
    'jsonpath={.subjects[*].namespace}',
  );
  return found.split(' ').filter((each) => each !== '');
};
const bound = (...wanted: readonly string[]) =>
  until(
    `${wanted} in the shared binding`,
    async () => {
      const found = await subjects();
      if (found.join() !== wanted.join()) throw new Error(found.join());
      return true;
    },
    patient,
  );
/** What was removed in a namespace, in order, as "delete rolebindings certway-gateway-read". */
const removals = async (name: string, since: number) =>
  (await scene.writes(since))
    .filter((each) => each.namespace === name && each.verb === 'delete')
    .map((each) => `${each.resource} ${each.name} ${each.code}`);
const inOrder = [
  'secrets regcred 200',
  'configmaps certway-trust-bundle 200',
  'serviceaccounts waf 200',
  'rolebindings certway-gateway-extension 200',
  'rolebindings certway-gateway-infra 200',
  'rolebindings certway-gateway-read 200',
  'rolebindings certway-pull-secret-writer 200',
  'rolebindings certway-secret-writer 200',
];

beforeAll(async () => {
  scene = await openScene();
  infra = await scene.start();
  await scene.kubectl.apply(platform());
  await scene.line('platform', { state: 'Provisioned' });
});
afterAll(() => scene?.[Symbol.asyncDispose]());

describe('a namespace that comes to host', () => {
  it('a Gateway is given everything, the writer before all else', async () => {
    const since = Date.now();
    await scene.kubectl.apply([namespace('team-a'), gateway('team-a')]);
    const line = await scene.line('team-a', { state: 'Provisioned' });
    expect(line).toEqual({ name: 'team-a', gateways: 1, listenerSets: 0, state: 'Provisioned' });
    await scene.stands('team-a', everything);
    const [first, ...rest] = (await scene.writes(since)).filter((each) => each.namespace === 'team-a');
    expect(first).toMatchObject({ verb: 'patch', resource: 'rolebindings', name: 'certway-secret-writer', code: 201 });
    expect(rest).toHaveLength(everything.length - 1);
    const secrets = (await scene.writes(since)).filter(({ resource }) => resource === 'secrets');
    expect(secrets.map(({ user }) => user)).toEqual(['system:serviceaccount:certway-system:certway-pull-secrets']);
  });

  it.each(['ListenerSet', 'XListenerSet'] as const)('an admitted %s is given the same', async (kind) => {
    const name = kind.toLowerCase();
    await scene.kubectl.apply([namespace(name), listenerSet(name, kind)]);
    await scene.line(name, { state: 'Provisioned', gateways: 0, listenerSets: 1 });
    await scene.stands(name, everything);
  });

  it('is named in the shared binding, and only while it hosts', async () => {
    await bound('listenerset', 'platform', 'team-a', 'xlistenerset');
    await run('delete', 'xlistenerset', 'set', '-n', 'xlistenerset');
    await scene.line('xlistenerset', 'none');
    await bound('listenerset', 'platform', 'team-a');
  });

  it('and is reserved, or of another class, gets nothing', async () => {
    const since = Date.now();
    const foreign = {
      ...gateway('foreign'),
      spec: { gatewayClassName: 'cilium', listeners: [{ name: 'http', protocol: 'HTTP', port: 80 }] },
    };
    await scene.kubectl.apply([namespace('mine'), gateway('mine'), namespace('foreign'), foreign]);
    await scene.line('mine', { state: 'Reserved', gateways: 1, blockedBy: 'namespace mine is reserved' });
    await scene.line('foreign', 'none');
    const touched = (await scene.writes(since)).filter((each) => ['mine', 'foreign'].includes(each.namespace));
    expect(touched).toEqual([]);
  });

  it('costs no write but its own objects, and rest costs none', async () => {
    const since = Date.now();
    await scene.kubectl.apply([namespace('team-b'), gateway('team-b')]);
    await scene.line('team-b', { state: 'Provisioned' });
    await bound('listenerset', 'platform', 'team-a', 'team-b');
    const elsewhere = (await scene.writes(since))
      .filter((each) => each.namespace !== 'team-b')
      .map(({ resource }) => resource);
    expect(new Set(elsewhere)).toEqual(new Set(['gatewayinfras/status', 'clusterrolebindings']));
    // Woken for nothing: what is looked at again is right.
    const rest = Date.now();
    await run('label', 'gateway', 'web', '-n', 'team-a', 'looked=at');
    await run('label', 'configmap', 'roots', '-n', 'platform', 'looked=at');
    await scene.kubectl.apply([namespace('barrier'), gateway('barrier')]);
    await scene.line('barrier', { state: 'Provisioned' });
    const again = (await scene.writes(rest)).filter((each) => each.namespace !== '' && each.namespace !== 'barrier');
    expect(again).toEqual([]);
  });
});

describe('what stands', () => {
  it.each([
    'rolebinding certway-gateway-read',
    'configmap certway-trust-bundle',
    'serviceaccount waf',
    'secret regcred',
    'rolebinding certway-secret-writer',
  ])('is made again when somebody deletes %s', async (what) => {
    await run('delete', ...what.split(' '), '-n', 'team-a');
    await scene.stands('team-a', everything);
  });

  it('is put right when somebody edits it, a subject that was added too', async () => {
    const read = (kind: string, name: string, path: string) =>
      run('get', kind, name, '-n', 'team-a', '-o', `jsonpath=${path}`);
    await patch('configmap', 'certway-trust-bundle', { data: { 'ca.crt': 'mine' } }, '-n', 'team-a');
    await until(
      'the bundle',
      async () => (await read('configmap', 'certway-trust-bundle', '{.data.ca\\.crt}')) === 'one',
      patient,
    );
    const intruder = [{ kind: 'ServiceAccount', namespace: 'team-a', name: 'default' }];
    await patch('rolebinding', 'certway-secret-writer', { subjects: intruder }, '-n', 'team-a');
    await until(
      'the subject',
      async () => (await read('rolebinding', 'certway-secret-writer', '{.subjects[*].name}')) === 'certway-controller',
      patient,
    );
  });

  it('follows its sources', async () => {
    const read = (kind: string, name: string) => run('get', kind, name, '-n', 'team-a', '-o', 'jsonpath={.data}');
    await patch('configmap', 'roots', { data: { 'ca.crt': 'two' } }, '-n', 'platform');
    await until(
      'the bundle',
      async () => (await read('configmap', 'certway-trust-bundle')) === '{"ca.crt":"two"}',
      patient,
    );
    await scene.kubectl.apply([pullSecret('regcred', system, 'two')]);
    const wanted = await run('get', 'secret', 'regcred', '-n', system, '-o', 'jsonpath={.data}');
    await until('the copy', async () => (await read('secret', 'regcred')) === wanted, patient);
  });

  it('and is somebody else’s, is left alone and told; a grant by hand is as good as ours', async () => {
    const theirs = pullSecret('regcred', 'team-c', 'theirs');
    await scene.kubectl.apply([namespace('team-c'), theirs]);
    await scene.kubectl.apply(await granted('team-c'));
    const before = await run('get', 'secret', 'regcred', '-n', 'team-c', '-o', 'jsonpath={.metadata.resourceVersion}');
    await scene.kubectl.apply([gateway('team-c')]);
    await scene.line('team-c', { state: 'Provisioned', blockedBy: 'Secret team-c/regcred stands already' });
    expect(await run('get', 'secret', 'regcred', '-n', 'team-c', '-o', 'jsonpath={.metadata.resourceVersion}')).toBe(
      before,
    );
    await run('delete', 'gateway', 'web', '-n', 'team-c');
    await scene.line('team-c', 'none');
    expect(await scene.ours('team-c')).toEqual([]);
    expect(await run('get', 'rolebinding,secret', '-n', 'team-c', '-o', 'name')).toContain('certway-secret-writer');
    expect(await run('get', 'secret', '-n', 'team-c', '-o', 'name')).toContain('secret/regcred');
  });
});

describe('a namespace that is left', () => {
  it('loses everything in order, the writer last', async () => {
    const since = Date.now();
    await disown('listenerset');
    await leave('listenerset', 'listenerset set');
    await scene.line('listenerset', 'none');
    expect(await scene.ours('listenerset')).toEqual([]);
    expect(await removals('listenerset', since)).toEqual(inOrder);
  });

  it('keeps every right while a Secret is refused, and a new process goes on where the old one was', async () => {
    const writer = {
      rules: [{ apiGroups: [''], resources: ['secrets'], verbs: ['get', 'list', 'watch', 'create', 'patch'] }],
    };
    const whole = { rules: [{ ...writer.rules[0], verbs: ['get', 'list', 'watch', 'create', 'patch', 'delete'] }] };
    // Before the right goes: a change of owners asks for the right to delete.
    await disown('team-b');
    await patch('clusterrole', 'certway-pull-secret-writer', writer);
    await leave('team-b', 'gateway web');
    await scene.line('team-b', { state: 'Draining', blockedBy: 'Secret team-b/regcred' });
    expect(await scene.ours('team-b')).toEqual(everything);
    await infra.kill('SIGKILL');
    await patch('clusterrole', 'certway-pull-secret-writer', whole);
    infra = await scene.start();
    await scene.line('team-b', 'none');
    expect(await scene.ours('team-b')).toEqual([]);
  });

  it('is taken by the garbage collector where infra is gone, but for the rights, which infra takes when it is back', async () => {
    await infra.kill('SIGKILL');
    await run('delete', 'gateway', 'web', '-n', 'barrier');
    const rights = [
      'RoleBinding certway-gateway-infra',
      'RoleBinding certway-gateway-read',
      'RoleBinding certway-pull-secret-writer',
      'RoleBinding certway-secret-writer',
    ];
    await scene.stands('barrier', rights);
    infra = await scene.start();
    await scene.line('barrier', 'none');
    expect(await scene.ours('barrier')).toEqual([]);
  });

  it('waits for the word of a certificate half that is at work, and a word from before does not count', async () => {
    const lease = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'certway-controller', namespace: 'certway-system' },
      spec: { holderIdentity: 'a', leaseDurationSeconds: 15 },
    };
    await scene.kubectl.apply([lease]);
    const say = (names: string) =>
      run('annotate', 'gatewayinfra', 'default', '--overwrite', `certway.dev/drained-namespaces=${names}`);
    await say('team-a');
    await until(
      'the old word to be heard',
      async () => (await scene.line('team-a', { state: 'Pending', blockedBy: 'take back' })) !== undefined,
      patient,
    );
    await say('');
    await scene.line('team-a', { state: 'Provisioned' });
    const since = Date.now();
    await disown('team-a');
    await leave('team-a', 'gateway web');
    await scene.line('team-a', { state: 'Draining', blockedBy: 'Waits for the certificate half' });
    expect(await removals('team-a', since)).toEqual([]);
    await say('team-a');
    await scene.line('team-a', 'none');
    expect(await removals('team-a', since)).toEqual(inOrder);
    await bound('platform');
  });

  it('and is itself deleted, is none of infra’s business', async () => {
    await scene.kubectl.apply([namespace('short'), gateway('short')]);
    await scene.line('short', { state: 'Provisioned' });
    await run('delete', 'ns', 'short', '--timeout=80s');
    await scene.line('short', 'none');
    const degraded = await run(
      'get',
      'gatewayinfra',
      'default',
      '-o',
      'jsonpath={.status.conditions[?(@.type=="Degraded")].status}',
    );
    expect(degraded).toBe('False');
  });
});

describe('what all namespaces share', () => {
  it('the addresses of the solver are mirrored beside Envoy Gateway, as they come and go', async () => {
    const addresses = () =>
      run(
        'get',
        'endpointslice',
        'solver-1',
        '-n',
        system,
        '--ignore-not-found',
        '-o',
        'jsonpath={.endpoints[*].addresses[*]}',
      );
    const slice = (address: string) => ({
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: {
        name: 'solver-1',
        namespace: 'certway-system',
        labels: { 'kubernetes.io/service-name': 'certway-acme-solver' },
      },
      addressType: 'IPv4',
      endpoints: [{ addresses: [address], conditions: { ready: true } }],
      ports: [{ name: 'http01', port: 8089, protocol: 'TCP' }],
    });
    await scene.kubectl.apply([slice('10.1.1.1')]);
    await until('the mirror', async () => (await addresses()) === '10.1.1.1', patient);
    await scene.kubectl.apply([slice('10.1.1.2')]);
    await until('the move', async () => (await addresses()) === '10.1.1.2', patient);
    expect(
      await run(
        'get',
        'service',
        'certway-acme-solver',
        '-n',
        system,
        '-o',
        'jsonpath={.spec.selector}{.spec.ports[0].port}',
      ),
    ).toBe('8089');
    await run('delete', 'endpointslice', 'solver-1', '-n', 'certway-system');
    await until('the end', async () => (await addresses()) === '', patient);
  });

  it('with no extension nor copies asked for, nothing of them is left anywhere', async () => {
    await patch('gatewayinfra', 'default', { spec: { namespaceResources: null } });
    await scene.stands('platform', [
      'RoleBinding certway-gateway-infra',
      'RoleBinding certway-gateway-read',
      'RoleBinding certway-secret-writer',
    ]);
    await until('the shared binding to go', async () => (await subjects()).length === 0, patient);
    expect(await run('get', 'clusterrolebinding', 'certway-gateway-extension', '--ignore-not-found')).toBe('');
  });
});

/** As `certway grant` prints it. */
async function granted(name: string): Promise<string> {
  const { grantManifests } = await import('../../src/cli/grant.ts');
  const serviceAccount = { namespace: 'certway-system', name: 'certway-controller' };
  const manifests = grantManifests([name], { serviceAccount });
  if (!manifests.ok) throw new Error(manifests.problem);
  return manifests.value;
}

const also = (names: readonly string[]) =>
  patch('gatewayinfra', 'default', { spec: { namespaceResources: { additionalNamespaces: names } } });

/** Without the garbage collector's help: the spec names the namespace, so that nothing there is its Gateway's any more. */
async function disown(name: string): Promise<void> {
  await also([name]);
  const path = 'jsonpath={.items[*].metadata.ownerReferences}';
  const owners = () => run('get', 'secret,sa,cm,rolebinding', '-n', name, '-o', path);
  await until('the owners to go', async () => (await owners()) === '', patient);
}

/** After that: the Gateway goes, and then the spec no longer names the namespace. */
async function leave(name: string, kind: 'gateway web' | 'listenerset set'): Promise<void> {
  await run('delete', ...kind.split(' '), '-n', name);
  await also([]);
}
