package dev.apus.core.compute;

/**
 * Work that may be divided between its units, each of which writes what no other unit reads or
 * writes.
 *
 * @param units how many there are
 * @param cost of a unit: about how many multiply-adds it takes, or would in the time
 * @param work does a range of units
 * @param group units that are better done together: ranges begin at multiples of it
 * @param inputs what the work reads rounded, if it is at hand; null for nothing
 */
public record Divisible(int units, long cost, RangeWork work, int group, RoundedRows inputs) {

  /** Work whose units are done as well alone, and that reads its inputs as they are. */
  public Divisible(int units, long cost, RangeWork work) {
    this(units, cost, work, 1, null);
  }

  /** Does the units {@code [from, to)}. */
  @FunctionalInterface
  public interface RangeWork {
    void run(int from, int to, int worker);
  }

  /**
   * Each unit of this and of another work that has as many, one after the other. If they read other
   * inputs rounded, only those of this are at hand.
   */
  public Divisible with(Divisible other) {
    if (other.units != units) {
      throw new IllegalArgumentException(units + " units cannot be done with " + other.units);
    }
    return new Divisible(
        units,
        cost + other.cost,
        (from, to, worker) -> {
          work.run(from, to, worker);
          other.work.run(from, to, worker);
        },
        Math.max(group, other.group),
        inputs == null ? other.inputs : inputs);
  }

  /**
   * This, and after each range of units what needs no others.
   *
   * @param more cost of that for a unit
   */
  public Divisible then(long more, RangeWork next) {
    return with(new Divisible(units, more, next));
  }

  /** The same work, which takes the units of a range group by group. */
  public Divisible byGroups() {
    return new Divisible(
        units,
        cost,
        (from, to, worker) -> {
          for (int first = from; first < to; first += group) {
            work.run(first, Math.min(first + group, to), worker);
          }
        },
        group,
        inputs);
  }

  long total() {
    return units * cost;
  }

  /** How many ranges there can be. */
  int groups() {
    return Math.ceilDiv(units, group);
  }

  /** The first unit of the first group that begins at or after this much of the cost. */
  int unitAt(long spent) {
    long groups = Math.clamp(Math.ceilDiv(spent, group * cost), 0L, (long) groups());
    return (int) Math.min(units, groups * group);
  }
}
