// The backend of the stories, in place of Gateway API's echo-basic: answers any HTTP request with what it saw and which Pod it is, as JSON.
// Started by the stand-in for the kubelet.

import { createServer } from 'node:http';

const server = createServer((request, response) => {
  const body = {
    path: request.url,
    host: request.headers.host,
    method: request.method,
    proto: `HTTP/${request.httpVersion}`,
    headers: request.headersDistinct,
    namespace: process.env.NAMESPACE,
    ingress: '',
    service: '',
    pod: process.env.POD_NAME,
  };
  request.resume();
  response.writeHead(200, { 'content-type': 'application/json' }).end(`${JSON.stringify(body, undefined, 2)}\n`);
});
server.keepAliveTimeout = 0; // Envoy keeps connections; one that we close under it would be a failed request of ours
server.listen(Number(process.env.PORT ?? 3000));
process.once('SIGTERM', () => process.exit(0));
