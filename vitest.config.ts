import { defineConfig } from 'vitest/config';

const slow = { testTimeout: 120_000, hookTimeout: 300_000 };
const shared = { globalSetup: ['test/rig/vitest-world.ts'], ...slow };
const pure = 'api,pki,keystore,resolve,budget,order,plan,tenancy,infra,queue,solve,config,report,cli,rig';

export default defineConfig({
  test: {
    projects: [
      { test: { name: 'structure', include: ['test/structure/**/*.test.ts'] } },
      // Values only.
      { test: { name: 'pure', include: [`test/{${pure}}/**/*.test.ts`] } },
      // A Pebble of their own each, no API server.
      { test: { name: 'acme', include: ['test/acme/**/*.test.ts'], ...slow } },
      // BIND, scripted nameservers and providers' APIs on loopback, no API server.
      { test: { name: 'dns', include: ['test/dns/**/*.test.ts'], ...slow } },
      // Vaults of their own, and for what they ask of Kubernetes the same world as below.
      {
        test: {
          name: 'vault',
          include: ['test/vault/**/*.test.ts'],
          ...shared,
          globalSetup: ['test/rig/vitest-vault.ts', 'test/rig/vitest-world.ts'],
        },
      },
      // The Kubernetes layer and the whole controller: one control plane and one controller for both, a namespace for each test.
      { test: { name: 'kube', include: ['test/{kube,serve}/**/*.test.ts'], ...shared } },
      { test: { name: 'world', include: ['test/world/**/*.test.ts'], ...shared } },
      // Tests that kill what others need start a world of their own, after all the others.
      {
        test: {
          name: 'worlds',
          include: ['test/worlds/**/*.test.ts'],
          // Two at a time: they wait more than they compute.
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
          ...slow,
        },
      },
    ],
  },
});
