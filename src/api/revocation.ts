// Why a certificate is revoked: the reasons of RFC 5280 §5.3.1 that its holder may give, by the names that people write, with their codes.

const revocationReasons = [
  'unspecified',
  'keyCompromise',
  'affiliationChanged',
  'superseded',
  'cessationOfOperation',
] as const;

export type RevocationReason = (typeof revocationReasons)[number];

export const revocationCodes: Readonly<Record<RevocationReason, number>> = {
  unspecified: 0,
  keyCompromise: 1,
  affiliationChanged: 3,
  superseded: 4,
  cessationOfOperation: 5,
};

/** The reason that is meant, in whatever case it is written. */
export function reasonNamed(text: string): RevocationReason | undefined {
  return revocationReasons.find((reason) => reason.toLowerCase() === text.toLowerCase());
}
