package dev.apus.core.weight;

import dev.apus.core.weight.ExpertStore.Expert;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** The places of all experts of one size. Everything here belongs to the store's lock. */
final class ExpertPlaces {

  private static final long ALIGNMENT = 64;

  private final long bytes;
  private final int experts;
  private final ArrayDeque<MemorySegment> free = new ArrayDeque<>();

  /** Who has a place and is not on the way to it, those asked longest ago first. */
  private final LinkedHashSet<Expert> present = new LinkedHashSet<>();

  private int count;
  private int made;

  private ExpertPlaces(long bytes, int experts) {
    this.bytes = bytes;
    this.experts = experts;
  }

  /**
   * Shares a memory out to experts by their size: each size gets the part of it that its experts
   * have of all of them, and what is left over goes where it still holds somebody.
   */
  static List<ExpertPlaces> share(List<Expert> experts, long memory) {
    Map<Long, List<Expert>> bySize = experts.stream().collect(Collectors.groupingBy(Expert::bytes));
    double all = experts.stream().mapToDouble(Expert::bytes).sum();
    List<ExpertPlaces> places = new ArrayList<>();
    long left = memory;
    for (Map.Entry<Long, List<Expert>> size : bySize.entrySet()) {
      var of = new ExpertPlaces(size.getKey(), size.getValue().size());
      size.getValue().forEach(expert -> expert.places = of);
      of.take((long) (Math.min(memory, all) * (of.bytes * (double) of.experts / all)));
      left -= of.allBytes();
      places.add(of);
    }
    places.sort(Comparator.comparingLong(of -> -of.bytes));
    for (ExpertPlaces of : places) {
      long before = of.allBytes();
      of.take(before + left);
      left -= of.allBytes() - before;
    }
    return places;
  }

  private void take(long memory) {
    count = bytes == 0 ? experts : (int) Math.min(experts, memory / bytes);
  }

  int count() {
    return count;
  }

  /** What the places take when all are in use. */
  long allBytes() {
    return count * bytes;
  }

  /**
   * A place for somebody, or null.
   *
   * @param driveOut whether somebody may have to go
   */
  MemorySegment take(Arena arena, boolean driveOut) {
    MemorySegment place = free.poll();
    if (place == null && made < count) {
      made++;
      place = arena.allocate(bytes, ALIGNMENT);
    }
    return place == null && driveOut ? driveOut() : place;
  }

  /** The place of whoever was asked longest ago and is not in use, or null. */
  private MemorySegment driveOut() {
    for (Iterator<Expert> oldest = present.iterator(); oldest.hasNext(); ) {
      Expert expert = oldest.next();
      if (expert.isIdle()) {
        oldest.remove();
        return expert.leave();
      }
    }
    return null;
  }

  /** Somebody who was on the way is there. */
  void arrived(Expert expert) {
    present.add(expert);
  }

  /** Somebody who is there was asked now. */
  void asked(Expert expert) {
    if (present.remove(expert)) {
      present.add(expert);
    }
  }

  void giveBack(MemorySegment place) {
    free.add(place);
  }
}
