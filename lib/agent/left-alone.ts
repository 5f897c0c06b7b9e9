/** Files that are not to be tried again until they change, in bounded memory: the oldest memory goes first. */

export class LeftAlone {
  readonly #most: number;
  /** Times of the last change of any kind, by path. */
  readonly #changes = new Map<string, number>();

  constructor(most: number) {
    this.#most = most;
  }

  add(path: string, ctime: number): void {
    this.#changes.delete(path);
    this.#changes.set(path, ctime);
    if (this.#changes.size > this.#most) this.#changes.delete(this.#changes.keys().next().value as string);
  }

  /** Whether the file is as it was. One that is not is forgotten. */
  has(path: string, ctime: number): boolean {
    const seen = this.#changes.get(path);
    if (seen === undefined) return false;
    if (seen !== ctime) this.#changes.delete(path);
    return seen === ctime;
  }
}
