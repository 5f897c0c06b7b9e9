/** A binary heap. */

export class Heap<T> {
  readonly #first: (a: T, b: T) => boolean;
  readonly #items: T[] = [];

  /** `first` tells whether `a` comes before `b`. */
  constructor(first: (a: T, b: T) => boolean) {
    this.#first = first;
  }

  get size(): number {
    return this.#items.length;
  }

  /** The one before all others. */
  get top(): T | undefined {
    return this.#items[0];
  }

  /** All of them, in no order. */
  get items(): readonly T[] {
    return this.#items;
  }

  push(item: T): void {
    const items = this.#items;
    let index = items.push(item) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.#first(item, items[parent]!)) break;
      items[index] = items[parent]!;
      index = parent;
    }
    items[index] = item;
  }

  pop(): T | undefined {
    const top = this.#items[0];
    const last = this.#items.pop();
    if (last !== undefined && this.#items.length > 0) this.replaceTop(last);
    return top;
  }

  /** Cheaper than {@link pop} and {@link push}. */
  replaceTop(item: T): void {
    const items = this.#items;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && this.#first(items[child + 1]!, items[child]!)) child += 1;
      if (!this.#first(items[child]!, item)) break;
      items[index] = items[child]!;
      index = child;
    }
    items[index] = item;
  }

  clear(): void {
    this.#items.length = 0;
  }
}
