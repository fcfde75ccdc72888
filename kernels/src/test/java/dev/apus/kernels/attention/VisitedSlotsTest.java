package dev.apus.kernels.attention;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.kernels.attention.Attention.Visited;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;

class VisitedSlotsTest {

  private static final int SLOTS = 200;

  @RepeatedTest(200)
  void holdsWhatSlotBySlotIsSeen(RepetitionInfo repetition) {
    var random = new SplittableRandom(repetition.getCurrentRepetition());
    int[] ranges = random.ints(2 * random.nextInt(8), 0, SLOTS).sorted().toArray();
    int window = random.nextBoolean() ? 0 : random.nextInt(1, 60);
    var visited = new Visited(ranges, ranges.length / 2, random.nextBoolean(), window);
    int first = random.nextInt(SLOTS);
    int last = first + random.nextInt(20);
    int from = random.nextInt(SLOTS);
    int to = random.nextInt(from, SLOTS + 1);
    var slots = new VisitedSlots(visited, first, last, from, to);

    for (int slot = 0; slot < SLOTS; slot++) {
      int asked = slot;
      for (int position = first; position <= last; position++) {
        boolean within = slots.first(position) <= slot && slot < slots.end(position);
        boolean seen = from <= slot && slot < to && isSeen(visited, slot, position);
        assertEquals(seen, within && isVisited(slots.ranges, slots.count, slot));
      }
      IntStream there =
          IntStream.range(0, SLOTS).filter(s -> isVisited(slots.ranges, slots.count, s));
      int[] all = there.toArray();
      int next = IntStream.of(all).filter(s -> s >= asked).findFirst().orElse(-1);
      assertEquals(next, slots.next(slot));
      int before = IntStream.of(all).filter(s -> s < asked).max().orElse(-1) + 1;
      assertEquals(before, slots.last(slot));
    }
  }

  @Test
  void positionsNearTheLargestIntDoNotOverflow() {
    int position = Integer.MAX_VALUE - 16;
    var visited = new Visited(new int[] {position - 1, Integer.MAX_VALUE}, 1, false, 100);
    var slots = new VisitedSlots(visited, position, position, 0, Integer.MAX_VALUE);
    assertEquals(1, slots.count);
    assertEquals(position - 1, slots.next(0));
    assertEquals(Integer.MAX_VALUE, slots.last(Integer.MAX_VALUE));
    assertTrue(slots.end(position) > position);
  }

  private static boolean isVisited(int[] ranges, int count, int slot) {
    return IntStream.range(0, count)
        .anyMatch(i -> ranges[2 * i] <= slot && slot < ranges[2 * i + 1]);
  }

  private static boolean isSeen(Visited visited, int slot, int position) {
    boolean in = isVisited(visited.ranges(), visited.count(), slot);
    in &= !visited.causal() || slot <= position;
    return in && (visited.window() == 0 || Math.abs(slot - position) < visited.window());
  }
}
