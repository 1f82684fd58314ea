// undici's index costs 25 MB and 80-120 ms at start, mostly for fetch, WebSocket, caches and mocks. The pool alone is half of it, so we import
// the two files that we use. undici is pinned exactly and has no `exports` map; `test/kube/session.test.ts` fails if the files move.

declare module 'undici/lib/dispatcher/pool.js' {
  import { Pool } from 'undici';
  export = Pool;
}

declare module 'undici/lib/api/api-request.js' {
  import type { Dispatcher } from 'undici';

  const request: (
    this: Pick<Dispatcher, 'dispatch'>,
    options: Dispatcher.RequestOptions,
  ) => Promise<Dispatcher.ResponseData>;
  export = request;
}
