// What the infrastructure half has said of a namespace that keeps the certificate half from working there, as a value. Made by infra/contract.ts
// from the GatewayInfra; read by certificate.ts, request.ts and resolve/.

/**
 * `pending`: it has not been given its rights yet. `draining`: no Gateway is left there, and what Certway may do there is about to be taken away.
 * `reserved`: its listeners get nothing; what stands there by hand is left alone.
 */
export interface InfraHold {
  readonly kind: 'pending' | 'draining' | 'reserved';
  /** One or two sentences: for conditions, events, `certway status` and `certway check` alike. */
  readonly message: string;
}

/** Secrets of the namespace are not to be touched now. */
export function keepsSecrets(hold: InfraHold | undefined): hold is InfraHold {
  return hold !== undefined && hold.kind !== 'reserved';
}
