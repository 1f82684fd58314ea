// As in kube/undici.d.ts: the two files that we use, without the cost of undici's index. `test/acme/endpoint.test.ts` fails if they move.

declare module 'undici/lib/dispatcher/agent.js' {
  import { Agent } from 'undici';
  export = Agent;
}

declare module 'undici/lib/dispatcher/proxy-agent.js' {
  import { ProxyAgent } from 'undici';
  export = ProxyAgent;
}
