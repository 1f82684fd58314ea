import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { grantManifests } from '../../src/cli/grant.ts';

const serviceAccount = { namespace: 'certway-system', name: 'certway-controller' };

function grant(...namespaces: readonly string[]) {
  return grantManifests(namespaces, { serviceAccount });
}

function documents(...namespaces: readonly string[]): readonly unknown[] {
  const reply = grant(...namespaces);
  if (!reply.ok) throw new Error(reply.problem);
  return parseAllDocuments(reply.value).map((document) => document.toJS());
}

describe('certway grant prints', () => {
  it('a RoleBinding to certway-secret-writer, with the label that the controller watches', () => {
    expect(documents('team-a')).toEqual([
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'RoleBinding',
        metadata: {
          name: 'certway-secret-writer',
          namespace: 'team-a',
          labels: { 'app.kubernetes.io/part-of': 'certway', 'certway.dev/grant': 'true' },
        },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'certway-secret-writer' },
        subjects: [{ kind: 'ServiceAccount', namespace: 'certway-system', name: 'certway-controller' }],
      },
    ]);
  });

  it('one document per namespace, in the order given', () => {
    expect(documents('team-b', 'team-a')).toMatchObject([
      { metadata: { namespace: 'team-b' } },
      { metadata: { namespace: 'team-a' } },
    ]);
  });

  it('a namespace that was named twice once', () => {
    expect(documents('team-a', 'team-a')).toHaveLength(1);
  });

  it.each(['123', 'true', 'null', '1e3', '0x10', 'a'.repeat(63)])('the namespace %s as a string', (namespace) => {
    expect(documents(namespace)).toMatchObject([{ metadata: { namespace } }]);
  });

  it('the ServiceAccount it is told', () => {
    const reply = grantManifests(['team-a'], { serviceAccount: { namespace: 'tls', name: 'issuer' } });
    expect(reply).toMatchObject({ ok: true, value: expect.stringMatching(/namespace: tls\n\s+name: issuer/) });
  });
});

describe('certway grant refuses', () => {
  it('nothing to grant', () => {
    expect(grant()).toMatchObject({ ok: false, problem: expect.stringContaining('at least one namespace') });
  });

  it.each(['kube-system', 'kube-public', 'kube-node-lease'])('the reserved namespace %s', (namespace) => {
    expect(grant('team-a', namespace)).toEqual({
      ok: false,
      problem: `${namespace} is reserved for Kubernetes itself: Certway writes no Secrets there.`,
    });
  });

  it.each(['', 'Team', 'team_a', 'team.a', '-a', 'a-', 'a b', 'a\nb', 'a'.repeat(64), '--all', 'über'])(
    'the name %j, and says which it was',
    (namespace) => {
      expect(grant('team-a', namespace)).toMatchObject({
        ok: false,
        problem: expect.stringContaining(`${JSON.stringify(namespace)} cannot be a namespace`),
      });
    },
  );

  it('all bad names at once, and then grants nothing', () => {
    const reply = grant('Bad', 'team-a', 'kube-system');
    expect(reply).toMatchObject({ ok: false, problem: expect.stringMatching(/^"Bad" .+\nkube-system .+$/) });
  });
});
