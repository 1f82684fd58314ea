// Every request of the controller to the API server, reads too, from its audit log: what «it goes round in no loop» is judged by.

import { open, stat } from 'node:fs/promises';
import { controllerUser } from '../rig/audit.ts';

/** `verb` is the API server's: get, list, watch, create, update, patch, delete. */
export interface Asked {
  readonly verb: string;
  /** With its subresource. */
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  readonly code: number;
}

export interface Trail {
  /** All that the controller has asked since the trail was opened, in order of completion. */
  requests(): Promise<readonly Asked[]>;
}

interface AuditEvent {
  readonly verb: string;
  readonly user: { readonly username: string };
  readonly objectRef?: { readonly [Field in 'resource' | 'subresource' | 'namespace' | 'name']?: string };
  readonly responseStatus?: { readonly code?: number };
}

/** Begins at the log's present end. */
export async function openTrail(auditLog: string): Promise<Trail> {
  const { size: begin } = await stat(auditLog);
  return {
    requests: async () => {
      await using file = await open(auditLog);
      const { size } = await file.stat();
      const bytes = Buffer.alloc(size - begin);
      await file.read(bytes, 0, bytes.length, begin);
      const whole = bytes.subarray(0, bytes.lastIndexOf('\n') + 1).toString();
      return whole
        .split('\n')
        .filter((line) => line.includes(controllerUser))
        .map((line): AuditEvent => JSON.parse(line))
        .filter((event) => event.user.username === controllerUser)
        .map(({ verb, objectRef = {}, responseStatus }) => {
          const { resource = '', subresource, namespace = '', name = '' } = objectRef;
          const full = subresource === undefined ? resource : `${resource}/${subresource}`;
          return { verb, resource: full, namespace, name, code: responseStatus?.code ?? 0 };
        });
    },
  };
}

/** Readable, and equal for equal requests. */
export function sentences(requests: readonly Asked[]): readonly string[] {
  return requests.map(({ verb, resource, name, code }) => `${verb} ${resource} ${name} ${code}`);
}

/**
 * What is asked about objects of a namespace whose names begin with `stem`, from one disturbance to the next: nothing, where the controller
 * has come to rest with them. `disturb` makes work elsewhere and waits until it is done; the first one outlasts what was under way.
 */
export async function askedMeanwhile(
  trail: Trail,
  { namespace, stem }: { readonly namespace: string; readonly stem: string },
  disturb: () => Promise<void>,
): Promise<readonly string[]> {
  const about = async () =>
    sentences((await trail.requests()).filter((each) => each.namespace === namespace && each.name.startsWith(stem)));
  await disturb();
  const before = await about();
  await disturb();
  return (await about()).slice(before.length);
}
