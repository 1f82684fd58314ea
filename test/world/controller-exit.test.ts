// A controller that cannot start says why, and the rig hands that on.

import { expect, it } from 'vitest';
import { startController } from '../rig/controller.ts';
import { sharedWorld } from '../rig/shared-world.ts';

it('a controller that exits before it is ready is reported with the end of its log', async () => {
  await using world = await sharedWorld();
  await expect(startController(world, { flags: ['--no-such-flag'] })).rejects.toThrow(
    /ended with code 2[\s\S]*no-such-flag/,
  );
});
