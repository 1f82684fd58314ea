// The listeners' way to write Certificates, with a look before each rewrite: where cert-manager's own Gateway shim undoes what Certway writes,
// Certway says `TwoShims` on the object that asked and leaves that Certificate alone. Wired by main.ts around the listener reconciler's client.

import type { Certificate } from '../api/certmanager.ts';
import type { EventDraft, KubeObject } from '../api/meta.ts';
import { certificates, type Resource } from '../api/resources.ts';
import type { Kube } from '../kube/client.ts';
import { keyOf } from '../kube/store.ts';
import { controllerOf } from '../plan/listeners-owner.ts';
import { contestingShim } from '../plan/shims.ts';
import type { Ownership } from './ownership.ts';
import type { Ports } from './ports.ts';

type Looking = Pick<Ports, 'kube' | 'recorder' | 'now'> & Pick<Ownership, 'rival'>;

/** A contested write answers `contested`: nothing has left the process, and nothing is tried again before something changes. */
export function besideShims({ kube, recorder, now, rival }: Looking): Kube {
  /** Generations as our last writes left them. */
  const written = new Map<string, number>();
  const note = (object: KubeObject) => {
    if (object.metadata.generation !== undefined) written.set(keyOf(object), object.metadata.generation);
  };
  const contest = async (object: KubeObject): Promise<string | undefined> => {
    const { namespace = '', name } = object.metadata;
    const read = await kube.getWhole(certificates, { namespace, name });
    if (!read.ok) return undefined;
    const { generation, managedFields = [] } = read.value.metadata;
    const last = written.get(keyOf(object));
    const edited = last === undefined ? 'unknown' : last === generation ? 'not since' : 'since';
    const present = rival();
    const shim = contestingShim({ managedFields, edited, ...(present !== undefined && { rival: present }) }, now());
    if (shim === undefined) return undefined;
    const event = twoShims(read.value, shim);
    if (event !== undefined) await recorder.say(event);
    return `${shim} writes Certificate ${namespace}/${name}`;
  };
  return {
    ...kube,
    create: async (of, object) => {
      const reply = await kube.create(of, object);
      if (reply.ok && isCertificates(of)) note(reply.value);
      return reply;
    },
    replace: async (of, object) => {
      if (!isCertificates(of)) return kube.replace(of, object);
      const message = await contest(object);
      if (message !== undefined) return { ok: false, problem: { kind: 'contested', message } };
      const reply = await kube.replace(of, object);
      if (reply.ok) note(reply.value);
      return reply;
    },
    delete: (of, ref, only) => {
      if (isCertificates(of)) written.delete(`${ref.namespace}/${ref.name}`);
      return kube.delete(of, ref, only);
    },
  };
}

function isCertificates({ group, plural }: Resource<KubeObject>): boolean {
  return group === certificates.group && plural === certificates.plural;
}

function twoShims(certificate: Certificate, shim: string): EventDraft | undefined {
  const owner = controllerOf(certificate);
  const { namespace, name } = certificate.metadata;
  if (owner === undefined || namespace === undefined) return undefined;
  const { apiVersion, kind, uid } = owner;
  const remedy = 'Switch off the Gateway API support of that cert-manager, or of Certway (--enable-gateway-api=false)';
  return {
    about: { apiVersion, kind, namespace, name: owner.name, uid },
    type: 'Warning',
    reason: 'TwoShims',
    message: `cert-manager's Gateway shim (${shim}) undoes what Certway writes to Certificate "${name}", so Certway has stopped writing it. ${remedy}.`,
  };
}
