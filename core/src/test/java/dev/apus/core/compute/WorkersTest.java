package dev.apus.core.compute;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The laws of a team: each part once, failures to the caller, and no thread left behind. */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class WorkersTest {

  private static final String NESTED = "a part of a job may not start another job";

  /** How often each of the parts ran in one job. */
  private static int[] runsOf(Workers workers, int parts) {
    var runs = new AtomicIntegerArray(parts);
    workers.run(parts, (part, worker) -> runs.incrementAndGet(part));
    int[] counts = new int[parts];
    Arrays.setAll(counts, runs::get);
    return counts;
  }

  private static int[] once(int parts) {
    int[] ones = new int[parts];
    Arrays.fill(ones, 1);
    return ones;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 7, 16})
  void everyPartRunsExactlyOnce(int threads) {
    try (Workers workers = Workers.of(threads)) {
      assertEquals(threads, workers.threads());
      for (int parts : new int[] {0, 1, 2, 3, threads, threads + 1, 61, 1000}) {
        for (int again = 0; again < 20; again++) {
          assertArrayEquals(once(parts), runsOf(workers, parts), parts + " parts");
        }
      }
    }
  }

  @Test
  void whatPartsWroteIsThereWhenTheJobReturns() {
    try (Workers workers = Workers.of(4)) {
      for (int round = 0; round < 500; round++) {
        int[] written = new int[37];
        int value = round;
        workers.run(written.length, (part, worker) -> written[part] = value + part);
        for (int part = 0; part < written.length; part++) {
          assertEquals(round + part, written[part]);
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 5})
  void noTwoRunningPartsShareAWorker(int threads) {
    var busy = new AtomicIntegerArray(threads);
    var clashes = new AtomicInteger();
    try (Workers workers = Workers.of(threads)) {
      for (int round = 0; round < 50; round++) {
        workers.run(
            64,
            (part, worker) -> {
              clashes.addAndGet(busy.getAndIncrement(worker));
              Thread.onSpinWait();
              busy.decrementAndGet(worker);
            });
      }
    }
    assertEquals(0, clashes.get());
  }

  /** Parts that wait for one another can only end if each has a thread of its own. */
  @Test
  void allThreadsOfTheTeamWorkAtOnce() {
    int threads = 4;
    Set<Integer> seen = ConcurrentHashMap.newKeySet();
    try (Workers workers = Workers.of(threads)) {
      var all = new CountDownLatch(threads);
      workers.run(
          threads,
          (part, worker) -> {
            seen.add(worker);
            all.countDown();
            await(all);
          });
    }
    assertEquals(Set.of(0, 1, 2, 3), seen);
  }

  @ParameterizedTest
  @CsvSource({"1, 0", "1, 5", "2, 0", "2, 60", "7, 13", "7, 60"})
  void whatAPartThrowsReachesTheCallerAndTheTeamGoesOn(int threads, int failing) {
    try (Workers workers = Workers.of(threads)) {
      for (Throwable thrown :
          List.of(new IllegalStateException("part"), new AssertionError("part"))) {
        var caught =
            assertThrows(
                thrown.getClass(),
                () ->
                    workers.run(
                        61,
                        (part, worker) -> {
                          if (part == failing) {
                            throwAny(thrown);
                          }
                        }));
        assertSame(thrown, caught);
        assertArrayEquals(once(61), runsOf(workers, 61));
      }
    }
  }

  @Test
  void afterAFailureUnclaimedPartsAreDropped() {
    var ran = new AtomicInteger();
    try (Workers workers = Workers.of(2)) {
      var both = new CountDownLatch(2);
      assertThrows(
          IllegalStateException.class,
          () ->
              workers.run(
                  1000,
                  (part, worker) -> {
                    ran.incrementAndGet();
                    both.countDown();
                    await(both);
                    throw new IllegalStateException("part " + part);
                  }));
    }
    assertEquals(2, ran.get(), "each thread had one part when both failed");
  }

  @Test
  void aPartMayNotStartAJob() {
    try (Workers workers = Workers.of(3)) {
      Set<Integer> refused = ConcurrentHashMap.newKeySet();
      var all = new CountDownLatch(3);
      workers.run(
          3,
          (part, worker) -> {
            all.countDown();
            await(all);
            var e =
                assertThrows(IllegalStateException.class, () -> workers.run(2, (p, w) -> fail()));
            assertEquals(NESTED, e.getMessage());
            refused.add(worker);
          });
      assertEquals(Set.of(0, 1, 2), refused, "helpers and the caller alike");
      assertArrayEquals(once(9), runsOf(workers, 9));
    }
  }

  @Test
  void severalCallersAtOnceEachGetAllTheirParts() throws InterruptedException {
    try (Workers workers = Workers.of(3)) {
      var wrong = new AtomicReference<Throwable>();
      List<Thread> callers = new ArrayList<>();
      for (int caller = 0; caller < 5; caller++) {
        callers.add(
            Thread.ofPlatform()
                .start(
                    () -> {
                      try {
                        for (int job = 0; job < 300; job++) {
                          assertArrayEquals(once(1 + job % 23), runsOf(workers, 1 + job % 23));
                        }
                      } catch (Throwable e) {
                        wrong.compareAndSet(null, e);
                      }
                    }));
      }
      for (Thread caller : callers) {
        caller.join();
      }
      assertNull(wrong.get());
    }
  }

  /** The second job would never end if it waited for the team. */
  @Test
  void aCallerWhoFindsTheTeamBusyWorksAlone() throws InterruptedException {
    try (Workers workers = Workers.of(2)) {
      var begun = new CountDownLatch(2);
      var release = new CountDownLatch(1);
      Thread first =
          Thread.ofPlatform()
              .start(
                  () ->
                      workers.run(
                          2,
                          (part, worker) -> {
                            begun.countDown();
                            await(release);
                          }));
      begun.await();
      Set<Thread> ran = ConcurrentHashMap.newKeySet();
      Set<Integer> as = ConcurrentHashMap.newKeySet();
      workers.run(
          9,
          (part, worker) -> {
            ran.add(Thread.currentThread());
            as.add(worker);
          });
      assertEquals(Set.of(Thread.currentThread()), ran);
      assertEquals(Set.of(0), as);
      release.countDown();
      first.join();
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 4})
  void afterCloseNoThreadIsLeftAndTheCallerWorksAlone(int threads) throws InterruptedException {
    Workers workers = Workers.of(threads);
    List<Thread> helpers = helpersOf(workers);
    assertEquals(threads - 1, helpers.size());
    assertTrue(helpers.stream().allMatch(Thread::isDaemon), "a team must not keep a JVM alive");
    workers.close();
    workers.close();
    ended(helpers);
    Set<Thread> ran = ConcurrentHashMap.newKeySet();
    workers.run(9, (part, worker) -> ran.add(Thread.currentThread()));
    assertEquals(Set.of(Thread.currentThread()), ran);
    assertArrayEquals(once(9), runsOf(workers, 9));
  }

  @Test
  void aTeamThatNeverWorkedCloses() throws InterruptedException {
    Set<Thread> before = Thread.getAllStackTraces().keySet();
    Workers workers = Workers.of(3);
    List<Thread> helpers = new ArrayList<>(Thread.getAllStackTraces().keySet());
    helpers.removeAll(before);
    helpers.removeIf(thread -> !thread.getName().startsWith("apus-worker-"));
    assertEquals(2, helpers.size());
    workers.close();
    ended(helpers);
  }

  @Test
  void closeWhileBusyLetsTheJobFinish() throws InterruptedException {
    Workers workers = Workers.of(3);
    List<Thread> helpers = helpersOf(workers);
    var runs = new AtomicIntegerArray(100);
    var all = new CountDownLatch(3);
    workers.run(
        100,
        (part, worker) -> {
          all.countDown();
          await(all);
          if (part == 1) {
            workers.close();
          }
          runs.incrementAndGet(part);
        });
    for (int part = 0; part < 100; part++) {
      assertEquals(1, runs.get(part), "part " + part);
    }
    ended(helpers);
  }

  /** An interrupt is no work and no failure. */
  @Test
  void interruptedHelpersGoOn() throws InterruptedException {
    Workers workers = Workers.of(3);
    List<Thread> helpers = helpersOf(workers);
    helpers.forEach(Thread::interrupt);
    for (int round = 0; round < 100; round++) {
      assertArrayEquals(once(9), runsOf(workers, 9));
    }
    workers.close();
    ended(helpers);
  }

  @ParameterizedTest
  @ValueSource(ints = {Integer.MIN_VALUE, -1, 0, 1025, Integer.MAX_VALUE})
  void anImpossibleNumberOfThreadsIsRefused(int threads) {
    var e = assertThrows(IllegalArgumentException.class, () -> Workers.of(threads));
    assertEquals("threads must be between 1 and 1024, found " + threads, e.getMessage());
  }

  @ParameterizedTest
  @CsvSource({"10, 3", "3, 7", "0, 4", "1000003, 17", "2147483647, 1024"})
  void rangesCoverAllItemsAndAreNearlyEqual(int items, int parts) {
    assertEquals(0, Workers.rangeStart(items, parts, 0));
    assertEquals(items, Workers.rangeStart(items, parts, parts));
    for (int part = 0; part < parts; part++) {
      int size =
          Workers.rangeStart(items, parts, part + 1) - Workers.rangeStart(items, parts, part);
      assertTrue(size == items / parts || size == items / parts + 1, "part " + part + ": " + size);
    }
  }

  /** The helper threads, met at work: each holds a part until all do. */
  private static List<Thread> helpersOf(Workers workers) {
    Set<Thread> threads = ConcurrentHashMap.newKeySet();
    var all = new CountDownLatch(workers.threads());
    workers.run(
        workers.threads(),
        (part, worker) -> {
          threads.add(Thread.currentThread());
          all.countDown();
          await(all);
        });
    threads.remove(Thread.currentThread());
    return List.copyOf(threads);
  }

  private static void ended(List<Thread> helpers) throws InterruptedException {
    for (Thread helper : helpers) {
      helper.join();
      assertFalse(helper.isAlive());
    }
  }

  private static void await(CountDownLatch latch) {
    while (latch.getCount() > 0) {
      Thread.onSpinWait();
    }
  }

  private static void fail() {
    throw new AssertionError("the job ran");
  }

  private static void throwAny(Throwable thrown) {
    switch (thrown) {
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      default -> throw new IllegalArgumentException(thrown);
    }
  }
}
