// Cuts a watch's byte stream into JSON values, one a line. Called by session.ts.

/** Throws when the stream breaks, ends inside a line, or holds a line that is not JSON. */
export async function* jsonLines(body: AsyncIterable<string>): AsyncGenerator<unknown, void, undefined> {
  let partial: string[] = [];
  for await (const chunk of body) {
    let from = 0;
    for (let end = chunk.indexOf('\n'); end >= 0; end = chunk.indexOf('\n', from)) {
      partial.push(chunk.slice(from, end));
      const line = partial.join('');
      partial = [];
      from = end + 1;
      if (line !== '') yield JSON.parse(line);
    }
    if (from < chunk.length) partial.push(chunk.slice(from));
  }
  if (partial.length > 0) throw new Error('the stream ended inside a line');
}
