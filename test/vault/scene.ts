// The Vault signer with the controller's own identity and rights on the real API server, a Vault of the test's own, and a clock that tests move
// past its pauses.

import type { Issuer } from '../../src/api/certmanager.ts';
import type { KubeObject } from '../../src/api/meta.ts';
import type { VaultIssuer } from '../../src/api/vault-issuer.ts';
import { secretWatches } from '../../src/apply/secret-watches.ts';
import { type VaultFound, type VaultPorts, type VaultSigner, vaultSigner } from '../../src/apply/vault.ts';
import { readConfig } from '../../src/config.ts';
import { kubeClient } from '../../src/kube/client.ts';
import { openSession } from '../../src/kube/session.ts';
import { tokenRequests } from '../../src/kube/token-request.ts';
import { createCsr, derToPem } from '../../src/pki/csr.ts';
import { generateKey } from '../../src/pki/keys.ts';
import { type Authority, createAuthority } from '../rig/certificates.ts';
import type { SharedWorld } from '../rig/shared-world.ts';
import { startVault, type Vault, type VaultOptions } from '../rig/vault.ts';
import { until } from '../rig/wait.ts';
import type { Team } from '../world/team.ts';

export interface VaultScene extends AsyncDisposable {
  readonly vault: Vault;
  readonly authority: Authority;
  /** What was asked of Vault, in order. */
  readonly asked: string[];
  /** Keys of issuers that are to be looked at again. */
  readonly woken: string[];
  /** Of a generation of its own, as after an edit. */
  issuer(name: string, auth: VaultIssuer['auth'], change?: Partial<VaultIssuer>): Issuer;
  /** The next verdict that is not about watches still starting. */
  verdict(issuer: Issuer): Promise<Exclude<VaultFound, { kind: 'waiting' }>>;
  /** Waits for a verdict with these words, moving the clock past each pause. */
  says(issuer: Issuer, words: RegExp): Promise<void>;
  ready(issuer: Issuer): Promise<void>;
  sign(issuer: Issuer, hostname?: string): ReturnType<VaultSigner['sign']>;
  /** Moves the clock. */
  later(ms: number): void;
}

export async function vaultScene(
  world: SharedWorld,
  kubeconfig: string,
  team: Pick<Team, 'namespace'>,
  options: VaultOptions = {},
): Promise<VaultScene> {
  const authority = await createAuthority(world.dir);
  const vault = await startVault({ dir: world.dir, tether: world.tether, authority }, options);
  const session = await openSession({ kubeconfig, environment: {} });
  const ending = new AbortController();
  const [asked, woken]: [string[], string[]] = [[], []];
  const clock = { ahead: 0, now: () => Date.now() + clock.ahead };
  const ports: VaultPorts = {
    kube: kubeClient(session),
    secrets: secretWatches({ session, signal: ending.signal, now: clock.now, onBug: fault, onChange: () => undefined }),
    settings: defaultSettings(),
    now: clock.now,
    wakeIssuer: (key) => woken.push(key),
  };
  const signer = vaultSigner({
    mayPost: () => true,
    onRequest: ({ action }) => asked.push(action),
    requestToken: tokenRequests(session),
  });
  return {
    vault,
    authority,
    asked,
    woken,
    ...asking(signer, ports, clock),
    issuer: issuerMaker(vault, team.namespace),
    later: (ms) => {
      clock.ahead += ms;
    },
    [Symbol.asyncDispose]: async () => {
      ending.abort();
      await Promise.all([signer, vault].map((each) => each[Symbol.asyncDispose]()));
      await session[Symbol.asyncDispose]();
    },
  };
}

function asking(
  signer: VaultSigner,
  ports: VaultPorts,
  clock: { ahead: number; now: () => number },
): Pick<VaultScene, 'verdict' | 'says' | 'ready' | 'sign'> {
  const verdict = (issuer: Issuer) =>
    until('the watches to start', async () => {
      const found = await signer.verify(ports, issuer);
      return found.kind === 'waiting' ? undefined : found;
    });
  const says = async (issuer: Issuer, words: RegExp) => {
    await until(`a verdict that says ${words}`, async () => {
      const found = await verdict(issuer);
      if (found.kind === 'failed') clock.ahead += Math.max(0, found.retryAt - clock.now());
      const said = 'message' in found ? found.message : found.kind;
      if (!words.test(said)) throw new Error(said);
      return true;
    });
  };
  return {
    verdict,
    says,
    ready: (issuer) => says(issuer, /^ready$/),
    sign: async (issuer, hostname = 'a.example.com') => {
      const key = await generateKey({ algorithm: 'ECDSA', size: 256 });
      const names = { dnsNames: [hostname], ipAddresses: [], uris: [], emailAddresses: [] };
      const pem = derToPem('CERTIFICATE REQUEST', await createCsr({ key, names }));
      return signer.sign(ports, issuer, pem, 3_600_000);
    },
  };
}

function issuerMaker(vault: Vault, namespace: string): VaultScene['issuer'] {
  let generation = 0;
  return (name, auth, change = {}) => {
    generation += 1;
    const caBundle = Buffer.from(vault.caPem).toString('base64');
    return {
      apiVersion: 'cert-manager.io/v1',
      kind: 'Issuer',
      metadata: { name, namespace, uid: name, generation },
      spec: { vault: { server: vault.url, path: 'pki/sign/web', caBundle, auth, ...change } },
    };
  };
}

function defaultSettings(): VaultPorts['settings'] {
  const config = readConfig(['controller'], {});
  if (!config.ok || config.value.command !== 'controller') throw new Error('the defaults are no configuration');
  return config.value.settings;
}

export function secretOf(namespace: string, name: string, stringData: Readonly<Record<string, string>>): KubeObject {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, ...{ stringData } };
}

function fault(error: unknown): void {
  throw error;
}
