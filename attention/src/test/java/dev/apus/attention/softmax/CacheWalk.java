package dev.apus.attention.softmax;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.apus.core.model.MixerState;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Does things to caches that share pages, in any order: each must hold the text that it should. A
 * text is the seeds of its tokens.
 */
final class CacheWalk {

  private static final int LIMIT = 3000;

  private final CacheBench bench;
  private final SplittableRandom random = new SplittableRandom(7);
  private final List<KeyValueCache> caches = new ArrayList<>();
  private final List<List<Long>> texts = new ArrayList<>();
  private final List<MixerState.Mark> marks = new ArrayList<>();
  private final List<List<Long>> marked = new ArrayList<>();

  CacheWalk(CacheBench bench) {
    this.bench = bench;
    for (int i = 0; i < 2; i++) {
      caches.add(bench.cache(LIMIT));
      texts.add(new ArrayList<>());
    }
  }

  void walk(int steps) throws IOException {
    for (int step = 0; step < steps; step++) {
      switch (random.nextInt(9)) {
        case 0, 1, 2 -> append(0, random.nextInt(step % 2 == 0 ? 30 : 700), step);
        case 3, 4 -> {
          marks.add(caches.getFirst().mark(null));
          marked.add(List.copyOf(texts.getFirst()));
        }
        case 5, 6 -> rewind();
        case 7 -> closeMark();
        default -> share(step);
      }
      check(0, step);
      check(random.nextInt(caches.size()), step);
    }
    caches.forEach(KeyValueCache::close);
    marks.forEach(MixerState.Mark::close);
  }

  private void append(int which, int tokens, long seed) {
    for (int i = 0; i < tokens && texts.get(which).size() < 2000; i++) {
      bench.append(caches.get(which), 1, seed);
      texts.get(which).add(seed);
    }
  }

  private void rewind() {
    if (!marks.isEmpty()) {
      int which = random.nextInt(marks.size());
      marks.get(which).rewind();
      texts.set(0, new ArrayList<>(marked.get(which)));
    }
  }

  private void closeMark() {
    if (marks.size() > 3) {
      int which = random.nextInt(marks.size());
      marks.remove(which).close();
      marked.remove(which);
    }
  }

  /** The first cache, which has the marks, goes to where the second is, and the second goes on. */
  private void share(long seed) throws IOException {
    KeyValueCache first = caches.getFirst();
    KeyValueCache second = caches.get(1);
    if (random.nextBoolean()) {
      first.become(second);
    } else {
      first.read(CacheBench.in(CacheBench.written(second)));
    }
    texts.set(0, new ArrayList<>(texts.get(1)));
    caches.add(second);
    texts.add(List.copyOf(texts.get(1)));
    caches.set(1, second.copy());
    append(1, 40, seed);
  }

  private void check(int which, int step) {
    try (KeyValueCache straight = bench.cache(LIMIT)) {
      texts.get(which).forEach(seed -> bench.append(straight, 1, seed));
      assertEquals(straight.length(), caches.get(which).length());
      String where = "cache " + which + ", step " + step;
      assertArrayEquals(bench.content(straight), bench.content(caches.get(which)), where);
    }
  }
}
