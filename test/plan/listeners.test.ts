// What is done about the Certificates of one Gateway's listeners: created, written, handed over, suspended, held or deleted.
// The numbers are cert-manager's cases in reference/cert-manager.md §6.

import { describe, expect, test } from 'vitest';
import type { Certificate } from '../../src/api/certmanager.ts';
import type { Gateway, Listener, ListenerSet } from '../../src/api/gateway.ts';
import { type ListenerAction, planListeners } from '../../src/plan/listeners.ts';
import { resolveGateway } from '../../src/resolve/gateway.ts';
import type { ResolveOptions } from '../../src/resolve/world.ts';
import {
  type Annotations,
  certificate,
  clusterIssuer,
  condition,
  gateway,
  https,
  issuer,
  listenerSet,
  openGateway,
  ownerOf,
  without,
  world,
} from '../resolve/world.ts';

const prefix = 'cert-manager.io/';
const suspended = 'certway.dev/suspended';

interface Scene {
  readonly gateway?: Gateway | 'none';
  readonly sets?: readonly ListenerSet[];
  /** Owners that live besides the objects of the scene. */
  readonly alive?: readonly string[];
  readonly options?: Partial<ResolveOptions>;
}

function plan(scene: Scene, live: readonly Certificate[] = []): readonly ListenerAction[] {
  const { sets = [], alive = [], options = {} } = scene;
  const object = scene.gateway === 'none' ? undefined : (scene.gateway ?? openGateway());
  const resolution = resolveGateway(world(object, sets, { with: options }));
  const uids = [...(object === undefined ? [] : [object]), ...sets].map(({ metadata }) => metadata.uid ?? '');
  return planListeners(resolution, { certificates: live, liveUids: new Set([...uids, ...alive]) });
}

/** "createCertificate foo-tls" and the like; what is only said as "say BadConfig". */
function brief(actions: readonly ListenerAction[]): readonly string[] {
  return actions.map((action) =>
    action.kind === 'say' ? `say ${action.event.reason}` : `${action.kind} ${action.object.metadata.name}`,
  );
}

/** The Certificates that stand once the scene's wishes are fulfilled, with a status that an issuer wrote. */
function standing(scene: Scene): readonly Certificate[] {
  return plan(scene).flatMap((action) => {
    if (action.kind !== 'createCertificate') return [];
    const { object } = action;
    const metadata = { ...object.metadata, uid: `uid-${object.metadata.name}`, resourceVersion: '7' };
    return [{ ...object, metadata, status: { revision: 4 } }];
  });
}

function written(actions: readonly ListenerAction[]): Certificate {
  const [action, ...rest] = actions;
  if (action?.kind === 'replaceCertificate' && rest.length === 0) return action.object;
  throw new Error(`expected one write, got ${JSON.stringify(brief(actions))}`);
}

function set(annotations: Annotations = issuer('a'), parts: Parameters<typeof listenerSet>[0] = {}): ListenerSet {
  return listenerSet({ annotations, ...parts });
}

describe('what is wanted', () => {
  test('1. is created, with one event on the object', () => {
    const [action, ...rest] = plan({ sets: [set()] });
    expect(rest).toEqual([]);
    expect(action).toMatchObject({
      kind: 'createCertificate',
      object: {
        apiVersion: 'cert-manager.io/v1',
        kind: 'Certificate',
        metadata: {
          name: 'foo-tls',
          namespace: 'team',
          ownerReferences: [
            {
              apiVersion: 'gateway.networking.k8s.io/v1',
              kind: 'ListenerSet',
              name: 'set',
              uid: 'uid-team-set',
              controller: true,
              blockOwnerDeletion: true,
            },
          ],
        },
      },
      say: {
        about: { kind: 'ListenerSet', namespace: 'team', name: 'set', uid: 'uid-team-set' },
        type: 'Normal',
        reason: 'CreateCertificate',
        message: 'Certificate "foo-tls" created for foo.com; Issuer "a" signs it.',
      },
    });
  });

  test('5. twice, for two Secrets', () => {
    const listeners = [https(), https({ name: 'b', hostname: 'b.com', secret: 'b-tls' })];
    expect(brief(plan({ sets: [set(issuer('a'), { listeners })] }))).toEqual([
      'createCertificate foo-tls',
      'createCertificate b-tls',
    ]);
  });

  test('16. and stands already: nothing is written or said', () => {
    const scene = { sets: [set()] };
    expect(plan(scene, standing(scene))).toEqual([]);
  });

  test('and is on its way out: waits for its end', () => {
    const scene = { sets: [set()] };
    const [live] = standing(scene);
    const dying = live && [{ ...live, metadata: { ...live.metadata, deletionTimestamp: '2026-01-02T00:00:00Z' } }];
    expect(plan(scene, dying)).toEqual([]);
  });
});

