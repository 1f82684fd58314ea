// From the paths that users write in an Issuer to paths of Vault's HTTP API. Called by login.ts, token.ts and sign.ts.

/** "/pki/sign/my-role" or "/v1/pki/sign/my-role" → "pki/sign/my-role", as Vault's policies spell it. */
export function policyPath(written: string): string {
  return written.trim().replace(/^\/+/, '').replace(/^v1\//, '').replace(/\/+$/, '');
}

/** "approle", "auth/approle" or "/v1/auth/approle" → "auth/approle/login"; a Vault namespace before `auth/` is kept. */
export function loginPath(mount: string): string {
  const path = policyPath(mount);
  return `${/(^|\/)auth\//.test(path) ? path : `auth/${path}`}/login`;
}

/** Encoded, below the server's own path; undefined where a segment would lead elsewhere. */
export function apiUrl(server: URL, path: string): string | undefined {
  const segments = path.split('/');
  if (segments.some((segment) => segment === '' || segment === '.' || segment === '..')) return undefined;
  const base = `${server.origin}${server.pathname.replace(/\/+$/, '')}`;
  return `${base}/v1/${segments.map(encodeURIComponent).join('/')}`;
}

/** An http or https URL without credentials, query and fragment. */
export function readServer(written: string): URL | undefined {
  const url = URL.parse(written.trim());
  if (url === null || !/^https?:$/.test(url.protocol)) return undefined;
  return url.username === '' && url.password === '' && url.search === '' && url.hash === '' ? url : undefined;
}
