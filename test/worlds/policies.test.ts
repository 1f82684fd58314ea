// deploy/policies*.yaml on a real API server, in a world without a controller, which would approve what is tried here: who may approve a
// request, whom a request says it is from, and what of it stays. Each attack has its lawful twin. The last part is a server as old ones are,
// without the policy that stamps.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CertificateRequest } from '../../src/api/certmanager.ts';
import { controllerUser } from '../rig/audit.ts';
import { type Kubectl, kubectlFor } from '../rig/kubectl.ts';
import { until } from '../rig/wait.ts';
import { startWorld, type World } from '../rig/world.ts';
import { actingAs, rightsOf } from '../world/acting.ts';

type Fields = Readonly<Record<string, unknown>>;
interface Identity {
  readonly username?: string;
  readonly uid?: string;
  readonly groups?: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

const csr = Buffer.from('-----BEGIN CERTIFICATE REQUEST-----').toString('base64');
const [here, there] = ['here', 'there'];
let world: World;
let admin: Kubectl;

function request(name: string, issuerRef: object, more: object = {}, namespace = here): object {
  const metadata = { name, namespace, annotations: { 'cert-manager.io/certificate-name': name } };
  return {
    apiVersion: 'cert-manager.io/v1',
    kind: 'CertificateRequest',
    metadata,
    spec: { request: csr, issuerRef, ...more },
  };
}

/** As `cmctl approve` and controllers do it, tried out, so that each request stays undecided. */
function decide(by: Kubectl, name: string, type: string, namespace = here): Promise<string> {
  const conditions = [{ type, status: 'True', reason: 'Test', message: 'by a test' }];
  return patchStatus(by, name, { conditions }, namespace, '--dry-run=server');
}

function patchStatus(by: Kubectl, name: string, status: Fields, namespace = here, ...flags: readonly string[]) {
  const body = JSON.stringify({ status });
  return by.run(['patch', 'cr', name, '-n', namespace, '--subresource=status', '--type=merge', '-p', body, ...flags]);
}

/** As the controller writes it, tried out: kubectl patch would read the status first, and fail where only that is forbidden. */
async function putStatus(by: Kubectl, name: string, status: Fields): Promise<string> {
  const found = await by.get<CertificateRequest>('cr', name, '-n', here);
  const path = `/apis/cert-manager.io/v1/namespaces/${here}/certificaterequests/${name}/status?dryRun=All`;
  return by.run(['replace', '--raw', path, '-f', '-'], JSON.stringify({ ...found, status }));
}

const requestRights = [
  {
    apiGroups: ['cert-manager.io'],
    resources: ['certificaterequests', 'certificaterequests/status'],
    verbs: ['get', 'list', 'create', 'update', 'patch'],
  },
];
const approve = (...resourceNames: readonly string[]) => [
  { apiGroups: ['cert-manager.io'], resources: ['signers'], resourceNames, verbs: ['approve'] },
];

const approvers = {
  nobody: [],
  'of-one': approve(`issuers.cert-manager.io/${here}.ca`),
  'of-issuers': approve('issuers.cert-manager.io/*'),
  'of-cluster-one': approve('clusterissuers.cert-manager.io/ca'),
  'of-signers': approve(`signers.signers.example.test/${here}.ca`),
  'of-cluster-signer': approve('clustersigners.signers.example.test/ca'),
  'of-all': [{ apiGroups: ['cert-manager.io'], resources: ['signers'], verbs: ['approve'] }],
} as const satisfies Record<string, readonly object[]>;
type Approver = keyof typeof approvers;

const external = { group: 'signers.example.test', name: 'ca' };
const requests = [
  request('by-default', { name: 'ca' }),
  request('by-issuer', { name: 'ca', kind: 'Issuer', group: 'cert-manager.io' }),
  request('by-issuer', { name: 'ca' }, {}, there),
  request('by-other', { name: 'other', kind: 'Issuer' }),
  request('by-cluster', { name: 'ca', kind: 'ClusterIssuer' }),
  request('by-signer', { ...external, kind: 'Signer' }),
  request('by-cluster-signer', { ...external, kind: 'ClusterSigner' }),
];

beforeAll(async () => {
  world = await startWorld();
  admin = kubectlFor(world);
  const namespaces = [here, there].map((name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } }));
  await admin.apply(namespaces);
  const people = Object.entries(approvers).flatMap(([name, rules]) => [
    ...rightsOf(name, `requests-${name}`, requestRights),
    ...rightsOf(name, `approve-${name}`, rules),
  ]);
  const editor = [{ ...requestRights[0], resources: ['certificaterequests'] }];
  await admin.apply([...requests, ...people, ...rightsOf('editor', 'requests-editor', editor)]);
  await until('the rights to be known', () => decide(actingAs(admin, 'of-all'), 'by-default', 'Approved'));
  await until('the policy to hold', () =>
    decide(actingAs(admin, 'nobody'), 'by-default', 'Approved').then(
      () => false,
      () => true,
    ),
  );
});
afterAll(() => world?.[Symbol.asyncDispose]());

