import { defineConfig } from 'vitest/config';

// pure: values only. kube: the Kubernetes layer. world: the whole controller. Both of the latter share one control plane per run.
export default defineConfig({
  test: {
    projects: [
      { test: { name: 'structure', include: ['test/structure/**/*.test.ts'] } },
      { test: { name: 'pure', include: ['test/{api,pki,resolve,order,plan,queue,solve,config,report,cli}/**/*.test.ts'] } },
      // A Pebble of their own each, no API server.
      { test: { name: 'acme', include: ['test/acme/**/*.test.ts'], testTimeout: 60_000, hookTimeout: 120_000 } },
      {
        test: {
          name: 'kube',
          include: ['test/{kube,serve}/**/*.test.ts'],
          globalSetup: ['test/rig/vitest-world.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'world',
          include: ['test/world/**/*.test.ts'],
          globalSetup: ['test/rig/vitest-world.ts'],
          testTimeout: 120_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
