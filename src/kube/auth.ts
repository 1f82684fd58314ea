// What a session proves itself with: TLS material for its sockets, headers for its requests. Made by credentials.ts and plugin.ts.

export interface Tls {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
  readonly servername?: string;
  readonly rejectUnauthorized: boolean;
}

export type AuthHeaders = Readonly<Record<string, string | string[]>>;

export interface Credentials {
  readonly server: URL;
  readonly namespace: string | undefined;
  readonly proxyUrl: string | undefined;
  readonly tls: Tls;
  headers(): Promise<AuthHeaders>;
}