describe('every edit reaches the Certificate, and is undone with it', () => {
  const base = issuer('a');
  const alternatives: Readonly<
    Record<string, readonly [edited: ListenerSet, changed: string, options?: Partial<ResolveOptions>]>
  > = {
    'another issuer': [set(issuer('b')), 'issuerRef'],
    'another kind': [set({ ...base, [`${prefix}issuer-kind`]: 'ClusterIssuer' }), 'issuerRef'],
    'another group': [
      set({ ...base, [`${prefix}issuer-group`]: 'step.sm', [`${prefix}issuer-kind`]: 'StepIssuer' }),
      'issuerRef',
    ],
    'an entry for the listener': [set({ ...base, 'certway.dev/issuers': 'web=ClusterIssuer/x' }), 'issuerRef'],
    '17. another hostname': [set(base, { listeners: [https({ hostname: 'other.com' })] }), 'dnsNames'],
    'one more listener': [set(base, { listeners: [https(), https({ name: 'b', hostname: 'b.com' })] }), 'dnsNames'],
    '22. a common name': [set({ ...base, [`${prefix}common-name`]: 'foo.com' }), 'commonName'],
    'alt-names': [set({ ...base, [`${prefix}alt-names`]: 'alt.com' }), 'dnsNames'],
    'ip-sans': [set({ ...base, [`${prefix}ip-sans`]: '192.0.2.1' }), 'ipAddresses'],
    'email-sans': [set({ ...base, [`${prefix}email-sans`]: 'a@foo.com' }), 'emailAddresses'],
    'uri-sans': [set({ ...base, [`${prefix}uri-sans`]: 'spiffe://a/b' }), 'uris'],
    'a subject': [set({ ...base, [`${prefix}subject-organizations`]: 'Foo' }), 'subject'],
    '33. duration': [set({ ...base, [`${prefix}duration`]: '720h' }), 'duration'],
    '33. renew-before': [set({ ...base, [`${prefix}renew-before`]: '24h' }), 'renewBefore'],
    'renew-before-percentage': [set({ ...base, [`${prefix}renew-before-percentage`]: '50' }), 'renewBeforePercentage'],
    '33. revision-history-limit': [set({ ...base, [`${prefix}revision-history-limit`]: '3' }), 'revisionHistoryLimit'],
    usages: [set({ ...base, [`${prefix}usages`]: 'server auth' }), 'usages'],
    '33. key algorithm': [set({ ...base, [`${prefix}private-key-algorithm`]: 'ECDSA' }), 'privateKey'],
    '33. key size': [set({ ...base, [`${prefix}private-key-size`]: '4096' }), 'privateKey'],
    '33. key encoding': [set({ ...base, [`${prefix}private-key-encoding`]: 'PKCS8' }), 'privateKey'],
    '33. key rotation': [set({ ...base, [`${prefix}private-key-rotation-policy`]: 'Never' }), 'privateKey'],
    'secret-template': [set({ ...base, [`${prefix}secret-template`]: '{"labels":{"a":"b"}}' }), 'secretTemplate'],
    '18. labels': [set(base, { metadata: { labels: { app: 'shop' } } }), 'labels'],
    '31. the fallback for challenges': [
      set({ ...base, 'acme.cert-manager.io/http01-parentreffallback': 'true' }),
      'annotations',
    ],
    '27. edit-in-place': [set({ ...base, 'acme.cert-manager.io/http01-edit-in-place': 'true' }), 'annotations'],
    '28. ingress-class': [set({ ...base, 'acme.cert-manager.io/http01-ingress-class': 'nginx' }), 'annotations'],
    'a temporary certificate': [set({ ...base, 'certway.dev/temporary-certificate': 'true' }), 'annotations'],
    '25. an extra annotation': [
      set({ ...base, 'x.io/note': 'x' }),
      'annotations',
      { extraCertificateAnnotations: ['x.io/note'] },
    ],
  };
  test.each(Object.entries(alternatives))('%s', (_, [edited, changed, options = {}]) => {
    const [before, after] = [
      { sets: [set()], options },
      { sets: [edited], options },
    ];
    const [live] = standing(before);
    const forth = plan(after, live && [live]);
    expect(forth.map((action) => action.kind !== 'say' && action.say)).toEqual([
      {
        about: expect.objectContaining({ kind: 'ListenerSet' }),
        type: 'Normal',
        reason: 'UpdateCertificate',
        message: `Certificate "foo-tls" updated: ${changed}.`,
      },
    ]);
    const there = written(forth);
    expect(there.metadata).toMatchObject({ uid: 'uid-foo-tls', resourceVersion: '7' });
    expect(there.status).toEqual({ revision: 4 });
    expect(plan(after, [there])).toEqual([]);
    expect(written(plan(before, [there]))).toEqual({ ...live, metadata: { labels: {}, ...live?.metadata } });
  });

  test('several are one write that names them', () => {
    const edited = set({ ...issuer('b'), [`${prefix}duration`]: '720h' }, { metadata: { labels: { app: 'shop' } } });
    const [action] = plan({ sets: [edited] }, standing({ sets: [set()] }));
    expect(action?.kind === 'replaceCertificate' && action.say.message).toBe(
      'Certificate "foo-tls" updated: issuerRef, duration, labels.',
    );
  });
});

