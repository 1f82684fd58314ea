// What must not change when a namespace moves, and how to see that it has been looked at. Used by move.test.ts.

import { expect } from 'vitest';
import type { Certificate } from '../../src/api/certmanager.ts';
import type { Secret } from '../../src/api/core.ts';
import { certificates, secrets } from '../../src/api/resources.ts';
import { openAudit, type Write } from '../rig/audit.ts';
import { certManagerUser } from '../rig/cert-manager.ts';
import { until } from '../rig/wait.ts';
import type { Team } from '../world/team.ts';
import { allNames } from './move-scene.ts';

export interface MoveWatch {
  /** Every TLS Secret: what stands in it, what it is called, who wrote it. */
  kept(): Promise<Readonly<Record<string, unknown>>>;
  /** Runs `work` and expects that the user issued nothing and nothing changed meanwhile. */
  untouched(user: string, work: () => Promise<void>): Promise<void>;
  /** A Certificate that only its issuer's loops can make Ready: whatever stood before it in their queues has been looked at then. */
  canary(): Promise<void>;
  allReady(): Promise<unknown>;
  /** As `cmctl renew` does. */
  renew(name: string): Promise<Certificate>;
  /** All that the user wrote about objects whose names begin so, as sentences. */
  writesAbout(user: string, stem: string): Promise<readonly string[]>;
}

const issuing = /^(secrets|certificaterequests|orders|challenges)(\/status)?$/;
/** cert-manager reads a finished Order of ours once more, as the certificate does not stand in its status too. */
const rereading = /^update orders\/status acme-tls-2-/;
const said = ({ verb, resource, name, code }: Write) => `${verb} ${resource} ${name} ${code}`;

export function moveWatch(team: Team, auditLog: string): MoveWatch {
  const audit = openAudit(auditLog);
  let canaries = 0;
  const kept = async () => {
    const all = (await team.all<Secret>(secrets)).filter(({ metadata }) => allNames.includes(metadata.name));
    return Object.fromEntries(all.map((secret) => [secret.metadata.name, view(secret)]));
  };
  const revisions = async () => {
    const all = await team.all<Certificate>(certificates);
    const ours = all.filter(({ metadata }) => allNames.includes(metadata.name));
    return Object.fromEntries(ours.map(({ metadata, status }) => [metadata.name, status?.revision]));
  };
  // A generated name, as of cert-manager's keys, is not in the log.
  const issued = async (user: string, since: number) =>
    (await audit.writes())
      .filter((each) => each.user === user && each.at >= since && issuing.test(each.resource))
      .filter(({ name }) => name !== '' && !name.startsWith('canary'))
      .map(said)
      .filter((each) => !(user === certManagerUser && rereading.test(each)));
  const allReady = () => Promise.all(allNames.map((name) => team.ready(name, 60_000)));
  return {
    kept,
    allReady,
    untouched: async (user, work) => {
      const [before, counted, since] = [await kept(), await revisions(), Date.now()];
      await work();
      await allReady();
      expect(await issued(user, since)).toEqual([]);
      expect(await revisions()).toEqual(counted);
      expect(await kept()).toEqual(before);
    },
    canary: async () => {
      canaries += 1;
      await team.kubectl.apply([canaryNamed(`canary-${canaries}`, team.namespace)]);
      await team.ready(`canary-${canaries}`, 60_000);
    },
    renew: (name) => renew(team, name),
    writesAbout: async (user, stem) =>
      (await audit.writes()).filter((each) => each.user === user && each.name.startsWith(stem)).map(said),
  };
}

function view({ metadata, type, data }: Secret): object {
  const { labels, annotations, managedFields = [] } = metadata;
  return { type, data, labels, annotations, managers: managedFields.map(({ manager }) => manager) };
}

/** What a Secret holds apart from the values that a renewal changes. */
export function shape(secret: unknown): unknown {
  if (typeof secret !== 'object' || secret === null || !('data' in secret)) return secret;
  return { ...secret, data: Object.keys(secret.data ?? {}).sort() };
}

function canaryNamed(name: string, namespace: string): object {
  const issuerRef = { name: 'ca', kind: 'Issuer' };
  const spec = { secretName: name, dnsNames: [`${name}.example.com`], privateKey: { algorithm: 'ECDSA' }, issuerRef };
  return { apiVersion: 'cert-manager.io/v1', kind: 'Certificate', metadata: { name, namespace }, spec };
}

async function renew(team: Team, name: string): Promise<Certificate> {
  const { status } = (await team.certificate(name)) ?? {};
  const others = (status?.conditions ?? []).filter(({ type }) => type !== 'Issuing');
  const asked = { type: 'Issuing', status: 'True', reason: 'ManuallyTriggered', message: 'renew' };
  const conditions = [...others, { ...asked, lastTransitionTime: new Date().toISOString() }];
  const target = ['certificate', name, '-n', team.namespace, '--subresource=status', '--type=merge'];
  await team.kubectl.run(['patch', ...target, '-p', JSON.stringify({ status: { conditions } })]);
  return until(`${name} to be renewed`, async () => {
    const found = await team.ready(name);
    return (found.status?.revision ?? 0) > (status?.revision ?? 0) ? found : undefined;
  });
}