describe('approving and denying', () => {
  const may: readonly (readonly [Approver, string, string])[] = [
    ['of-one', 'by-issuer', here],
    ['of-one', 'by-default', here],
    ['of-issuers', 'by-issuer', there],
    ['of-issuers', 'by-other', here],
    ['of-cluster-one', 'by-cluster', here],
    ['of-signers', 'by-signer', here],
    ['of-cluster-signer', 'by-cluster-signer', here],
    ['of-all', 'by-signer', here],
  ];
  const mayNot: readonly (readonly [Approver, string, string, string])[] = [
    ['nobody', 'by-issuer', here, `issuers.cert-manager.io/${here}.ca or issuers.cert-manager.io/*`],
    ['of-one', 'by-other', here, `issuers.cert-manager.io/${here}.other or`],
    ['of-one', 'by-issuer', there, `issuers.cert-manager.io/${there}.ca or`],
    ['of-one', 'by-cluster', here, 'clusterissuers.cert-manager.io/ca or clusterissuers.cert-manager.io/*'],
    ['of-issuers', 'by-cluster', here, 'clusterissuers.cert-manager.io/ca or'],
    ['of-issuers', 'by-signer', here, `signers.signers.example.test/${here}.ca or`],
    ['of-cluster-one', 'by-issuer', here, `issuers.cert-manager.io/${here}.ca or`],
    ['of-cluster-signer', 'by-signer', here, `signers.signers.example.test/${here}.ca or`],
  ];

  it.concurrent.each(may)('somebody with the right %s may, for %s in %s', async (user, name, namespace) => {
    await decide(actingAs(admin, user), name, 'Approved', namespace);
    await decide(actingAs(admin, user), name, 'Denied', namespace);
  });

  it.concurrent.each(mayNot)(
    '%s may not, for %s in %s, and hears what is missing',
    async (user, name, namespace, says) => {
      for (const type of ['Approved', 'Denied']) {
        const refusal = expect(decide(actingAs(admin, user), name, type, namespace)).rejects;
        await refusal.toThrow(`${user} may not approve or deny requests for `);
        await refusal.toThrow(`the verb approve on signers.cert-manager.io named ${says}`);
        await refusal.toThrow('ask whoever administers this cluster');
      }
    },
  );

  it('the controller may, for its own kinds alone', async () => {
    const controller = actingAs(admin, controllerUser);
    const status = { conditions: [{ type: 'Approved', status: 'True', reason: 'cert-manager.io' }] };
    for (const name of ['by-default', 'by-issuer', 'by-cluster']) await putStatus(controller, name, status);
    await expect(putStatus(controller, 'by-signer', status)).rejects.toThrow('may not approve or deny');
  });

  it('takes no right for other conditions, which external issuers write', async () => {
    const conditions = [{ type: 'Ready', status: 'False', reason: 'Pending', message: 'on its way' }];
    await patchStatus(actingAs(admin, 'nobody'), 'by-signer', { conditions }, here, '--dry-run=server');
  });

  it('is final, with who and why', async () => {
    await admin.apply([request('decided', { name: 'ca' })]);
    const approver = actingAs(admin, 'of-one');
    const approval = { type: 'Approved', status: 'True', reason: 'Policy', message: 'approved by of-one' };
    const ready = { type: 'Ready', status: 'True', reason: 'Issued', message: 'done' };
    await patchStatus(approver, 'decided', { conditions: [approval] });
    const forged = { ...approval, message: 'approved by somebody else' };
    const change = patchStatus(actingAs(admin, 'nobody'), 'decided', { conditions: [forged] });
    await expect(change).rejects.toThrow('an approval or a denial is final, with its reason, message and time');
    await expect(patchStatus(approver, 'decided', { conditions: [ready] })).rejects.toThrow('is final');
    await patchStatus(actingAs(admin, 'nobody'), 'decided', { conditions: [approval, ready] });
  });
});

