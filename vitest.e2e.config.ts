import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

// The last one takes rights away, after it has asked whether any were missing in all the others.
const told = ['walk-through', 'certificates', 'rollout', 'rights'];

class AsTold extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => told.findIndex((name) => moduleId.endsWith(`/${name}.test.ts`));
    return files.toSorted((a, b) => place(a) - place(b));
  }
}

// For `npm run e2e` alone. One data plane for all stories, one story after the other: they share two cores, and some roll Envoy Gateway.
export default defineConfig({
  test: {
    include: ['e2e/stories/**/*.test.ts'],
    globalSetup: ['e2e/set-up.ts'],
    fileParallelism: false,
    sequence: { sequencer: AsTold },
    testTimeout: 120_000,
    hookTimeout: 300_000,
  },
});
