// Token buckets and counters by person, in memory, as a single process keeps them.

/** So many at once, and so many a second over time. */
export class Bucket {
  #people = new Map();

  constructor(rate, burst) {
    this.rate = rate / 1000;
    this.burst = burst;
  }

  /** Whether this person may go on. */
  take(person, now = performance.now()) {
    const bucket = this.#people.get(person);
    if (!bucket) {
      this.#people.set(person, { left: this.burst - 1, at: now });
      return true;
    }
    bucket.left = Math.min(this.burst, bucket.left + (now - bucket.at) * this.rate);
    bucket.at = now;
    if (bucket.left < 1) return false;
    bucket.left -= 1;
    return true;
  }

  /** Forgets whoever has a full bucket again. */
  tidy(now = performance.now()) {
    for (const [person, { left, at }] of this.#people) {
      if (left + (now - at) * this.rate >= this.burst) this.#people.delete(person);
    }
  }
}

/** Counts the connections of each person. */
export class Connections {
  #people = new Map();

  constructor(most) {
    this.most = most;
  }

  enter(person) {
    const count = this.#people.get(person) ?? 0;
    if (count >= this.most) return false;
    this.#people.set(person, count + 1);
    return true;
  }

  leave(person) {
    const count = this.#people.get(person) - 1;
    if (count > 0) this.#people.set(person, count);
    else this.#people.delete(person);
  }
}