describe('what a request is and becomes', () => {
  it('cannot be forged by whoever may only write requests', async () => {
    const forged = { certificate: Buffer.from('-----BEGIN CERTIFICATE-----').toString('base64') };
    const editor = actingAs(admin, 'editor');
    const attack = putStatus(editor, 'by-other', forged);
    await expect(attack).rejects.toThrow('cannot update resource "certificaterequests/status"');
    const born = { ...request('forged', { name: 'ca' }), status: forged };
    await editor.apply([born], '--validate=false');
    expect(await admin.get('cr', 'forged', '-n', here)).not.toHaveProperty('status.certificate');
    await putStatus(actingAs(admin, 'nobody'), 'by-other', forged);
  });

  it.each(['cert-manager.io/certificate-name', 'acme.cert-manager.io/http01-parentrefname'])(
    'keeps its annotation %s',
    async (key) => {
      const change = admin.run(['annotate', 'cr', 'by-other', '-n', here, '--overwrite', `${key}=other`]);
      await expect(change).rejects.toThrow(`the annotation ${key} of a CertificateRequest cannot be changed`);
    },
  );

  it('loses no annotation, and takes those of others', async () => {
    const removal = admin.run(['annotate', 'cr', 'by-other', '-n', here, 'cert-manager.io/certificate-name-']);
    await expect(removal).rejects.toThrow('cannot be changed once it was made');
    await admin.run(['annotate', 'cr', 'by-other', '-n', here, 'venafi.cert-manager.io/pickup-id=1', 'a/b=c']);
    await admin.run(['annotate', 'cr', 'by-other', '-n', here, 'a/b=d', '--overwrite']);
    await admin.run(['label', 'cr', 'by-other', '-n', here, 'a=b']);
  });
});

const lies: readonly (readonly [string, Identity])[] = [
  ['username', { username: 'somebody-else' }],
  ['uid', { uid: '1234' }],
  ['groups', { groups: ['system:masters'] }],
  ['groups', { groups: ['system:authenticated', 'system:masters'] }],
  ['groups', { groups: ['system:authenticated', 'system:authenticated'] }],
  ['extra', { extra: { 'example.com/role': ['admin'] } }],
];
const truth = { username: 'nobody', groups: ['system:authenticated'] };

async function specOf(name: string): Promise<Identity> {
  const { spec } = await admin.get<{ spec: Identity }>('cr', name, '-n', here);
  const { username, uid, groups, extra } = spec;
  return {
    ...(username !== undefined && { username }),
    ...(uid !== undefined && { uid }),
    ...(groups !== undefined && { groups }),
    ...(extra !== undefined && { extra }),
  };
}

describe('who asked, on a server that stamps', () => {
  it.each([['nothing', {}] as const, ...lies])('is written over a claim of %s: %j', async (_, claim) => {
    const name = `stamped-${lies.findIndex(([, lie]) => lie === claim) + 1}`;
    await actingAs(admin, 'nobody').run(['create', '-f', '-'], JSON.stringify(request(name, { name: 'ca' }, claim)));
    expect(await specOf(name)).toEqual(truth);
  });

  it('is a ServiceAccount with its UID, groups and token, by its own token', async () => {
    const kubeconfig = await world.controllerKubeconfig();
    const controller = kubectlFor({ kubectl: world.kubectl, kubeconfig });
    await controller.run(['create', '-f', '-'], JSON.stringify(request('by-controller', { name: 'ca' })));
    const account = await admin.get<{ metadata: { uid: string } }>('sa', 'certway-controller', '-n', 'certway-system');
    expect(await specOf('by-controller')).toMatchObject({
      username: controllerUser,
      uid: account.metadata.uid,
      groups: expect.arrayContaining(['system:serviceaccounts:certway-system']),
      extra: { 'authentication.kubernetes.io/credential-id': [expect.stringMatching(/^JTI=/)] },
    });
  });
});

describe('who asked, on a server that does not stamp', () => {
  const create = (name: string, claim: Identity, ...flags: readonly string[]) =>
    actingAs(admin, 'nobody').run(
      ['create', '-f', '-', ...flags],
      JSON.stringify(request(name, { name: 'ca' }, claim)),
    );

  beforeAll(async () => {
    await admin.run(['delete', 'mutatingadmissionpolicybinding', 'certway-requester']);
    await until('the stamping to end', async () => {
      const made: { spec: Identity } = JSON.parse(await create('probe', {}, '--dry-run=server', '-o', 'json'));
      return made.spec.username === undefined;
    });
  });

  it.each(lies)('a lie about %s is refused: %j', async (field, claim) => {
    await expect(create('lie', claim)).rejects.toThrow(new RegExp(`spec\\.${field} must be .* or absent; remove it`));
  });

  it('the truth is taken, and nothing at all', async () => {
    await create('true', truth);
    expect(await specOf('true')).toEqual(truth);
    await create('silent', {});
    expect(await specOf('silent')).toEqual({});
  });
});
