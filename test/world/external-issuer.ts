// A controller of another group, as small as one can be: it answers the CertificateRequests for example.com once they are approved, well or badly by the
// name of the issuer that they ask for. It has a CA of its own and shares with Certway nothing but the API.

import { randomBytes } from 'node:crypto';
import type { CertificateRequest } from '../../src/api/certmanager.ts';
import type { Condition } from '../../src/api/meta.ts';
import { annotations } from '../../src/api/names.ts';
import { certificateRequests } from '../../src/api/resources.ts';
import { createCsr } from '../../src/pki/csr.ts';
import { generateKey } from '../../src/pki/keys.ts';
import { selfSign, signCsr } from '../../src/pki/sign.ts';
import { conditionOf } from '../../src/plan/conditions.ts';
import { controllerUser } from '../rig/audit.ts';
import { openClient } from '../rig/demo/client.ts';
import { boundTo } from './acting.ts';
import type { Team } from './team.ts';

export const group = 'example.com';

/** How it answers, by issuerRef.name. */
export type Manner =
  | 'good'
  | 'brief'
  | 'slow'
  | 'failing'
  | 'forgetful'
  | 'invalid'
  | 'wrong-key'
  | 'expired'
  | 'garbage';

export interface ExternalIssuer extends AsyncDisposable {
  readonly caPem: string;
  /** UIDs of the requests that were answered, in order. */
  readonly answered: readonly string[];
}

const hour = 3_600_000;
/** The life of the first certificate that the issuer "brief" signs for a Certificate; the next one lives for an hour. */
export const briefMs = 24_000;

/** Starts to answer, and gives Certway the right to approve for it, as whoever installs an issuer does. */
export async function externalIssuer(cluster: { readonly kubeconfig: string }, team: Team): Promise<ExternalIssuer> {
  const role = `approve-${team.namespace}`;
  await team.kubectl.apply([roleNamed(role), boundTo(controllerUser, role)]);
  const authority = await makeAuthority();
  const client = await openClient(cluster.kubeconfig, 2);
  const ending = new AbortController();
  const answered: string[] = [];
  let last = Promise.resolve();
  const answer = async (request: CertificateRequest) => {
    await respond(team, request, await verdict(authority, request));
  };
  const watching = client.watch<CertificateRequest>(
    certificateRequests,
    ({ type, object }) => {
      const { uid = '' } = object.metadata;
      if (type === 'DELETED' || !isOurs(team, object) || answered.includes(uid)) return;
      answered.push(uid);
      last = last.then(() => answer(object));
    },
    ending.signal,
  );
  return {
    caPem: authority.caPem,
    answered,
    [Symbol.asyncDispose]: async () => {
      ending.abort();
      await Promise.all([watching, last]);
      await client[Symbol.asyncDispose]();
      const binding = `${role}-${controllerUser.replaceAll(':', '-')}`;
      await team.kubectl.run(['delete', `clusterrole/${role}`, `clusterrolebinding/${binding}`]);
    },
  };
}

function roleNamed(name: string): object {
  const signers = { apiGroups: ['cert-manager.io'], resources: ['signers'], resourceNames: ['issuers.example.com/*'] };
  const rules = [{ ...signers, verbs: ['approve'] }];
  return { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name }, rules };
}

function isOurs(team: Team, { metadata, spec, status }: CertificateRequest): boolean {
  const isApproved = conditionOf(status?.conditions, 'Approved')?.status === 'True';
  return metadata.namespace === team.namespace && spec.issuerRef.group === group && isApproved;
}

async function makeAuthority() {
  const key = await generateKey({ algorithm: 'ECDSA' });
  const names = { commonName: 'Another CA', dnsNames: [], ipAddresses: [], uris: [], emailAddresses: [] };
  const csr = await createCsr({ key, names, isCA: true });
  const life = { notBefore: Date.now() - 48 * hour, notAfter: Date.now() + 48 * hour };
  const signed = await selfSign({ csr, key, ...life, usages: [], isCA: true, serial: randomBytes(16) });
  if (!signed.ok) throw new Error(signed.problem.message);
  return { caPem: signed.value.chainPem, key };
}

