// As in kube/undici.d.ts: the one file that we use, without the cost of undici's index. `test/acme/endpoint.test.ts` fails if it moves.

declare module 'undici/lib/dispatcher/agent.js' {
  import { Agent } from 'undici';
  export = Agent;
}