describe('what others write on the Certificate', () => {
  const scene = { sets: [set()] };
  const [made] = standing(scene);
  const live = (parts: {
    readonly spec?: object;
    readonly metadata?: Partial<Certificate['metadata']>;
  }): readonly Certificate[] =>
    made === undefined
      ? []
      : [{ ...made, metadata: { ...made.metadata, ...parts.metadata }, spec: { ...made.spec, ...parts.spec } }];

  test.each([
    ['keystores', { keystores: { pkcs12: { create: true } } }],
    ['output formats', { additionalOutputFormats: [{ type: 'DER' }] }],
    ['renewal windows', { renewal: { policy: 'Disabled' } }],
    ['a field of tomorrow', { somethingNew: 1 }],
  ])('%s stay, and cause no write', (_, spec) => {
    expect(plan(scene, live({ spec }))).toEqual([]);
    const kept = written(plan({ sets: [set(issuer('b'))] }, live({ spec })));
    expect(kept.spec).toMatchObject(spec);
  });

  const spoilt: readonly (readonly [string, object])[] = [
    ['dnsNames', { dnsNames: ['foo.com', 'bank.com'] }],
    ['otherNames', { otherNames: [{ oid: '1.2.3', utf8Value: 'x' }] }],
    ['literalSubject', { literalSubject: 'CN=x' }],
    ['isCA', { isCA: true }],
    ['nameConstraints', { nameConstraints: { permitted: {} } }],
    ['secretName', { secretName: 'other' }],
  ];
  test.each(spoilt)('%s is put right: it decides for whom and how is signed', (_, spec) => {
    expect(written(plan(scene, live({ spec })))).toEqual({ ...made, metadata: { labels: {}, ...made?.metadata } });
  });

  test('25. their annotations stay beside ours; ours are put right', () => {
    const ours = made?.metadata.annotations ?? {};
    expect(plan(scene, live({ metadata: { annotations: { ...ours, 'x.io/theirs': '1' } } }))).toEqual([]);
    const wrong = live({
      metadata: { annotations: { 'x.io/theirs': '1', 'acme.cert-manager.io/http01-parentrefname': 'wrong' } },
    });
    expect(written(plan(scene, wrong)).metadata.annotations).toEqual({ ...ours, 'x.io/theirs': '1' });
  });

  test('an extra annotation goes when the object no longer has it', () => {
    const annotations = { ...made?.metadata.annotations, 'x.io/note': 'x' };
    const configured = { ...scene, options: { extraCertificateAnnotations: ['x.io/note'] } };
    expect(written(plan(configured, live({ metadata: { annotations } }))).metadata.annotations).not.toHaveProperty([
      'x.io/note',
    ]);
  });

  test('18. labels are the object’s, all of them', () => {
    expect(written(plan(scene, live({ metadata: { labels: { theirs: '1' } } }))).metadata.labels).toEqual({});
  });

  test('further owners stay', () => {
    const other = { apiVersion: 'v1', kind: 'ConfigMap', name: 'x', uid: 'uid-x' };
    const owners = [other, ...(made?.metadata.ownerReferences ?? [])];
    expect(plan(scene, live({ metadata: { ownerReferences: owners } }))).toEqual([]);
  });

  test('finalizers and status stay in a write', () => {
    const there = written(plan({ sets: [set(issuer('b'))] }, live({ metadata: { finalizers: ['x.io/keep'] } })));
    expect(there.metadata.finalizers).toEqual(['x.io/keep']);
    expect(there.status).toEqual({ revision: 4 });
  });
});