type Authority = Awaited<ReturnType<typeof makeAuthority>>;
type Status = Partial<NonNullable<CertificateRequest['status']>> & { readonly condition?: Omit<Condition, 'type'> };

async function verdict(authority: Authority, request: CertificateRequest): Promise<Status> {
  const now = new Date().toISOString();
  const failed = { status: 'False', reason: 'Failed', message: 'The other CA is closed today.' } as const;
  const sign = async (csr: Buffer, notAfter: number, notBefore = Date.now() - hour): Promise<Status> => {
    const issuer = { key: authority.key, chain: [authority.caPem] };
    const terms = {
      csr,
      issuer,
      notBefore,
      notAfter,
      usages: request.spec.usages ?? [],
      isCA: false,
    };
    const signed = await signCsr({ ...terms, serial: randomBytes(16) });
    if (!signed.ok) throw new Error(signed.problem.message);
    const [certificate, ca] = [signed.value.chainPem, authority.caPem].map((pem) =>
      Buffer.from(pem).toString('base64'),
    );
    const condition = { status: 'True', reason: 'Issued', message: 'signed' } as const;
    return { certificate: certificate ?? '', ca: ca ?? '', condition };
  };
  const manner = request.spec.issuerRef.name as Manner;
  switch (manner) {
    case 'good':
      return sign(csrOf(request), Date.now() + hour);
    case 'brief': {
      const isFirst = request.metadata.annotations?.[annotations.certificateRevision] === '1';
      const begin = Math.floor(Date.now() / 1000) * 1000;
      return sign(csrOf(request), begin + (isFirst ? briefMs : hour), begin);
    }
    case 'slow':
      return { condition: { status: 'False', reason: 'Pending', message: 'Somebody must turn a key.' } };
    case 'failing':
      return { failureTime: now, condition: failed };
    case 'forgetful':
      return { condition: failed };
    case 'invalid':
      return {
        conditions: [{ type: 'InvalidRequest', status: 'True', reason: 'Policy', message: 'No such name here.' }],
      };
    case 'wrong-key': {
      const key = await generateKey({ algorithm: 'ECDSA' });
      const names = { dnsNames: ['wrong-key.example.com'], ipAddresses: [], uris: [], emailAddresses: [] };
      return sign(await createCsr({ key, names, usages: request.spec.usages ?? [] }), Date.now() + hour);
    }
    case 'expired':
      return sign(csrOf(request), Date.now() - 60_000);
    case 'garbage':
      return { certificate: Buffer.from('no PEM').toString('base64'), condition: { status: 'True', reason: 'Issued' } };
    default:
      return manner satisfies never;
  }
}

/** DER. */
function csrOf({ spec }: CertificateRequest): Buffer {
  const pem = Buffer.from(spec.request, 'base64').toString();
  return Buffer.from(pem.replace(/-----[^-]+-----/g, ''), 'base64');
}

async function respond(team: Team, request: CertificateRequest, { condition, ...status }: Status): Promise<void> {
  const { name, namespace = '' } = request.metadata;
  const ready = condition === undefined ? [] : [{ type: 'Ready', ...condition }];
  const conditions = [...(request.status?.conditions ?? []), ...(status.conditions ?? []), ...ready];
  const patch = JSON.stringify({ status: { ...status, conditions } });
  const what = ['certificaterequests.cert-manager.io', name, '-n', namespace];
  await team.kubectl.run(['patch', ...what, '--subresource=status', '--type=merge', '-p', patch]).catch((error) => {
    // Withdrawn before it was answered: nobody waits for the answer.
    if (!/NotFound/.test(String(error))) throw error;
  });
}
