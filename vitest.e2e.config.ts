import { defineConfig } from 'vitest/config';

// For `npm run e2e` alone. One data plane for all stories, one story after the other: they share two cores, and some roll Envoy Gateway.
export default defineConfig({
  test: {
    include: ['e2e/stories/**/*.test.ts'],
    globalSetup: ['e2e/set-up.ts'],
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 300_000,
  },
});