describe('whose the Certificate is', () => {
  const stranger = set(issuer('a'), { name: 'stranger' });
  const ingress = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    name: 'set',
    uid: 'uid-ingress',
    controller: true,
  };
  const foreign: Readonly<Record<string, readonly [Certificate, readonly string[], string]>> = {
    '19. nobody’s': [certificate('foo-tls', undefined), [], 'not made for a listener'],
    'owned, but not controlled': [
      certificate('foo-tls', undefined, { metadata: { ownerReferences: [{ ...ownerOf(set()), controller: false }] } }),
      [],
      'not made for a listener',
    ],
    '20. of another Gateway’s listener set, which lives': [
      certificate('foo-tls', stranger),
      ['uid-team-stranger'],
      'made for ListenerSet "stranger"',
    ],
    'of an Ingress, whether it lives or not': [
      certificate('foo-tls', undefined, { metadata: { ownerReferences: [ingress] } }),
      [],
      'made for Ingress "set"',
    ],
  };
  test.each(Object.entries(foreign))('%s: left alone, and said', (_, [live, alive, whose]) => {
    expect(plan({ sets: [set()], alive }, [live])).toEqual([
      {
        kind: 'say',
        generation: 3,
        event: {
          about: expect.objectContaining({ kind: 'ListenerSet', name: 'set' }),
          type: 'Warning',
          reason: 'BadConfig',
          message: `Certificate "foo-tls" exists and is ${whose}; it is left alone. To go on, name another Secret in the listener, or delete that Certificate.`,
        },
      },
    ]);
  });

  test('of an owner that is gone: taken over in one write', () => {
    const there = written(plan({ sets: [set()] }, [certificate('foo-tls', stranger)]));
    expect(there.metadata.ownerReferences).toEqual([ownerOf(set())]);
    expect(there.metadata.uid).toBe('uid-certificate-foo-tls');
  });

  test('of an object of the same name that was deleted and made again: taken over', () => {
    const former = certificate('foo-tls', set(issuer('a'), { metadata: { uid: 'uid-former' } }));
    expect(written(plan({ sets: [set()] }, [former])).metadata.ownerReferences).toEqual([ownerOf(set())]);
  });

  test('of an object on the same Gateway that no longer names it: taken over without a gap', () => {
    const other = set(issuer('a'), { name: 'other', listeners: [https({ hostname: 'o.com', secret: 'o-tls' })] });
    const actions = plan({ sets: [set(), other] }, [certificate('foo-tls', other)]);
    expect(brief(actions)).toEqual(['createCertificate o-tls', 'replaceCertificate foo-tls']);
  });

  test('of a younger object that names it too: stays there, and both are told', () => {
    const younger = set(issuer('a'), {
      name: 'younger',
      listeners: [https({ hostname: 'y.com' })],
      metadata: { creationTimestamp: '2026-01-01T00:00:30Z' },
    });
    const [live] = standing({ sets: [younger] });
    const scene = { sets: [set(), younger] };
    expect(brief(plan(scene, live && [live]))).toEqual(['say BadConfig']);
    const refusals = resolveGateway(world(openGateway(), scene.sets)).refusals.map(({ about }) => about.name);
    expect(refusals).toEqual(['younger']);
  });

  test('an older API version of the owner is brought up to date', () => {
    const former = certificate('foo-tls', undefined, {
      metadata: { ownerReferences: [{ ...ownerOf(set()), apiVersion: 'gateway.networking.k8s.io/v1beta1' }] },
    });
    expect(written(plan({ sets: [set()] }, [former])).metadata.ownerReferences).toEqual([ownerOf(set())]);
  });
});

