// Annotations of Gateways and ListenerSets, and what they leave on Certificates, that src/api/names.ts does not hold yet.

export const keys = {
  ignoreTlsListeners: 'cert-manager.io/ignore-tls-listeners',
  emailSans: 'cert-manager.io/email-sans',
  subjectPrefix: 'cert-manager.io/subject-',
  duration: 'cert-manager.io/duration',
  renewBefore: 'cert-manager.io/renew-before',
  renewBeforePercentage: 'cert-manager.io/renew-before-percentage',
  usages: 'cert-manager.io/usages',
  revisionHistoryLimit: 'cert-manager.io/revision-history-limit',
  keyAlgorithm: 'cert-manager.io/private-key-algorithm',
  keyEncoding: 'cert-manager.io/private-key-encoding',
  keySize: 'cert-manager.io/private-key-size',
  keyRotation: 'cert-manager.io/private-key-rotation-policy',
  secretTemplate: 'cert-manager.io/secret-template',
  temporary: 'certway.dev/temporary-certificate',
  /** On a Gateway: short names of its annotations that ListenerSets take where they have none of their own. */
  inherit: 'certway.dev/inherit',
  editInPlace: 'acme.cert-manager.io/http01-edit-in-place',
  ingressClass: 'acme.cert-manager.io/http01-ingress-class',
  ingressClassName: 'acme.cert-manager.io/http01-ingress-ingressclassname',
  parentRefFallback: 'acme.cert-manager.io/http01-parentreffallback',
  overrideIngressName: 'acme.cert-manager.io/http01-override-ingress-name',
  overrideIngressClass: 'acme.cert-manager.io/http01-override-ingress-class',
  overrideIngressClassName: 'acme.cert-manager.io/http01-override-ingress-ingressclassname',
} as const;

/** Belongs to Argo CD and kubectl's pruning: a Certificate that carried it would be pruned as no part of the set (cert-manager #7306). */
export const applySetLabel = 'applyset.kubernetes.io/part-of';
