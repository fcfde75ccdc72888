package dev.apus.kernels.attention;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.kernels.attention.Attention.Visited;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;

class VisitedBlocksTest {

  private static final int SLOTS = 200;

  @RepeatedTest(200)
  void visitsWhatSlotBySlotIsSeen(RepetitionInfo repetition) {
    var random = new SplittableRandom(repetition.getCurrentRepetition());
    int[] ranges = random.ints(2 * random.nextInt(8), 0, SLOTS).sorted().toArray();
    int window = random.nextBoolean() ? 0 : random.nextInt(1, 60);
    var visited = new Visited(ranges, ranges.length / 2, random.nextBoolean(), window);
    int first = random.nextInt(SLOTS);
    int last = first + random.nextInt(20);

    var walk = new VisitedBlocks(visited, first, last);
    int[] union = new int[SLOTS / 16 + 1];
    int before = -1;
    while (walk.next()) {
      assertTrue(walk.block() > before, "ascending, each once");
      assertTrue(walk.mask() != 0);
      before = walk.block();
      for (int position = first; position <= last; position++) {
        int seen = VisitedBlocks.seen(walk.mask(), walk.block(), visited, position);
        assertEquals(seenBySlot(visited, walk.block(), position), seen);
        union[walk.block()] |= seen;
      }
    }
    int[] expected = new int[union.length];
    Arrays.setAll(
        expected,
        block -> {
          int seen = 0;
          for (int position = first; position <= last; position++) {
            seen |= seenBySlot(visited, block, position);
          }
          return seen;
        });
    assertEquals(Arrays.toString(expected), Arrays.toString(union), "no block is left out");
  }

  @Test
  void positionsNearTheLargestIntDoNotOverflow() {
    int position = Integer.MAX_VALUE - 16;
    var visited = new Visited(new int[] {position - 1, Integer.MAX_VALUE}, 1, false, 100);
    var walk = new VisitedBlocks(visited, position, position);
    assertTrue(walk.next());
    assertEquals(position / 16, walk.block());
    assertEquals(1 << 14 | 1 << 15, walk.mask());
    assertTrue(walk.next());
    assertEquals(0x7fff, walk.mask());
    assertFalse(walk.next());
  }

  private static int seenBySlot(Visited visited, int block, int position) {
    int seen = 0;
    for (int lane = 0; lane < 16; lane++) {
      int slot = block * 16 + lane;
      boolean in = false;
      for (int i = 0; i < visited.count(); i++) {
        in |= visited.ranges()[2 * i] <= slot && slot < visited.ranges()[2 * i + 1];
      }
      in &= !visited.causal() || slot <= position;
      in &= visited.window() == 0 || Math.abs(slot - position) < visited.window();
      seen |= in ? 1 << lane : 0;
    }
    return seen;
  }
}
