// The boundary parser of objects: what the server sent becomes one of our types. Called by client.ts, pages.ts and reflector.ts.
// CRDs and the API server's own validation vouch for the rest of the shape; here we check what our caches rely on.

import type { KubeObject } from '../api/meta.ts';
import { apiVersion, type Resource } from '../api/resources.ts';

/** Fills in apiVersion and kind, which items of a list lack; drops managedFields; freezes. Undefined when it is no object with a name. */
export function received<T extends KubeObject>(raw: unknown, of: Resource<T>): T | undefined {
  if (!isRecord(raw) || !isRecord(raw.metadata)) return undefined;
  const { managedFields: _, ...metadata } = raw.metadata;
  if (typeof metadata.name !== 'string') return undefined;
  const object = { ...raw, apiVersion: apiVersion(of), kind: of.kind, metadata: Object.freeze(metadata) };
  return Object.freeze(object) as unknown as T;
}

/** As `received`, with managedFields: for an object that is looked at and let go. */
export function receivedWhole<T extends KubeObject>(raw: unknown, of: Resource<T>): T | undefined {
  const object = received(raw, of);
  const managedFields = isRecord(raw) && isRecord(raw.metadata) ? raw.metadata.managedFields : undefined;
  if (object === undefined || !Array.isArray(managedFields)) return object;
  return { ...object, metadata: { ...object.metadata, managedFields } };
}

/** The resourceVersion in the metadata of an object, a list or a bookmark. */
export function versionOf(raw: unknown): string | undefined {
  const metadata = isRecord(raw) ? raw.metadata : undefined;
  const version = isRecord(metadata) ? metadata.resourceVersion : undefined;
  return typeof version === 'string' && version !== '' ? version : undefined;
}

/** resourceVersions are decimal numbers that may pass 2^53 (KEP-5504): the longer one is newer, and equal lengths compare as text. */
export function compareVersions(a: string, b: string): number {
  return a.length === b.length ? (a < b ? -1 : a > b ? 1 : 0) : a.length - b.length;
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
