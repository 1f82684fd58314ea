// The target Secret in every form that a spec can ask for, on the real API server: it opens, it says what cert-manager's would say, and an edit
// of its form is written with the same key and certificate, without an issuance.

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { Certificate, CertificateSpec } from '../../src/api/certmanager.ts';
import type { Secret } from '../../src/api/core.ts';
import type { KubeObject } from '../../src/api/meta.ts';
import { keytool, listed, run } from '../keystore/pairs.ts';
import { type SharedWorld, sharedWorld } from '../rig/shared-world.ts';
import { until } from '../rig/wait.ts';
import { caIssuer, makeTeam, type Team } from './team.ts';
import { openTrail } from './trail.ts';

let world: SharedWorld;
let team: Team;

beforeAll(async () => {
  world = await sharedWorld();
  team = await makeTeam(world, 'formats');
  await team.kubectl.apply(caIssuer(team.namespace));
  await putPassword('words', 'first-word');
});
afterAll(async () => {
  await team?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

function certificate(name: string, more: Partial<CertificateSpec>): KubeObject {
  const dnsNames = [`${name}.example.com`];
  const base = { secretName: `${name}-tls`, issuerRef: { name: 'ca' }, privateKey: { algorithm: 'ECDSA' }, dnsNames };
  const metadata = { name, namespace: team.namespace };
  return { apiVersion: 'cert-manager.io/v1', kind: 'Certificate', metadata, ...{ spec: { ...base, ...more } } };
}

async function put(name: string, more: Partial<CertificateSpec>): Promise<void> {
  await team.kubectl.apply([certificate(name, more)]);
}

async function putPassword(name: string, word: string): Promise<void> {
  const metadata = { name, namespace: team.namespace };
  await team.kubectl.apply([{ apiVersion: 'v1', kind: 'Secret', metadata, stringData: { word } }]);
}

/** The Secret of the Certificate of that name, once it fits. */
function secretThat(name: string, fits: (data: Data, secret: Secret) => boolean): Promise<Data> {
  return until(`the Secret of ${name} to be as asked`, async () => {
    const secret = await team.secret(`${name}-tls`);
    if (secret === undefined) throw new Error('no Secret');
    const data = dataOf(secret);
    if (fits(data, secret)) return data;
    throw new Error(`${Object.keys(data).sort().join(' ')} ${JSON.stringify(secret.metadata.labels)}`);
  });
}

type Data = Readonly<Record<string, Buffer>>;

function dataOf(secret: Secret): Data {
  return Object.fromEntries(
    Object.entries(secret.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64')]),
  );
}

function opens(file: Buffer | undefined, word: string): boolean {
  const args = ['pkcs12', '-in', '{file}', '-passin', `pass:${word}`, '-noout', '-legacy'];
  return file !== undefined && !run('openssl', args, file).includes('exit');
}

/** Still the first certificate, by one request. */
async function expectNoIssuance(name: string, before: Data, after: Data): Promise<void> {
  expect(after['tls.crt']).toEqual(before['tls.crt']);
  expect((await team.certificate(name))?.status?.revision).toBe(1);
  const requests = await team.list('certificaterequests.cert-manager.io');
  expect(requests.filter((each) => each.metadata.name.startsWith(`${name}-`))).toHaveLength(1);
}

const fromSecret = { create: true, passwordSecretRef: { name: 'words', key: 'word' } } as const;
const everyFile = [
  'ca.crt',
  'key.der',
  'keystore.jks',
  'keystore.p12',
  'tls-combined.pem',
  'tls.crt',
  'tls.key',
  'truststore.jks',
  'truststore.p12',
];

describe('a Secret with everything', () => {
  let data: Data;
  let secret: Secret | undefined;
  beforeAll(async () => {
    await put('all', {
      commonName: 'all.example.com',
      ipAddresses: ['10.0.0.7'],
      emailAddresses: ['a@example.com'],
      subject: { organizations: ['Example, Inc.'], countries: ['DE'] },
      keystores: { pkcs12: fromSecret, jks: { ...fromSecret, alias: 'Web' } },
      additionalOutputFormats: [{ type: 'DER' }, { type: 'CombinedPEM' }],
      secretTemplate: { labels: { team: 'a' }, annotations: { note: 'x' } },
    });
    await team.ready('all');
    secret = await team.secret('all-tls');
    data = dataOf(secret ?? { apiVersion: 'v1', kind: 'Secret', metadata: { name: '' } });
  });

  it('holds every file', () => {
    expect(Object.keys(data).sort()).toEqual(everyFile);
    expect(secret?.type).toBe('kubernetes.io/tls');
  });

  it("holds key and chain in the other formats too, as cert-manager's are", () => {
    const key = createPrivateKey(data['tls.key'] ?? '');
    expect(data['key.der']).toEqual(key.export({ format: 'der', type: 'sec1' }));
    expect(data['tls-combined.pem']?.toString()).toBe(`${data['tls.key']}\n${data['tls.crt']}`);
  });

  it('holds keystores that open with the password alone', () => {
    for (const file of ['keystore.p12', 'truststore.p12']) {
      expect(opens(data[file], 'first-word')).toBe(true);
      expect(opens(data[file], 'other-word')).toBe(false);
    }
  });

  it.skipIf(keytool === undefined)(
    'holds keystores for Java (skipped where there is none)',
    { timeout: 60_000 },
    () => {
      const text = listed(data['keystore.jks'] ?? Buffer.alloc(0), 'JKS', 'first-word');
      expect(text).toMatch(/Alias name: web\n.*\nEntry type: PrivateKeyEntry/);
      expect(text).toContain(new X509Certificate(data['tls.crt'] ?? '').fingerprint256);
      expect(listed(data['truststore.jks'] ?? Buffer.alloc(0), 'JKS', 'first-word')).toContain('trustedCertEntry');
    },
  );

  it('says what cert-manager would say of it, and nothing else', () => {
    expect(secret?.metadata.labels).toEqual({ 'controller.cert-manager.io/fao': 'true', team: 'a' });
    expect(secret?.metadata.annotations).toEqual({
      note: 'x',
      'cert-manager.io/certificate-name': 'all',
      'cert-manager.io/issuer-name': 'ca',
      'cert-manager.io/issuer-kind': '',
      'cert-manager.io/issuer-group': '',
      'cert-manager.io/common-name': 'all.example.com',
      'cert-manager.io/alt-names': 'all.example.com',
      'cert-manager.io/ip-sans': '10.0.0.7',
      'cert-manager.io/uri-sans': '',
      'cert-manager.io/email-sans': 'a@example.com',
      'cert-manager.io/subject-organizations': '"Example, Inc."',
      'cert-manager.io/subject-countries': 'DE',
    });
    expect(secret?.metadata.ownerReferences).toBeUndefined();
  });

  it("is owned by cert-manager's field manager alone", async () => {
    const found = await team.kubectl.get<Secret>('secret', 'all-tls', '-n', team.namespace, '--show-managed-fields');
    expect(found.metadata.managedFields?.map(({ manager }) => manager)).toEqual(['cert-manager-certificates-issuing']);
  });
});

it.each(['LegacyRC2', 'LegacyDES', 'Modern2023'] as const)(
  'profile %s is followed, then another one',
  async (profile) => {
    const name = profile.toLowerCase();
    const store = { create: true, password: 'a literal word', profile } as const;
    await put(name, { keystores: { pkcs12: store } });
    await team.ready(name);
    const before = await secretThat(name, (data) => opens(data['keystore.p12'], 'a literal word'));
    await put(name, { keystores: { pkcs12: { ...store, profile: 'Modern2026' } } });
    // PBMAC1 (RFC 9579) stands in the file in the clear.
    const pbmac1 = Buffer.from('06092a864886f70d01050e', 'hex');
    const after = await secretThat(name, (data) => data['keystore.p12']?.includes(pbmac1) === true);
    await expectNoIssuance(name, before, after);
  },
);

describe('without an issuance', () => {
  it('an edit of the template is followed, and what others wrote stays', async () => {
    const name = 'template';
    await put(name, { secretTemplate: { labels: { team: 'a', gone: 'soon' }, annotations: { note: 'x' } } });
    await team.ready(name);
    const before = await secretThat(name, (_, { metadata }) => metadata.labels?.team === 'a');
    await team.kubectl.run(['label', 'secret', `${name}-tls`, '-n', team.namespace, 'theirs=stays']);
    await put(name, { secretTemplate: { labels: { team: 'b' }, annotations: { other: 'y' } } });
    const after = await secretThat(name, (_, { metadata }) => metadata.labels?.team === 'b');
    const { labels, annotations = {} } = (await team.secret(`${name}-tls`))?.metadata ?? {};
    expect(labels).toEqual({ team: 'b', theirs: 'stays', 'controller.cert-manager.io/fao': 'true' });
    expect(annotations.other).toBe('y');
    expect(annotations).not.toHaveProperty('note');
    await expectNoIssuance(name, before, after);
  });

  it('what somebody changed by hand is put right, once', async () => {
    const name = 'by-hand';
    await put(name, { secretTemplate: { labels: { team: 'a' } }, additionalOutputFormats: [{ type: 'DER' }] });
    await team.ready(name);
    const before = await secretThat(name, (data) => data['key.der'] !== undefined);
    const trail = await openTrail(world.auditLog);
    const data = { 'key.der': Buffer.from('something else').toString('base64') };
    const labels = { team: 'theirs', 'controller.cert-manager.io/fao': null };
    const annotations = { 'cert-manager.io/alt-names': 'wrong.example.com' };
    const patch = JSON.stringify({ metadata: { labels, annotations }, data });
    await team.kubectl.run(['patch', 'secret', `${name}-tls`, '-n', team.namespace, '-p', patch]);
    const after = await secretThat(
      name,
      (found, { metadata }) =>
        metadata.labels?.team === 'a' &&
        metadata.labels['controller.cert-manager.io/fao'] === 'true' &&
        metadata.annotations?.['cert-manager.io/alt-names'] === `${name}.example.com` &&
        found['key.der']?.toString() !== 'something else',
    );
    await expectNoIssuance(name, before, after);
    // A second thing is put right after it, so that whatever else the first one set off has been done.
    await team.kubectl.run(['label', 'secret', `${name}-tls`, '-n', team.namespace, '--overwrite', 'team=again']);
    await secretThat(name, (_, { metadata }) => metadata.labels?.team === 'a');
    const writes = (await trail.requests()).filter(
      ({ verb, resource, namespace, name: of }) =>
        verb === 'patch' && resource === 'secrets' && namespace === team.namespace && of === `${name}-tls`,
    );
    expect(writes).toHaveLength(2);
  });

  it('formats and keystores come and go with the spec', async () => {
    const name = 'come-and-go';
    await put(name, {});
    await team.ready(name);
    const plain = await secretThat(name, () => true);
    expect(Object.keys(plain).sort()).toEqual(['ca.crt', 'tls.crt', 'tls.key']);
    await put(name, {
      keystores: { pkcs12: fromSecret, jks: fromSecret },
      additionalOutputFormats: [{ type: 'DER' }, { type: 'CombinedPEM' }],
    });
    const full = await secretThat(name, (data) => Object.keys(data).length === everyFile.length);
    await expectNoIssuance(name, plain, full);
    expect(opens(full['keystore.p12'], 'first-word')).toBe(true);
    await put(name, {
      keystores: { jks: { ...fromSecret, create: false }, pkcs12: fromSecret },
      additionalOutputFormats: [{ type: 'DER' }],
    });
    const fewer = await secretThat(name, (data) => data['tls-combined.pem'] === undefined);
    expect(Object.keys(fewer).sort()).toEqual(everyFile.filter((file) => !/jks|combined/.test(file)));
    // What is right already is not made again.
    expect(fewer['keystore.p12']).toEqual(full['keystore.p12']);
    await put(name, {});
    const bare = await secretThat(name, (data) => Object.keys(data).length === 3);
    await expectNoIssuance(name, plain, bare);
  });

  it('a changed password closes the keystores to the old one', async () => {
    const name = 'password';
    await putPassword('of-one', 'one');
    const ref = { create: true, passwordSecretRef: { name: 'of-one', key: 'word' } };
    await put(name, { keystores: { pkcs12: ref, jks: ref } });
    await team.ready(name);
    const before = await secretThat(name, (data) => opens(data['keystore.p12'], 'one'));
    await putPassword('of-one', 'two');
    const after = await secretThat(name, (data) => opens(data['keystore.p12'], 'two'));
    expect(opens(after['truststore.p12'], 'two')).toBe(true);
    expect(opens(after['keystore.p12'], 'one')).toBe(false);
    expect(after['keystore.jks']).not.toEqual(before['keystore.jks']);
    await expectNoIssuance(name, before, after);
  });

  it('the key is written in another encoding, and what is made of it', async () => {
    const name = 'encoding';
    const formats = { additionalOutputFormats: [{ type: 'DER' }] } as const;
    await put(name, { ...formats, privateKey: { algorithm: 'RSA' } });
    await team.ready(name);
    const before = await secretThat(name, (data) => data['tls.key']?.includes('BEGIN RSA PRIVATE KEY') === true);
    await put(name, { ...formats, privateKey: { algorithm: 'RSA', encoding: 'PKCS8' } });
    const after = await secretThat(name, (data) => data['tls.key']?.includes('BEGIN PRIVATE KEY') === true);
    const key = createPrivateKey(after['tls.key'] ?? '');
    expect(key.equals(createPrivateKey(before['tls.key'] ?? ''))).toBe(true);
    expect(after['key.der']).toEqual(key.export({ format: 'der', type: 'pkcs8' }));
    await expectNoIssuance(name, before, after);
  });
});

describe('a password that is not there', () => {
  const ref = { create: true, passwordSecretRef: { name: 'late', key: 'word' } };

  it('is asked for by name, and the certificate is issued once it is there', async () => {
    await put('waiting', { keystores: { pkcs12: ref } });
    const said = await team.says('waiting', 'Issuing', /^KeystorePasswordSecretNotFound/);
    expect(said.message).toContain('Secret "late" with the password of spec.keystores.pkcs12 does not exist');
    expect(await team.secret('waiting-tls')).toBeUndefined();
    const metadata = { name: 'late', namespace: team.namespace };
    await team.kubectl.apply([{ apiVersion: 'v1', kind: 'Secret', metadata, stringData: { other: 'x' } }]);
    await team.says('waiting', 'Issuing', /^KeystorePasswordMissing: Set key "word" of Secret "late"/);
    await putPassword('late', 'at last');
    await team.ready('waiting');
    await secretThat('waiting', (data) => opens(data['keystore.p12'], 'at last'));
  });

  it('leaves a good certificate Ready, and says what its keystore lacks', async () => {
    const missing = { create: true, passwordSecretRef: { name: 'never', key: 'word' } };
    await put('served', {});
    await team.ready('served');
    await put('served', { keystores: { jks: missing } });
    await team.says('served', 'Issuing', /^KeystorePasswordSecretNotFound/);
    const found: Certificate = await team.ready('served');
    expect(found.status?.revision).toBe(1);
    await put('served', {});
    await until('the complaint to end', async () =>
      (await team.certificate('served'))?.status?.conditions?.every(({ type }) => type !== 'Issuing'),
    );
  });
});

it('no password is shown in a log, an event or a status', async () => {
  const printed = await readFile(inject('controllerLog'), 'utf8');
  const told = await team.list('events');
  const statuses = (await team.list<Certificate>('certificates.cert-manager.io')).map(({ status }) => status);
  const everything = `${printed}${JSON.stringify(told)}${JSON.stringify(statuses)}`;
  expect(everything).toContain(team.namespace);
  for (const word of ['first-word', 'a literal word', 'at last']) expect(everything).not.toContain(word);
});

it('a Secret of another type keeps it', async () => {
  const metadata = {
    name: 'typed-tls',
    namespace: team.namespace,
    annotations: { 'cert-manager.io/certificate-name': 'typed' },
  };
  await team.kubectl.apply([{ apiVersion: 'v1', kind: 'Secret', type: 'Opaque', metadata }]);
  await put('typed', {});
  await team.ready('typed');
  const secret = await team.secret('typed-tls');
  expect(secret?.type).toBe('Opaque');
  expect(Object.keys(secret?.data ?? {}).sort()).toEqual(['ca.crt', 'tls.crt', 'tls.key']);
});
