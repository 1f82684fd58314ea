// Why infra does not do what a GatewayInfra asks: data, told in a condition and an event. Made by the pure functions here, told by provision/.

export interface InfraRefusal {
  /** Where the work stopped, as Degraded names it: "Version", "Configuration", "Classes". */
  readonly step: string;
  /** What the person has to look at: "ConfigMap platform/envoy-gateway", "GatewayInfra default". */
  readonly object: string;
  /** CamelCase, as a condition's reason. */
  readonly reason: string;
  /** A whole sentence: what is wrong, where, and what to change. */
  readonly message: string;
}
