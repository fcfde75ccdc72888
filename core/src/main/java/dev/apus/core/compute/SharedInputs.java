package dev.apus.core.compute;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What the parts of one job read rounded: each rows once, however many parts and works read them.
 */
final class SharedInputs {

  private static final Divisible[] NOTHING = {};

  private final Map<RoundedRows, Integer> places = new HashMap<>();
  private float[] values = {};

  /** The work of rounding what these works read. */
  Divisible[] of(Divisible[] works) {
    int floats = 0;
    for (Divisible work : works) {
      if (work.inputs() != null && places.putIfAbsent(work.inputs(), floats) == null) {
        floats = Math.addExact(floats, work.inputs().floats());
      }
    }
    if (places.isEmpty()) {
      return NOTHING;
    }
    if (values.length < floats) {
      values = new float[floats];
    }
    List<Divisible> rounding = new ArrayList<>();
    places.forEach((rows, at) -> rounding.add(rows.task(values, at)));
    return rounding.toArray(Divisible[]::new);
  }

  /** All that was rounded. */
  float[] values() {
    return values;
  }

  /** Where in {@link #values} these rows are; below zero if the job has not rounded them. */
  int place(RoundedRows rows) {
    return places.getOrDefault(rows, -1);
  }

  /** What comes next may have other values in the same arrays. */
  void forget() {
    places.clear();
  }
}
