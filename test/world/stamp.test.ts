// Accounts of tenants' own, with the real API server and CA: stamped on first use, in step with their template, theirs alone, and left again without
// a certificate being issued for it.

import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { certificateRequests, secrets } from '../../src/api/resources.ts';
import { type SharedWorld, sharedWorld } from '../rig/shared-world.ts';
import { until } from '../rig/wait.ts';
import { actingAs, boundTo } from './acting.ts';
import {
  accountByKey,
  issuerNamed,
  listening,
  makeTemplate,
  patience,
  platformSecret,
  registered,
  signedBy,
  type Template,
} from './stamp-scene.ts';
import { acmeIssuer, makeTeam, type Team } from './team.ts';

let world: SharedWorld;
let template: Template;
let alice: Team;
let bob: Team;

beforeAll(async () => {
  world = await sharedWorld();
  template = await makeTemplate(world);
  [alice, bob] = await Promise.all([makeTeam(world, 'alice'), makeTeam(world, 'bob')]);
  await template.set();
  for (const team of [alice, bob]) await team.kubectl.apply(listening(team, template.name));
});
afterAll(async () => {
  await alice?.[Symbol.asyncDispose]();
  await bob?.[Symbol.asyncDispose]();
  await template?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

/** On Certificates without a listener: which Gateway their names are proven through. */
const throughParent = {
  'acme.cert-manager.io/http01-parentrefkind': 'Gateway',
  'acme.cert-manager.io/http01-parentrefname': 'parent',
};
const keyOf = (team: Team) => `${template.stamped}.${team.namespace}`;
const ownRef = () => ({ name: template.stamped, kind: 'Issuer', group: 'cert-manager.io' });
const sharedRef = () => ({ name: template.name, kind: 'ClusterIssuer', group: 'cert-manager.io' });

async function issuerRefIs(team: Team, name: string, ref: object): Promise<void> {
  await until(
    `Certificate ${team.namespace}/${name} to name another issuer`,
    async () => {
      expect((await team.certificate(name))?.spec.issuerRef).toEqual(ref);
      return true;
    },
    patience,
  );
}

describe('two tenants of one ClusterIssuer', () => {
  it('are served by two accounts, whose keys stand where neither reads them', async () => {
    const uris: string[] = [];
    for (const team of [alice, bob]) {
      const certificate = await team.ready('web-tls', 60_000);
      expect(certificate.spec.issuerRef).toEqual(ownRef());
      expect(certificate.status?.revision).toBe(1);
      expect((await signedBy(team, 'web-tls')).issuer).toBe(`Issuer/${template.stamped}`);
      const { uri, metadata } = await registered(team, template.stamped);
      uris.push(uri);
      expect(metadata).toMatchObject({
        labels: { 'app.kubernetes.io/managed-by': 'certway', 'certway.dev/stamped-from': template.name },
        ownerReferences: [{ kind: 'ClusterIssuer', name: template.name, controller: true }],
      });
      expect((await accountByKey(team, world, keyOf(team)))?.url).toBe(uri);
      const names = (await team.all(secrets)).map((each) => each.metadata.name);
      expect(names.filter((name) => name.includes('account'))).toEqual([]);
      await team.told(template.stamped, /^Stamped: .*ClusterIssuer/);
    }
    const shared = await until('the ClusterIssuer to have an account', () => template.account(), patience);
    expect(new Set([...uris, shared]).size).toBe(3);
  });

  it('see in certway status whose account it is, and that nothing is missing', async () => {
    const certway = `${import.meta.dirname}/../../bin/certway`;
    const words = ['status', 'listenerset', 'web', '-n', alice.namespace];
    const { stdout, exitCode } = await execa(certway, words, { env: { KUBECONFIG: world.kubeconfig }, reject: false });
    expect(stdout).toMatch(new RegExp(`Issuer ${template.stamped}: .*; ready`));
    expect(stdout.trimEnd().split('\n').at(-1)).toMatch(/^Nothing is missing/);
    expect(exitCode).toBe(0);
  });

  it('follow an edit of it', async () => {
    await template.set({ email: 'changed@example.com' });
    for (const team of [alice, bob]) {
      await until(
        'the CA to know the new address',
        async () => {
          const contact = (await accountByKey(team, world, keyOf(team)))?.contact;
          expect(contact).toEqual(['mailto:changed@example.com']);
          return true;
        },
        patience,
      );
      expect((await issuerNamed(team, template.stamped))?.spec.acme?.email).toBe('changed@example.com');
    }
  });
});

describe('a tenant who may edit Issuers', () => {
  const edit = (team: Team) => actingAs(team.kubectl, `${team.namespace}-dev`);

  beforeAll(async () => {
    for (const team of [alice, bob]) {
      await team.kubectl.apply([boundTo(`${team.namespace}-dev`, 'edit', team.namespace)]);
      const may = ['auth', 'can-i', 'create', 'issuers.cert-manager.io', '-n', team.namespace];
      await until('the tenant to be known', async () => (await edit(team).run(may)).trim() === 'yes', patience);
    }
  });

  it('gains nothing by an edit of the stamped one: it is put back, and its account stays', async () => {
    const before = await registered(bob, template.stamped);
    const spec = { acme: { server: 'https://evil.example/dir', privateKeySecretRef: { name: keyOf(alice) } } };
    const patch = JSON.stringify({ metadata: { labels: { 'certway.dev/stamped-from': null } }, spec });
    await edit(bob).run(['patch', 'issuer', template.stamped, '-n', bob.namespace, '--type=merge', '-p', patch]);
    await bob.told(template.stamped, /^PutInStep:/);
    const after = await registered(bob, template.stamped);
    expect(after.spec).toEqual(before.spec);
    expect(after.metadata.labels).toEqual(before.metadata.labels);
    expect(after.uri).toBe(before.uri);
  });

  it('gets the same account again after deleting it', async () => {
    const before = await registered(bob, template.stamped);
    await edit(bob).run(['delete', 'issuer', template.stamped, '-n', bob.namespace]);
    await until(
      'another Issuer',
      async () => (await issuerNamed(bob, template.stamped))?.metadata.uid !== before.metadata.uid,
      patience,
    );
    expect((await registered(bob, template.stamped)).uri).toBe(before.uri);
    expect((await bob.ready('web-tls')).status?.revision).toBe(1);
  });

  it('is given its own account by an Issuer that claims to be another’s, and no other key is read', async () => {
    await using mallory = await makeTeam(world, 'mallory');
    const alices = await registered(alice, template.stamped);
    await mallory.kubectl.apply([boundTo('mallory-dev', 'edit', mallory.namespace)]);
    const forged = (name: string) => {
      const { metadata, ...rest } = acmeIssuer(mallory.namespace, world.acme, name);
      const { acme } = Object(rest).spec;
      const labels = { 'app.kubernetes.io/managed-by': 'certway', 'certway.dev/stamped-from': template.name };
      const { annotations: noted = {} } = alices.metadata;
      const annotations = { 'certway.dev/account-thumbprint': noted['certway.dev/account-thumbprint'] ?? '' };
      const spec = { acme: { ...acme, privateKeySecretRef: { name: keyOf(alice) } } };
      return { ...rest, metadata: { ...metadata, labels, annotations }, ...{ spec } };
    };
    const dev = actingAs(mallory.kubectl, 'mallory-dev');
    await until('the tenant to be known', () => dev.apply([forged(template.stamped)]), patience);
    await dev.apply([forged('looks-stamped'), forged('nothing.tenant-account')]);
    // By its name it is what would have been stamped, with a key of this namespace.
    const own = await registered(mallory, template.stamped);
    expect(own.uri).not.toBe(alices.uri);
    expect(own.spec.acme?.privateKeySecretRef).toEqual({ name: keyOf(mallory) });
    expect((await accountByKey(mallory, world, keyOf(mallory)))?.url).toBe(own.uri);
    // By any other name it is the tenant's, and reads the tenant's Secrets.
    const plain = await registered(mallory, 'looks-stamped');
    expect(plain.uri).not.toBe(alices.uri);
    expect(await mallory.secret(keyOf(alice))).toBeDefined();
    expect(await platformSecret(alice, keyOf(alice))).toBeDefined();
    await mallory.issuerSays('nothing.tenant-account', 'False', /^NoTenantAccount: ClusterIssuer "nothing"/);
    expect((await registered(alice, template.stamped)).uri).toBe(alices.uri);
  });
});

describe('a ClusterIssuer that gives no more accounts', () => {
  it('takes its listeners’ Certificates over, and gives them back, without issuing anything', async () => {
    const before = await signedBy(alice, 'web-tls');
    const requests = (await alice.all(certificateRequests)).map(({ metadata }) => metadata.uid);
    const byHand = {
      apiVersion: 'cert-manager.io/v1',
      kind: 'Certificate',
      metadata: { name: 'by-hand', namespace: alice.namespace, annotations: throughParent },
      spec: { secretName: 'by-hand', issuerRef: ownRef(), dnsNames: [`hand.${alice.namespace}.example.com`] },
    };
    for (const [value, ref] of [
      ['false', sharedRef()],
      ['true', ownRef()],
    ] as const) {
      await template.give(value);
      await issuerRefIs(alice, 'web-tls', ref);
      await until(
        'the Secret to say who is asked next',
        async () => {
          expect(await signedBy(alice, 'web-tls')).toEqual({ ...before, issuer: `${ref.kind}/${ref.name}` });
          return true;
        },
        patience,
      );
      if (value === 'true') continue;
      await alice.issuerSays(template.stamped, 'False', /^NoTenantAccount: .*name that ClusterIssuer instead/);
      await alice.kubectl.apply([byHand]);
      await alice.says('by-hand', 'Issuing', /^IssuerNotReady: .*account-per-tenant/);
    }
    // What a person wrote is never written for them, and is served again.
    const served = await alice.ready('by-hand', 60_000);
    expect(served.spec.issuerRef).toEqual(ownRef());
    const web = await alice.ready('web-tls');
    expect(web.status?.revision).toBe(1);
    const now = (await alice.all(certificateRequests)).filter(({ metadata }) => metadata.name.startsWith('web-tls'));
    expect(now.map(({ metadata }) => metadata.uid)).toEqual(requests);
    expect((await signedBy(alice, 'web-tls')).serial).toBe(before.serial);
  });

  it('leaves Certificates that people wrote for the shared account to it', async () => {
    const metadata = { name: 'shared', namespace: alice.namespace, annotations: throughParent };
    const spec = { secretName: 'shared', issuerRef: sharedRef(), dnsNames: [`shared.${alice.namespace}.example.com`] };
    await alice.kubectl.apply([{ apiVersion: 'cert-manager.io/v1', kind: 'Certificate', metadata, spec }]);
    const certificate = await alice.ready('shared', 60_000);
    expect(certificate.spec.issuerRef).toEqual(sharedRef());
    expect((await signedBy(alice, 'shared')).issuer).toBe(`ClusterIssuer/${template.name}`);
  });

  it('is told when its annotation cannot be read', async () => {
    await template.give('yes');
    await until(
      'an event about the annotation',
      async () => {
        const flags = ['-A', '--field-selector', `involvedObject.name=${template.name},reason=BadConfig`];
        const { items } = await alice.kubectl.get<{ items: { message: string }[] }>('events', ...flags);
        return items.some(({ message }) => /account-per-tenant is "yes"; accepted is "true" or "false"/.test(message));
      },
      patience,
    );
  });
});
