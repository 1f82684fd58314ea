// An account at one CA, as everything but registration needs it, and the shape of what the CA answers. Made by apply/accounts.ts.

import type { KeyObject } from 'node:crypto';
import type { Reply } from '../api/reply.ts';
import type { AcmeProblem } from './problem.ts';
import type { AcmeEndpoint } from './transport.ts';

export interface AcmeSession {
  readonly endpoint: AcmeEndpoint;
  readonly accountUrl: string;
  readonly key: KeyObject;
}

export interface Answer<T> {
  readonly resource: T;
  readonly url: string;
  /** Epoch ms before which the CA asks not to be asked again. */
  readonly retryAt?: number;
}

export type AcmeReply<T> = Reply<Answer<T>, AcmeProblem>;
