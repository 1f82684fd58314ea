// Reads a request to the API server as its authorizer would: verb, resource, subresource, name. Pure; api-fault.ts calls it.

import type { RawRequest } from './fault-proxy.ts';

export interface KubeRequest {
  readonly verb: string;
  /** Plural, as in the path; empty for paths such as /version. */
  readonly resource: string;
  readonly subresource?: string;
  readonly group: string;
  readonly namespace?: string;
  /** From the path, or for a create from the object itself. */
  readonly name?: string;
  /** "create certificaterequests", "update orders/status", "apply secrets", "watch gateways"; "get /version" for other paths. */
  readonly edge: string;
}

interface Target {
  readonly group: string;
  readonly resource: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly subresource?: string;
}

/** Server-side apply is its own verb here («apply»), although RBAC and the audit log call it «patch». */
export function readKubeRequest(raw: RawRequest): KubeRequest {
  const url = new URL(raw.path, 'https://api');
  const target = readTarget(url.pathname);
  if (target === undefined) {
    const verb = raw.method.toLowerCase();
    return { verb, resource: '', group: '', edge: `${verb} ${url.pathname}` };
  }
  const verb = verbOf(raw, url, target);
  const name = target.name ?? (verb === 'create' ? nameInBody(raw.body) : undefined);
  const what = target.subresource === undefined ? target.resource : `${target.resource}/${target.subresource}`;
  return { ...target, verb, edge: `${verb} ${what}`, ...(name === undefined ? {} : { name }) };
}

function readTarget(pathname: string): Target | undefined {
  const parts = pathname.split('/').filter((part) => part !== '');
  const rest = parts[0] === 'api' ? parts.slice(2) : parts[0] === 'apis' ? parts.slice(3) : [];
  const group = parts[0] === 'apis' ? (parts[1] ?? '') : '';
  // A third part after «namespaces/x» names a resource in it, unless it is one of the Namespace's own subresources.
  const inside = rest[0] === 'namespaces' && rest.length > 2 && rest[2] !== 'status' && rest[2] !== 'finalize';
  const [resource, name, subresource] = inside ? rest.slice(2) : rest;
  if (resource === undefined) {
    return undefined;
  }
  return {
    group,
    resource,
    ...(inside && rest[1] !== undefined ? { namespace: rest[1] } : {}),
    ...(name === undefined ? {} : { name }),
    ...(subresource === undefined ? {} : { subresource }),
  };
}

function verbOf(raw: RawRequest, url: URL, target: Target): string {
  switch (raw.method) {
    case 'POST':
      return 'create';
    case 'PUT':
      return 'update';
    case 'PATCH':
      return (raw.headers['content-type'] ?? '').includes('apply-patch') ? 'apply' : 'patch';
    case 'DELETE':
      return target.name === undefined ? 'deletecollection' : 'delete';
    default:
      return readVerb(url, target);
  }
}

function readVerb(url: URL, target: Target): string {
  const watch = url.searchParams.get('watch');
  if (watch === '1' || watch === 'true') {
    return 'watch';
  }
  return target.name === undefined ? 'list' : 'get';
}

function nameInBody(body: Buffer): string | undefined {
  try {
    const object = JSON.parse(body.toString()) as { metadata?: { name?: unknown } };
    const name = object.metadata?.name;
    return typeof name === 'string' ? name : undefined;
  } catch {
    return undefined;
  }
}
