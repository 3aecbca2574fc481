/** Results of `work` in the order of what it is done on, of which so many at a time are under way. */
export async function* inOrder<Item, Result>(
  items: AsyncIterable<Item>,
  concurrency: number,
  work: (item: Item) => Promise<Result>,
): AsyncIterable<Result> {
  const underWay: Promise<Result>[] = [];
  for await (const item of items) {
    const result = work(item);
    // Whoever awaits it sees it fail; until then it is no unhandled rejection.
    result.catch(() => {});
    underWay.push(result);
    if (underWay.length >= concurrency) yield await (underWay.shift() as Promise<Result>);
  }
  while (underWay.length > 0) yield await (underWay.shift() as Promise<Result>);
}