describe('moving from XListenerSet to ListenerSet', () => {
  const old = set(issuer('a'), { kind: 'XListenerSet' });
  const fresh = set();
  const live = standing({ sets: [old] });

  test('swaps the owner in one write, while both exist', () => {
    const there = written(plan({ sets: [old, fresh] }, live));
    expect(there.metadata.ownerReferences).toEqual([ownerOf(fresh)]);
    expect(there.metadata.uid).toBe('uid-foo-tls');
    expect(there.spec).toEqual(live[0]?.spec);
    expect(plan({ sets: [old, fresh] }, [there])).toEqual([]);
  });

  test('swaps the owner once only the new one exists', () => {
    expect(written(plan({ sets: [fresh] }, live)).metadata.ownerReferences).toEqual([ownerOf(fresh)]);
  });

  test('swaps it though the old one points at another Gateway', () => {
    expect(written(plan({ sets: [fresh], alive: ['uid-team-set-x'] }, live)).metadata.ownerReferences).toEqual([
      ownerOf(fresh),
    ]);
  });

  test('is undone where the new one gives the Secret up and the old one still names it', () => {
    const elsewhere = set(issuer('a'), { listeners: [https({ hostname: 'o.com', secret: 'o-tls' })] });
    const actions = plan({ sets: [old, elsewhere] }, standing({ sets: [fresh] }));
    expect(brief(actions).toSorted()).toEqual(['createCertificate o-tls', 'replaceCertificate foo-tls']);
  });

  test('is not undone by the old one, which keeps quiet', () => {
    const there = standing({ sets: [fresh] });
    expect(plan({ sets: [old], alive: ['uid-team-set'] }, there)).toEqual([]);
  });

  test('keeps the Certificate while the new one’s annotations are broken', () => {
    const broken = set({ ...issuer('a'), [`${prefix}duration`]: 'soon' });
    expect(plan({ sets: [old, broken] }, live)).toEqual([]);
  });

  test('with the old kind switched off, its Certificates are not touched', () => {
    expect(plan({ sets: [] }, live)).toEqual([]);
  });
});

describe('what is no longer wanted', () => {
  const live = standing({ sets: [set()] });
  const passthrough = { mode: 'Passthrough' as const };
  const gone: Readonly<Record<string, ListenerSet>> = {
    '21. the Secret is no longer named': set(issuer('a'), { listeners: [https({ secret: 'other-tls' })] }),
    'the listener is gone': set(issuer('a'), {
      listeners: [https({ name: 'b', hostname: 'b.com', secret: 'other-tls' })],
    }),
    'the issuer annotation is gone': set({}),
    'the listener passes TLS through': set(issuer('a'), { listeners: [https({ protocol: 'TLS', tls: passthrough })] }),
    'the listener is ignored': set({ ...issuer('a'), [`${prefix}ignore-tls-listeners`]: 'web' }),
    'the listener has no hostname any more': set(issuer('a'), { listeners: [without(https(), 'hostname')] }),
    'the Secret is another namespace’s': set(issuer('a'), {
      listeners: [
        https({ tls: { mode: 'Terminate', certificateRefs: [{ name: 'foo-tls', namespace: 'elsewhere' }] } }),
      ],
    }),
  };
  test.each(Object.entries(gone))('%s: the Certificate goes, its Secret stays', (_, edited) => {
    const found = plan({ sets: [edited] }, live).filter((action) => action.kind === 'deleteCertificate');
    expect(found).toEqual([
      {
        kind: 'deleteCertificate',
        object: live[0],
        say: {
          about: expect.objectContaining({ kind: 'ListenerSet', name: 'set' }),
          type: 'Normal',
          reason: 'DeleteCertificate',
          message: 'Certificate "foo-tls" deleted: no listener asks for it any more. Secret "foo-tls" stays.',
        },
      },
    ]);
  });

  test('the Gateway’s issuer annotation is gone: what was inherited goes too', () => {
    const inheriting = { gateway: openGateway({ annotations: clusterIssuer('b') }), sets: [set({})] };
    expect(brief(plan({ sets: [set({})] }, standing(inheriting)))).toEqual(['deleteCertificate foo-tls']);
  });

  test('objects being deleted are left to garbage collection', () => {
    expect(
      plan({ sets: [set(issuer('a'), { metadata: { deletionTimestamp: '2026-01-02T00:00:00Z' } })] }, live),
    ).toEqual([]);
  });

  test('one that is being deleted already is not deleted again', () => {
    const dying = live.map((each) => ({
      ...each,
      metadata: { ...each.metadata, deletionTimestamp: '2026-01-02T00:00:00Z' },
    }));
    expect(plan({ sets: [set({})] }, dying)).toEqual([]);
  });
});

