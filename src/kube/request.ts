// One request to the API server as its callers put it; session.ts sends it.

export interface KubeRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Encoded, from `/api` or `/apis` on. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly accept?: string;
  /** Of the whole request; of a stream until its headers. Default 30 s. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  readonly onWarning?: (warning: string) => void;
}
