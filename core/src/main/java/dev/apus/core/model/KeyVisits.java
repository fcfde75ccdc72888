package dev.apus.core.model;

/**
 * How many keys queries have visited, summed over layers, query heads and tokens.
 *
 * @param visited keys whose scores were computed to be attended to
 * @param seen keys that the same queries would have visited if each had visited all before it
 */
public record KeyVisits(long visited, long seen) {

  public static final KeyVisits NONE = new KeyVisits(0, 0);

  public KeyVisits plus(KeyVisits other) {
    return new KeyVisits(visited + other.visited, seen + other.seen);
  }

  public KeyVisits minus(KeyVisits other) {
    return new KeyVisits(visited - other.visited, seen - other.seen);
  }

  /** The part of the keys that was visited; 1 if there were none. */
  public double share() {
    return seen == 0 ? 1 : visited / (double) seen;
  }
}