describe('what cannot be understood is left exactly as it is', () => {
  const live = standing({ sets: [set()] });
  const hold: Readonly<Record<string, Annotations>> = {
    '14. two issuers': { ...issuer('a'), ...clusterIssuer('b') },
    'an empty issuer': issuer(''),
    '23. a bad value': { ...issuer('b'), [`${prefix}duration`]: 'soon' },
    'a bad entry for the listener': { ...issuer('b'), 'certway.dev/issuers': 'web=' },
    'a bad fallback': { ...issuer('b'), 'acme.cert-manager.io/http01-parentreffallback': 'maybe' },
  };
  test.each(Object.entries(hold))('%s', (_, annotations) => {
    expect(plan({ sets: [set(annotations)] }, live)).toEqual([]);
  });

  test('listeners of one Secret with two issuers', () => {
    const listeners: readonly Listener[] = [https(), https({ name: 'b', hostname: 'b.com' })];
    const split = set({ ...issuer('a'), 'certway.dev/issuers': 'b=Issuer/x' }, { listeners });
    expect(plan({ sets: [split] }, live)).toEqual([]);
  });
});

describe('what loses admission keeps its Certificate, and is not renewed', () => {
  const live = standing({ sets: [set()] });
  const closed = gateway({ allowed: { from: 'None' } });

  test('the Certificate says why, in one write, once', () => {
    const actions = plan({ gateway: closed, sets: [set()] }, live);
    const there = written(actions);
    const reason =
      'Gateway infra/gw allows no listener sets; the owner of the Gateway can change spec.allowedListeners. Until then this ListenerSet gets no certificate, and none that it has is renewed.';
    expect(there).toEqual({
      ...live[0],
      metadata: { ...live[0]?.metadata, annotations: { ...live[0]?.metadata.annotations, [suspended]: reason } },
    });
    expect(actions[0]?.kind === 'replaceCertificate' && actions[0].say).toEqual({
      about: {
        apiVersion: 'cert-manager.io/v1',
        kind: 'Certificate',
        namespace: 'team',
        name: 'foo-tls',
        uid: 'uid-foo-tls',
      },
      type: 'Warning',
      reason: 'Suspended',
      message: reason,
    });
    expect(plan({ gateway: closed, sets: [set()] }, [there])).toEqual([]);
  });

  const rival = listenerSet({ name: 'a-rival', namespace: 'a', listeners: [https()] });
  const losses: Readonly<Record<string, Scene>> = {
    'the Gateway is gone': { gateway: 'none', sets: [set()] },
    'the Gateway is being deleted': {
      gateway: openGateway({ metadata: { deletionTimestamp: '2026-01-02T00:00:00Z' } }),
      sets: [set()],
    },
    'the class is not served any more': { sets: [set()], options: { gatewayClasses: ['nginx'] } },
    'the status says NotAllowed': {
      sets: [set(issuer('a'), { conditions: [condition('Accepted', 'False', 'NotAllowed')] })],
    },
    'the hostname is an older object’s': { sets: [rival, set()] },
    'wildcards are refused now': {
      sets: [set(issuer('a'), { listeners: [https({ hostname: '*.foo.com' })] })],
      options: { hostnamePolicy: 'strict' },
    },
  };
  test.each(Object.entries(losses))('%s; and back', (_, scene) => {
    const there = written(plan(scene, live));
    expect(there.metadata.annotations?.[suspended]).toBeDefined();
    expect(there.spec).toEqual(live[0]?.spec);
    expect(plan(scene, [there])).toEqual([]);
    expect(written(plan({ sets: [set()] }, [there]))).toEqual({
      ...live[0],
      metadata: { labels: {}, ...live[0]?.metadata },
    });
  });

  test('for another reason, the Certificate says the new one', () => {
    const there = written(plan({ gateway: closed, sets: [set()] }, live));
    const again = written(plan({ gateway: 'none', sets: [set()] }, [there]));
    expect(again.metadata.annotations?.[suspended]).toContain('does not exist');
  });

  test('a Secret that it no longer names is given up all the same', () => {
    const elsewhere = set(issuer('a'), { listeners: [https({ secret: 'other-tls' })] });
    expect(brief(plan({ gateway: closed, sets: [elsewhere] }, live))).toEqual(['deleteCertificate foo-tls']);
  });

  test('without a Gateway that is served, nothing is deleted', () => {
    expect(plan({ sets: [set({})], options: { gatewayClasses: ['nginx'] } }, live)).toEqual([]);
  });

  test('admitted again with broken annotations: renewed again as it stands', () => {
    const there = written(plan({ gateway: closed, sets: [set()] }, live));
    const broken = set({ ...issuer('a'), [`${prefix}duration`]: 'soon' });
    expect(written(plan({ sets: [broken] }, [there]))).toEqual(live[0]);
  });

  test('somebody else’s Certificate of that name is not suspended', () => {
    expect(plan({ gateway: closed, sets: [set()] }, [certificate('foo-tls', undefined)])).toEqual([]);
  });
});
