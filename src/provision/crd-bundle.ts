// The CustomResourceDefinitions that may be installed, read from the directory --crd-dir: one object a file, as JSON or YAML, and beside them the
// Gateway API's safe-upgrades policy with its binding. Read by crds.ts, once; the image build fills it (docs/crds.md).

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Crd } from '../api/crd.ts';
import type { Reply } from '../api/reply.ts';
import type { Rendered } from '../api/resources.ts';
import { envoyGatewayGroup, gatewayApiGroup } from '../infra/crd-names.ts';
import { parseYaml } from '../kube/yaml.ts';

export interface CrdBundle {
  readonly crds: ReadonlyMap<string, Crd>;
  readonly policy?: { readonly policy: Rendered; readonly binding: Rendered };
}

/** The problem is a sentence without a full stop that names the file. */
export async function readBundle(dir: string): Promise<Reply<CrdBundle, string>> {
  const crds = new Map<string, Crd>();
  const policies = new Map<string, Rendered>();
  for (const file of await filesOf(dir)) {
    if (!file.ok) return file;
    const object = file.value;
    if (isCrd(object)) crds.set(object.metadata.name, object);
    else policies.set(object.kind, object);
  }
  if (crds.size === 0) return { ok: false, problem: `--crd-dir ${dir} holds no CustomResourceDefinition` };
  const [policy, binding] = [policies.get(policyKind), policies.get(bindingKind)];
  const both = policy !== undefined && binding !== undefined;
  return { ok: true, value: { crds, ...(both && { policy: { policy, binding } }) } };
}

const crdKind = 'CustomResourceDefinition';
const policyKind = 'ValidatingAdmissionPolicy';
const bindingKind = 'ValidatingAdmissionPolicyBinding';

async function filesOf(dir: string): Promise<readonly Reply<Rendered | Crd, string>[]> {
  const names = await readdir(dir).catch((error: Error) => error);
  if (names instanceof Error) return [{ ok: false, problem: `--crd-dir cannot be read (${names.message})` }];
  const wanted = names.filter((name) => /\.(json|ya?ml)$/.test(name)).sort();
  return Promise.all(wanted.map((name) => readObject(join(dir, name))));
}

async function readObject(file: string): Promise<Reply<Rendered | Crd, string>> {
  try {
    const text = await readFile(file, 'utf8');
    const parsed: unknown = file.endsWith('.json') ? JSON.parse(text) : parseYaml(text);
    return checked(parsed, file);
  } catch (error) {
    return { ok: false, problem: `${file} cannot be read (${error instanceof Error ? error.message : error})` };
  }
}

// The boundary: what is in the image is trusted, and still looked at, since a wrong file would be installed in a whole cluster.
function checked(parsed: unknown, file: string): Reply<Rendered | Crd, string> {
  const refuse = (why: string) => ({ ok: false, problem: `${file} ${why}` }) as const;
  if (!isObject(parsed) || !isObject(parsed.metadata) || typeof parsed.metadata.name !== 'string') {
    return refuse('is no object with a name; one object a file');
  }
  const { kind, spec } = parsed;
  if (kind !== crdKind && kind !== policyKind && kind !== bindingKind) return refuse(`is a ${kind}, not a ${crdKind}`);
  if (!isObject(spec)) return refuse('has no spec');
  if (kind !== crdKind) return { ok: true, value: parsed as unknown as Rendered };
  if (spec.group !== gatewayApiGroup && spec.group !== envoyGatewayGroup) {
    return refuse(`is of the group ${spec.group}, not of ${gatewayApiGroup} or ${envoyGatewayGroup}`);
  }
  if (!Array.isArray(spec.versions) || !isObject(spec.names)) return refuse('has no versions or names');
  return { ok: true, value: parsed as unknown as Crd };
}

function isCrd(object: Rendered | Crd): object is Crd {
  return object.kind === crdKind;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
