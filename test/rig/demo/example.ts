// examples/listenersets.yaml, fitted to a world: Pebble stands in for Let's Encrypt, nothing else is changed. The demo applies
// it whole; the benchmarks take its issuers.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { Issuer } from '../../../src/api/certmanager.ts';
import type { KubeObject } from '../../../src/api/meta.ts';

export interface TestCa {
  readonly directory: string;
  readonly caPem: string;
}

const file = join(import.meta.dirname, '../../../examples/listenersets.yaml');

export async function readExample(ca: TestCa): Promise<readonly KubeObject[]> {
  const documents = parseAllDocuments(await readFile(file, 'utf8'));
  return documents.map((document) => fitted(document.toJS() as KubeObject, ca));
}

/** Those that the listeners are issued by, and what these need themselves. */
export function issuersOf(example: readonly KubeObject[]): readonly KubeObject[] {
  return example.filter(({ kind }) => kind === 'ClusterIssuer' || kind === 'Certificate');
}

function fitted(object: KubeObject, ca: TestCa): KubeObject {
  const issuer = object as Issuer;
  if (object.kind !== 'ClusterIssuer' || issuer.spec.acme === undefined) {
    return object;
  }
  const acme = { ...issuer.spec.acme, server: ca.directory, caBundle: Buffer.from(ca.caPem).toString('base64') };
  const changed: Issuer = { ...issuer, spec: { ...issuer.spec, acme } };
  return changed;
}

/** The listener sets, of both kinds. */
export function listenersOf(example: readonly KubeObject[]): readonly KubeObject[] {
  return example.filter(({ kind }) => kind === 'XListenerSet' || kind === 'ListenerSet');
}

/** Where certificates are kept, and so where Certway needs its Secret rights: those of listener sets and of Certificates. */
export function namespacesOf(example: readonly KubeObject[]): readonly string[] {
  const holders = [...listenersOf(example), ...example.filter(({ kind }) => kind === 'Certificate')];
  return [...new Set(holders.map(({ metadata }) => metadata.namespace ?? 'default'))];
}
