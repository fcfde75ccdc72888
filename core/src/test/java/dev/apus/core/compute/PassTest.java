package dev.apus.core.compute;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import dev.apus.core.tensor.Matrix;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.matmul.Rounding;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PassTest {

  private final Workers workers = Workers.of(3);
  private final Pass pass = new Pass(workers, Kernels.scalar());

  @AfterEach
  void close() {
    workers.close();
  }

  /** Whoever reads scratch before writing it must see it. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 15, 16, 17, 1000, 1024, 1025})
  void scratchIsLargeEnoughAndPoisonedEachTime(int count) {
    for (int again = 0; again < 2; again++) {
      try (Pass.Frame frame = pass.frame()) {
        float[] floats = frame.floats(count);
        assertTrue(floats.length >= count);
        for (float value : floats) {
          assertTrue(Float.isNaN(value));
        }
        Arrays.fill(floats, 7);
      }
    }
  }

  @Test
  void matricesOfOpenFramesShareNothing() {
    try (Pass.Frame outer = pass.frame()) {
      Matrix a = outer.matrix(3, 5);
      Matrix b = outer.matrix(3, 5);
      assertEquals(3, a.rows());
      assertEquals(5, a.cols());
      assertNotSame(a.data(), b.data());
      float[] returned;
      try (Pass.Frame inner = pass.frame()) {
        returned = inner.floats(15);
        assertNotSame(a.data(), returned);
        assertNotSame(b.data(), returned);
      }
      assertSame(returned, outer.floats(15), "what a closed frame gave back is used again");
    }
  }

  @Test
  void anArrayServesForWhatTakesHalfOfIt() {
    float[] large = given(2000);
    assertSame(large, given(1100));
    assertNotSame(large, given(500));
    assertSame(large, given(2000));
  }

  /** Prompts each a little longer than the one before must not leave an array of each behind. */
  @Test
  void anArrayTakesThePlaceOfOneThatWasALittleTooSmall() {
    float[] small = given(1000);
    given(1100);
    assertNotSame(small, given(600));
  }

  private float[] given(int count) {
    try (Pass.Frame frame = pass.frame()) {
      return frame.floats(count);
    }
  }

  @Test
  void aFrameGivesBackOnce() {
    Pass.Frame frame = pass.frame();
    frame.floats(100);
    frame.close();
    frame.close();
    try (Pass.Frame next = pass.frame()) {
      assertNotSame(next.floats(100), next.floats(100));
    }
  }

  @Test
  void workersHaveScratchOfTheirOwn() {
    float[] first = pass.scratch(0, 50);
    float[] second = pass.scratch(1, 50);
    assertNotSame(first, second);
    assertSame(first, pass.scratch(0, 20));
    assertTrue(pass.scratch(0, 51).length >= 51);
    assertSame(second, pass.scratch(1, 50));
  }

  @ParameterizedTest
  @CsvSource({
    "0, 5",
    "1, 5",
    "7, 1",
    "1, 100000",
    "2, 8191",
    "2, 8192",
    "61, 8192",
    "5, 2147483647"
  })
  void everyRowIsWorkedOnOnce(int rows, int valuesPerRow) {
    var runs = new AtomicIntegerArray(rows);
    pass.eachRow(
        rows,
        valuesPerRow,
        (from, to, worker) -> {
          assertTrue(worker >= 0 && worker < workers.threads());
          for (int row = from; row < to; row++) {
            runs.incrementAndGet(row);
          }
        });
    int[] counts = new int[rows];
    Arrays.setAll(counts, runs::get);
    int[] ones = new int[rows];
    Arrays.fill(ones, 1);
    assertArrayEquals(ones, counts);
  }

  @Test
  void littleWorkStaysWithItsCaller() {
    Thread here = Thread.currentThread();
    pass.eachRow(
        100,
        163,
        (from, to, worker) -> {
          assertSame(here, Thread.currentThread());
          assertArrayEquals(new int[] {0, 100, 0}, new int[] {from, to, worker});
        });
  }

  /** Works of all sizes and costs together, some of them empty. */
  @ParameterizedTest
  @CsvSource({"1, 1", "2, 1", "7, 1", "1, 40000", "2, 40000", "7, 40000", "7, 1000000000"})
  void everyUnitOfEveryWorkIsDoneOnce(int threads, long cost) {
    int[] units = {5, 0, 1, 64, 3};
    long[] costs = {1, 7, 1000 * cost, cost, 3 * cost};
    try (Workers team = Workers.of(threads)) {
      var together = new Pass(team, Kernels.chosen());
      var counts = new AtomicIntegerArray[units.length];
      var works = new Divisible[units.length];
      for (int i = 0; i < units.length; i++) {
        AtomicIntegerArray count = counts[i] = new AtomicIntegerArray(units[i]);
        works[i] =
            new Divisible(
                units[i],
                costs[i],
                (from, to, worker) -> {
                  assertTrue(from < to && worker >= 0 && worker < threads);
                  for (int unit = from; unit < to; unit++) {
                    count.incrementAndGet(unit);
                  }
                });
      }
      together.run(works);
      for (int i = 0; i < units.length; i++) {
        for (int unit = 0; unit < units[i]; unit++) {
          assertEquals(1, counts[i].get(unit), "unit " + unit + " of work " + i);
        }
      }
    }
  }

  /** Many small works are as many parts as one large work of the same cost. */
  @Test
  void smallWorksShareOutEvenly() {
    int threads = workers.threads();
    var ranges = new AtomicInteger();
    var works = new Divisible[61];
    Arrays.setAll(
        works, i -> new Divisible(4, 1 << 20, (from, to, worker) -> ranges.incrementAndGet()));
    pass.run(works);
    assertTrue(ranges.get() > 61, "the job is divided, and each work is done");
    assertTrue(ranges.get() < 61 + 17 * threads, "a part cuts one work at most");
  }

  @Test
  void aJobEndsWithShortParts() {
    var lengths = new ConcurrentSkipListMap<Integer, Integer>();
    pass.run(new Divisible(1000, 1 << 20, (from, to, worker) -> lengths.put(from, to - from)));
    assertTrue(lengths.lastEntry().getValue() * 5 < lengths.firstEntry().getValue());
    int before = 1000;
    for (int length : lengths.headMap(lengths.lastKey()).values()) {
      assertTrue(length <= before + 1, "no part is longer than the one before, but for rounding");
      before = length;
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 4, 61, 64})
  void rangesBeginWithAGroup(int units) {
    var done = new AtomicIntegerArray(units);
    Divisible.RangeWork work =
        (from, to, worker) -> {
          assertEquals(0, from % 4);
          assertTrue(to % 4 == 0 || to == units);
          for (int unit = from; unit < to; unit++) {
            done.incrementAndGet(unit);
          }
        };
    Divisible grouped = new Divisible(units, 1 << 20, work, 4, null);
    pass.run(new Divisible(5, 1 << 20, (from, to, worker) -> {}), grouped);
    pass.run(new Divisible(units, 1, (from, to, worker) -> {}).with(grouped));
    for (int unit = 0; unit < units; unit++) {
      assertEquals(2, done.get(unit));
    }
  }

  @Test
  void unitsOfTwoWorksAreDoneTogether() {
    var first = new AtomicIntegerArray(500);
    var second = new AtomicIntegerArray(500);
    Divisible one =
        new Divisible(
            500,
            1 << 18,
            (from, to, worker) -> {
              for (int unit = from; unit < to; unit++) {
                first.incrementAndGet(unit);
              }
            });
    pass.run(
        one.then(
            1,
            (from, to, worker) -> {
              for (int unit = from; unit < to; unit++) {
                assertEquals(1, first.get(unit), "what comes before is done");
                second.incrementAndGet(unit);
              }
            }));
    for (int unit = 0; unit < 500; unit++) {
      assertEquals(1, second.get(unit));
    }
    var fewer = new Divisible(3, 1, (from, to, worker) -> {});
    var e = assertThrows(IllegalArgumentException.class, () -> one.with(fewer));
    assertEquals("500 units cannot be done with 3", e.getMessage());
  }

  @Test
  void groupsOfARangeAreDoneOneAfterTheOther() {
    List<Integer> lengths = new ArrayList<>();
    try (Workers alone = Workers.of(1)) {
      new Pass(alone, pass.kernels())
          .run(
              new Divisible(10, 1, (from, to, worker) -> lengths.add(to - from), 4, null)
                  .byGroups());
    }
    assertEquals(List.of(4, 4, 2), lengths);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 7, 32, 1001})
  void everyUnitIsWorkedOnOnce(int units) {
    var runs = new AtomicIntegerArray(units);
    pass.eachUnit(
        units,
        (from, to, worker) -> {
          assertTrue(from < to && worker >= 0 && worker < workers.threads());
          for (int unit = from; unit < to; unit++) {
            runs.incrementAndGet(unit);
          }
        });
    for (int unit = 0; unit < units; unit++) {
      assertEquals(1, runs.get(unit));
    }
  }

  @Test
  void noWorkIsNoJob() {
    pass.run();
    pass.run(new Divisible(0, 1, (from, to, worker) -> fail("no unit, no range")));
  }

  /** Rounds to the nearest and counts how often. */
  private static final class Nearest implements Rounding {

    final AtomicInteger rounded = new AtomicInteger();

    @Override
    public int floats(int cols, int tokens) {
      return cols * tokens;
    }

    @Override
    public void round(
        float[] x,
        int xAt,
        int xStride,
        int cols,
        int tokens,
        int from,
        int to,
        float[] into,
        int intoAt) {
      for (int t = from; t < to; t++) {
        rounded.incrementAndGet();
        for (int i = 0; i < cols; i++) {
          into[intoAt + t * cols + i] = Math.round(x[xAt + t * xStride + i]);
        }
      }
    }
  }

  @Test
  void whatWorksReadRoundedIsRoundedOnceForAllParts() {
    Nearest rounding = new Nearest();
    float[] x = new float[7 * 1000];
    for (int i = 0; i < x.length; i++) {
      x[i] = i / 3f;
    }
    RoundedRows rows = new RoundedRows(rounding, x, 5, 1000, 600, 6);
    RoundedRows others = new RoundedRows(rounding, x, 1005, 1000, 600, 5);
    AtomicInteger seen = new AtomicInteger();
    Divisible.RangeWork reads =
        (from, to, worker) -> {
          for (RoundedRows read : List.of(rows, others)) {
            float[] all = pass.roundedInputs();
            int at = pass.roundedAt(read);
            for (int i = 0; i < read.rows() * 600; i++) {
              int place = read.at() + i / 600 * 1000 + i % 600;
              assertEquals(Math.round(x[place]), all[at + i]);
            }
          }
          seen.addAndGet(to - from);
        };
    for (int again = 1; again <= 2; again++) {
      for (int i = 0; i < x.length; i++) {
        x[i] += 0.25f;
      }
      pass.run(
          new Divisible(10, 1 << 24, reads, 1, rows),
          new Divisible(10, 1 << 24, reads, 1, rows),
          new Divisible(10, 1 << 24, reads, 1, others));
      assertEquals(30 * again, seen.get());
      assertEquals(11 * again, rounding.rounded.get());
      assertEquals(-1, pass.roundedAt(rows), "the values may change now");
    }
  }

  @Test
  void aJobThatFailsLeavesNothingRounded() {
    RoundedRows rows = new RoundedRows(new Nearest(), new float[10], 0, 10, 10, 1);
    Divisible.RangeWork fails =
        (from, to, worker) -> {
          throw new IllegalStateException("fails");
        };
    Divisible work = new Divisible(1, 1, fails, 1, rows);
    assertThrows(IllegalStateException.class, () -> pass.run(work));
    assertEquals(-1, pass.roundedAt(rows));
  }

  @Test
  void aMatrixMustFitItsValues() {
    var e = assertThrows(IllegalArgumentException.class, () -> new Matrix(new float[5], 2, 3));
    assertEquals("2 × 3 does not fit into 5 floats", e.getMessage());
    e = assertThrows(IllegalArgumentException.class, () -> new Matrix(new float[5], -1, 3));
    assertEquals("-1 × 3 does not fit into 5 floats", e.getMessage());
  }

  @Test
  void whatLayersShareIsMadeOnceAPass() {
    Object made = pass.once(List.of(1, 2), Object::new);
    assertSame(made, pass.once(List.of(1, 2), Object::new), "an equal key");
    assertNotSame(made, pass.once(List.of(1, 3), Object::new), "another key");
    pass.begin();
    assertNotSame(made, pass.once(List.of(1, 2), Object::new), "another pass");
  }
}
