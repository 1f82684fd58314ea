// The life of a namespace's own account: made on first use, kept in step, and gone after a quiet time, the Issuer before its key.

import { describe, expect, it } from 'vitest';
import type { Issuer } from '../../src/api/certmanager.ts';
import { stampedIssuer } from '../../src/plan/stamp.ts';
import { type KeySecretSeen, planStamp, type StampAction, type StampSeen } from '../../src/plan/stamp-step.ts';
import { template } from './stamp-scene.ts';

const now = 1_000_000;
const quiet = 60_000;
const live: Issuer = stampedIssuer(template(), 'team-a');
const edited: Issuer = { ...live, spec: { selfSigned: {} } };
const bare: Issuer = { ...live, metadata: { name: live.metadata.name, namespace: 'team-a' } };
const leaving: Issuer = { ...live, metadata: { ...live.metadata, deletionTimestamp: '2026-11-21T12:00:00Z' } };
const used = { kind: 'used' } as const;
const idle = { kind: 'unused', since: now - quiet } as const;
const resting = { kind: 'unused', since: now - quiet + 1 } as const;
const ours = { kind: 'ours', uid: 's1' } as const;

function seen(change: Partial<StampSeen> = {}): StampSeen {
  return {
    namespace: 'team-a',
    place: 'open',
    template: template(),
    use: used,
    keySecret: { kind: 'unread' },
    ...change,
  };
}

/** The same without a template that gives the account. */
function off(change: Partial<StampSeen> = {}): StampSeen {
  const { template: _, ...rest } = seen(change);
  return rest;
}

describe('the next action', () => {
  it.each<[string, StampSeen, Partial<StampAction>]>([
    ['makes it on first use', seen(), { kind: 'create', object: live }],
    ['leaves one that follows', seen({ issuer: live }), { kind: 'rest' }],
    ['puts an edited one back', seen({ issuer: edited }), { kind: 'putBack', object: live }],
    ['puts a forged one in step before anybody uses it', seen({ issuer: edited, use: resting }), { kind: 'putBack' }],
    ['waits for one that is on its way out', seen({ issuer: leaving }), { kind: 'rest' }],
    ['makes nothing without use', seen({ use: idle }), { kind: 'readSecret' }],
    ['makes nothing in a namespace that goes', seen({ place: 'closed' }), { kind: 'rest' }],
    ['writes nothing in a namespace that goes', seen({ place: 'closed', issuer: edited }), { kind: 'rest' }],
    [
      'makes nothing of a template that goes',
      seen({ template: { ...template(), metadata: { ...template().metadata, deletionTimestamp: 'x' } } }),
      { kind: 'rest' },
    ],
    ['leaves it where it is used though its template gives none any more', off({ issuer: live }), { kind: 'rest' }],
    ['makes none where the template gives none', off(), { kind: 'rest' }],
    ['waits for the quiet time', seen({ issuer: live, use: resting }), { kind: 'rest', revisitAt: now + 1 }],
    ['deletes it after', seen({ issuer: live, use: idle }), { kind: 'deleteIssuer', object: live }],
    ['deletes it also when its template gives none', off({ issuer: live, use: idle }), { kind: 'deleteIssuer' }],
    ['leaves somebody’s own Issuer of that name', off({ issuer: bare, use: idle }), { kind: 'rest' }],
    ['looks for the key once the Issuer is gone', off({ use: idle }), { kind: 'readSecret' }],
    ['keeps the key for the quiet time', off({ use: resting, keySecret: ours }), { kind: 'rest', revisitAt: now + 1 }],
    ['deletes the key after', off({ use: idle, keySecret: ours }), { kind: 'deleteSecret', uid: 's1' }],
    [
      'never deletes the key before the Issuer',
      off({ issuer: live, use: idle, keySecret: ours }),
      { kind: 'deleteIssuer' },
    ],
    ['leaves a Secret that somebody else made', off({ use: idle, keySecret: { kind: 'foreign' } }), { kind: 'rest' }],
    ['has nothing left to do', off({ use: idle, keySecret: { kind: 'absent' } }), { kind: 'rest' }],
  ])('%s', (_, state, action) => {
    expect(planStamp(state, quiet, now)).toMatchObject(action);
  });
});

describe('from every state', () => {
  const states = [template(), undefined].flatMap((from) =>
    [live, edited, bare, undefined].flatMap((issuer) =>
      ([used, idle] as const).flatMap((use) =>
        (['open', 'closed'] as const).flatMap((place) =>
          [true, false].map((key) => ({ from, issuer, use, place, key })),
        ),
      ),
    ),
  );

  it.each(states)(
    'it comes to rest, and deletes nothing that is used: %j',
    ({ from, issuer: first, use, place, key }) => {
      let issuer: Issuer | undefined = first;
      let secret: KeySecretSeen = { kind: 'unread' };
      let isThere = key;
      const done: string[] = [];
      for (let action = next(); action.kind !== 'rest'; action = next()) {
        done.push(action.kind);
        expect(done.length).toBeLessThan(6);
        if (action.kind === 'create' || action.kind === 'putBack') issuer = action.object;
        if (action.kind === 'deleteIssuer') issuer = undefined;
        if (action.kind === 'readSecret') secret = isThere ? ours : { kind: 'absent' };
        if (action.kind === 'deleteSecret') {
          isThere = false;
          secret = { kind: 'absent' };
        }
      }
      if (use.kind === 'used') {
        expect(isThere).toBe(key);
        expect(done.filter((each) => each.startsWith('delete'))).toEqual([]);
      } else if (from !== undefined || first !== bare) {
        // Whatever stood there is gone, except what nothing marks as ours.
        expect({ issuer, isThere }).toEqual({ issuer: undefined, isThere: false });
      } else {
        expect({ issuer, isThere }).toEqual({ issuer: bare, isThere: key });
      }
      function next(): StampAction {
        return planStamp(
          {
            namespace: 'team-a',
            place,
            ...(from !== undefined && { template: from }),
            ...(issuer !== undefined && { issuer }),
            use,
            keySecret: secret,
          },
          quiet,
          now,
        );
      }
    },
  );
});
