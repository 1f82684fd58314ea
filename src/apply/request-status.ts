// The writes of a CertificateRequest's status: approved, issued, failed, or what it waits for. Called by both reconcilers that serve requests.

import type { CertificateRequest } from '../api/certmanager.ts';
import { certificateRequests } from '../api/resources.ts';
import { timestamp, withCondition } from '../plan/conditions.ts';
import { type Done, type Task, write } from './perform.ts';
import { encode } from './secret-content.ts';

/** Approval, certificate and Ready in one write. */
export function writeIssued(
  task: Task,
  request: CertificateRequest,
  issued: { readonly chainPem: string; readonly caPem?: string },
): Promise<Done> {
  const now = task.ports.now();
  const message = 'Certificate fetched from issuer successfully';
  const conditions = withCondition(
    approved(request, now),
    { type: 'Ready', status: 'True', reason: 'Issued', message },
    now,
  );
  const certificate = encode(issued.chainPem);
  const ca = issued.caPem === undefined ? {} : { ca: encode(issued.caPem) };
  return writeRequestStatus(task, request, { ...request.status, conditions, certificate, ...ca });
}

/** Final: nothing more is done for this request. */
export function writeFailed(
  task: Task,
  request: CertificateRequest,
  { reason, message }: { readonly reason: 'Failed' | 'Denied'; readonly message: string },
): Promise<Done> {
  const now = task.ports.now();
  const said = reason === 'Denied' ? request.status?.conditions : approved(request, now);
  const conditions = withCondition(said, { type: 'Ready', status: 'False', reason, message }, now);
  return writeRequestStatus(task, request, { ...request.status, conditions, failureTime: timestamp(now) });
}

/** Ready=False with cert-manager's reason Pending, and what is missing. */
export function writePending(task: Task, request: CertificateRequest, message: string): Promise<Done> {
  const pending = { type: 'Ready', status: 'False', reason: 'Pending', message } as const;
  const conditions = withCondition(request.status?.conditions, pending, task.ports.now());
  return writeRequestStatus(task, request, { ...request.status, conditions });
}

/** Our own approval, for an issuer that waits to see it. */
export function writeApproved(task: Task, request: CertificateRequest): Promise<Done> {
  return writeRequestStatus(task, request, { ...request.status, conditions: approved(request, task.ports.now()) });
}

export function writeDenied(task: Task, request: CertificateRequest, message: string): Promise<Done> {
  const denial = { type: 'Denied', status: 'True', reason: 'NamesNotAllowed', message } as const;
  const conditions = withCondition(request.status?.conditions, denial, task.ports.now());
  return writeRequestStatus(task, request, { ...request.status, conditions });
}

function writeRequestStatus(
  task: Task,
  request: CertificateRequest,
  status: NonNullable<CertificateRequest['status']>,
): Promise<Done> {
  const { ports } = task;
  const reply = ports.kube.replaceStatus(certificateRequests, { ...request, status });
  return write(task, 'write CertificateRequest status', reply, (value) => ports.stores.requests.note(value));
}

function approved(request: CertificateRequest, now: number) {
  const { conditions } = request.status ?? {};
  const approval = { type: 'Approved', status: 'True', reason: 'cert-manager.io' } as const;
  if (conditions?.some(({ type, status }) => type === 'Approved' && status === 'True') === true) return conditions;
  const message = 'Certificate request has been approved by Certway';
  return withCondition(conditions, { ...approval, message }, now);
}
