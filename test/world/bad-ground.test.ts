// What the world around a Certificate can lack: rights in its namespace, DNS that leads to us, a Gateway that challenges can come through.
// A condition says what and who can help; others go on, nobody is asked in vain, and it issues by itself when it is mended.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KubeObject } from '../../src/api/meta.ts';
import { type SharedWorld, sharedWorld } from '../rig/shared-world.ts';
import { acmeIssuer, caIssuer, gateway, listenerSet, makeTeam, type Team } from './team.ts';
import { askedMeanwhile, openTrail } from './trail.ts';

let world: SharedWorld;
let team: Team;

beforeAll(async () => {
  world = await sharedWorld();
  team = await makeTeam(world, 'ground');
  await team.kubectl.apply([acmeIssuer(team.namespace, world.acme), gateway(team.namespace)]);
});
afterAll(async () => {
  await team?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

function set(of: Team, name: string, issuer: string): KubeObject {
  const hostname = hostOf(of, name);
  const annotations = { 'cert-manager.io/issuer': issuer, 'cert-manager.io/private-key-algorithm': 'ECDSA' };
  return listenerSet(of.namespace, { name, hostname, annotations });
}

const hostOf = (of: Team, name: string) => `${name}.${of.namespace}.example.com`;

describe('a namespace without a grant', () => {
  it('says which command gives it, waits without asking, and issues by all issuers once it is granted', async () => {
    const trail = await openTrail(world.auditLog);
    await using bare = await makeTeam(world, 'bare', { rights: 'none' });
    const { namespace, kubectl } = bare;
    const command = new RegExp(`certway grant ${namespace} \\| kubectl apply -f -`);
    const objects = [...caIssuer(namespace), acmeIssuer(namespace, world.acme), gateway(namespace)];
    await kubectl.apply([...objects, set(bare, 'a', 'ca'), set(bare, 'b', 'acme')]);
    await bare.issuerSays('ca', 'False', command);
    await bare.issuerSays('acme', 'False', command);
    for (const name of ['ca-root', 'a-tls', 'b-tls']) {
      await bare.says(name, 'Ready', command);
      await bare.told(name, command);
    }
    let count = 0;
    const meanwhile = await askedMeanwhile(trail, { namespace, stem: '' }, async () => {
      count += 1;
      await team.kubectl.apply([set(team, `meanwhile${count}`, 'acme')]);
      await team.ready(`meanwhile${count}-tls`);
    });
    expect(meanwhile.filter((each) => !each.startsWith('watch'))).toEqual([]);
    await bare.grant();
    await Promise.all([bare.ready('a-tls'), bare.ready('b-tls')]);
  });
});

describe('a name that the CA would not reach', () => {
  const lost = () => hostOf(team, 'lost');
  const astray = () => hostOf(team, 'astray');
  afterAll(() => Promise.all([world.dns.clear(lost()), world.dns.clear(astray())]));

  it('is not put before the CA: the condition says why, others go on, and it issues when DNS is mended', async () => {
    await world.dns.set(lost(), 'NXDOMAIN');
    await world.dns.set(astray(), ['127.0.0.9']);
    await team.kubectl.apply([set(team, 'lost', 'acme'), set(team, 'astray', 'acme'), set(team, 'fine', 'acme')]);
    await team.ready('fine-tls');
    await Promise.all([
      team.says(
        'lost-tls',
        'Issuing',
        /^SelfCheckFailed: lost\..* resolves to no address \(NXDOMAIN from 127\.0\.0\.1:/,
      ),
      team.says('lost-tls', 'Ready', /resolves to no address \(NXDOMAIN/),
      team.says('astray-tls', 'Issuing', /^SelfCheckFailed: .*cannot be reached \(127\.0\.0\.9: ECONNREFUSED\)/),
      team.told('astray-tls', /^SelfCheckFailed: .*127\.0\.0\.9/),
    ]);
    for (const name of ['lost-tls', 'astray-tls']) {
      expect((await team.certificate(name))?.status?.failedIssuanceAttempts).toBeUndefined();
    }
    await Promise.all([world.dns.clear(lost()), world.dns.clear(astray())]);
    await Promise.all([team.ready('lost-tls'), team.ready('astray-tls')]);
  });
});

describe('a Gateway that no challenge can come through', () => {
  it('is named with what to change, and issues when it is changed', async () => {
    const { namespace, kubectl } = team;
    const shut = gateway(namespace, { name: 'shut' });
    const listeners = [{ name: 'http', protocol: 'HTTP', port: 8080 }];
    await kubectl.apply([{ ...shut, ...{ spec: { ...Object(shut).spec, listeners } } }]);
    const wish = { 'cert-manager.io/issuer': 'acme' };
    const hostname = hostOf(team, 'barred');
    await kubectl.apply([
      listenerSet(namespace, { name: 'barred', hostname, parent: { name: 'shut' }, annotations: wish }),
    ]);
    await team.told(
      'barred-tls',
      /^NoChallengePath: Gateway .*\/shut has no HTTP listener on port 80 .*; add one, or use/,
    );
    await kubectl.apply([shut]);
    await team.ready('barred-tls');
  });

  it('is not looked for by a wildcard, which HTTP-01 cannot prove at all', async () => {
    const hostname = `*.${team.namespace}.example.com`;
    const annotations = { 'cert-manager.io/issuer': 'acme' };
    await team.kubectl.apply([listenerSet(team.namespace, { name: 'wild', hostname, annotations })]);
    await team.told('wild-tls', /^NoChallengePath: .*\*\..* wildcard can be proven by DNS-01 only/);
  });
});
