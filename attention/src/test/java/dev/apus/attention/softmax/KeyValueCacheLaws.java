package dev.apus.attention.softmax;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.model.MixerState;
import dev.apus.core.model.Run;
import dev.apus.core.model.Visibility;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.attention.Attention;
import dev.apus.kernels.attention.CacheFormat;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A cache keeps what was appended, however it grew, was copied, rewound or read back. */
abstract class KeyValueCacheLaws extends CacheBench {

  KeyValueCacheLaws(CacheFormat format, int forgetting, Reach reach) {
    this(format, forgetting, reach, null);
  }

  KeyValueCacheLaws(CacheFormat format, int forgetting, Reach reach, BlockSummary summary) {
    super(format, forgetting, reach, summary);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 5, 64, 65, 200, 100_000})
  void howItGrewDoesNotShow(int limit) {
    int tokens = Math.min(limit, 200);
    try (KeyValueCache one = cache(limit);
        KeyValueCache many = cache(limit)) {
      append(one, tokens, 1);
      for (int length = 0, step = 1; length < tokens; length += step, step = step % 13 + 1) {
        append(many, Math.min(step, tokens - length), 1);
      }
      assertEquals(tokens, many.length());
      assertArrayEquals(content(one), content(many));
    }
  }

  @Test
  void headsMayBeStoredOneByOne() {
    try (KeyValueCache together = cache(200);
        KeyValueCache byHead = cache(200)) {
      append(together, 200, 1);
      appendByHead(byHead, 200, 1);
      assertEquals(200, byHead.length());
      assertArrayEquals(content(together), content(byHead));
    }
  }

  @Test
  void rowsThatOtherRunsSeeAreStoredTogether() {
    try (KeyValueCache cache = cache(200)) {
      append(cache, 5, 1);
      var run = new Run<>(cache, 0, 1, 5);
      assertEquals(summary == null, cache.takesHeads(run));
      assertFalse(cache.takesHeads(run.seeing(Visibility.SURROUNDED)));
    }
  }

  @Test
  void itTakesNothingAtFirstAndNoMoreThanItsLimit() {
    KeyValueCache cache = cache(100);
    assertEquals(0, cache.bytes());
    append(cache, 100, 1);
    int slots = Math.ceilDiv(100, kernel.slotGranularity()) * kernel.slotGranularity();
    int blocks = summary == null ? 0 : 100 / summary.slots();
    assertEquals(recentBytes(slots) + summaryBytes(blocks), cache.bytes());
    cache.close();
    assertEquals(0, cache.bytes());
    cache.close();
  }

  @Test
  void aMarkBringsItBackAgainAndAgain() {
    try (KeyValueCache cache = cache(300)) {
      append(cache, 37, 1);
      float[] then = content(cache);
      MixerState.Mark mark = cache.mark(null);
      for (long seed = 2; seed < 5; seed++) {
        append(cache, (int) (60 * seed), seed);
        mark.rewind();
        assertEquals(37, cache.length());
        assertArrayEquals(then, content(cache));
      }
      append(cache, 10, 1);
      try (KeyValueCache other = cache(300)) {
        append(other, 47, 1);
        assertArrayEquals(content(other), content(cache));
      }
    }
  }

  @Test
  void aCopyGoesItsOwnWay() {
    try (KeyValueCache cache = cache(300)) {
      try (KeyValueCache empty = cache.copy()) {
        append(empty, 3, 1);
        assertEquals(0, cache.length());
      }
      append(cache, 37, 1);
      float[] then = content(cache);
      KeyValueCache copy = cache.copy();
      assertArrayEquals(then, content(copy));
      append(copy, 90, 2);
      copy.close();
      assertArrayEquals(then, content(cache));
    }
  }

  @ParameterizedTest
  @CsvSource({"0, 5", "1, 5", "5, 5", "64, 100", "65, 100", "100, 100"})
  void whatIsWrittenIsReadBack(int tokens, int limit) throws IOException {
    try (KeyValueCache cache = cache(limit);
        KeyValueCache read = cache(limit)) {
      append(cache, tokens, 1);
      append(read, 3, 9);
      read.read(in(written(cache)));
      assertEquals(tokens, read.length());
      append(cache, limit - tokens, 2);
      append(read, limit - tokens, 2);
      assertArrayEquals(content(cache), content(read));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 101, Integer.MAX_VALUE, Integer.MIN_VALUE})
  void aLengthThatCannotBeIsRefusedBeforeAnythingChanges(int length) throws IOException {
    var bytes = new ByteArrayOutputStream();
    var out = new DataOutputStream(bytes);
    out.writeUTF(format.name());
    out.writeInt(length);
    try (KeyValueCache cache = cache(100)) {
      append(cache, 37, 1);
      float[] then = content(cache);
      var e = assertThrows(IOException.class, () -> cache.read(in(bytes.toByteArray())));
      assertEquals("a cache of " + length + " tokens does not fit a limit of 100", e.getMessage());
      assertEquals(37, cache.length());
      assertArrayEquals(then, content(cache));
    }
  }

  /** A length that the file does not hold must not fill the memory. */
  @Test
  void aLengthWithoutSlotsEndsWithTheFile() throws IOException {
    var bytes = new ByteArrayOutputStream();
    var out = new DataOutputStream(bytes);
    out.writeUTF(format.name());
    out.writeInt(Integer.MAX_VALUE);
    out.writeInt(0);
    try (KeyValueCache cache = cache(Integer.MAX_VALUE)) {
      assertThrows(EOFException.class, () -> cache.read(in(bytes.toByteArray())));
    }
  }

  /** What was there before is not written: equal caches are equal files. */
  @Test
  void onlyWhatItHoldsIsWritten() throws IOException {
    try (KeyValueCache cache = cache(600);
        KeyValueCache straight = cache(600)) {
      append(cache, 300, 1);
      MixerState.Mark mark = cache.mark(null);
      append(cache, 280, 2);
      mark.rewind();
      append(straight, 300, 1);
      byte[] written = written(cache);
      assertArrayEquals(written(straight), written);
      long slots = bytes(256) * (pages(300) - 1) + recentBytes(64);
      if (summary != null) {
        slots += 2 + CacheFormat.F32.name().length() + 8 + summaryBytes(300 / summary.slots());
      }
      assertEquals(2 + format.name().length() + 8 + slots, written.length);
    }
  }

  /** Memory for pages to come is no more than half of what there is. */
  @Test
  void aLongCacheTakesLittleMoreThanItHolds() {
    KeyValueCache cache = cache(100_000);
    for (int pages = 1; pages <= 30; pages++) {
      append(cache, CachePage.SLOTS, 1);
      long held = pages(pages * CachePage.SLOTS) * layout(kernel).bytes(CachePage.SLOTS);
      assertTrue(tokenBytes(cache) >= held, pages + " pages");
      assertTrue(tokenBytes(cache) <= held + Math.max(held / 2, 64), pages + " pages");
    }
    append(cache, 1, 1);
    float[] then = content(cache);
    try (KeyValueCache copy = cache.copy()) {
      cache.close();
      assertArrayEquals(then, content(copy), "a copy outlives its original");
    }
  }

  @Test
  void copiesShareWhatNeitherChanges() {
    int tokens = 2 * CachePage.SLOTS + 10;
    try (KeyValueCache cache = cache(5000)) {
      append(cache, tokens, 1);
      long alone = tokenBytes(cache);
      long page = format.settles() ? recentBytes(64) : alone / pages(tokens);
      List<KeyValueCache> copies = new ArrayList<>();
      for (int i = 0; i < 99; i++) {
        copies.add(cache.copy());
      }
      assertEquals(alone, 100 * tokenBytes(cache), 300, "but for what the division drops");
      append(copies.getFirst(), 5, 2);
      assertEquals(alone, sum(cache, copies), 300, "the first to go on does so in place");
      append(copies.get(1), 5, 3);
      assertEquals(alone + page, sum(cache, copies), 300, "the second copies the last page");
      append(cache, 5, 4);
      assertEquals(alone + 2 * page, sum(cache, copies), 300, "and so does the third");
      for (int i = 0; i < 2; i++) {
        assertArrayEquals(made(tokens, 5, i + 2), content(copies.get(i)));
      }
      assertArrayEquals(made(tokens, 5, 4), content(cache));
      assertArrayEquals(made(tokens, 0, 0), content(copies.get(2)));
      copies.forEach(KeyValueCache::close);
      assertEquals(alone, tokenBytes(cache), "whoever is left has it all");
      assertArrayEquals(made(tokens, 5, 4), content(cache));
    }
  }

  private static long sum(KeyValueCache cache, List<KeyValueCache> copies) {
    return tokenBytes(cache) + copies.stream().mapToLong(KeyValueCacheLaws::tokenBytes).sum();
  }

  private float[] made(int tokens, int more, long seed) {
    try (KeyValueCache cache = cache(5000)) {
      append(cache, tokens, 1);
      append(cache, more, seed);
      return content(cache);
    }
  }

  /** Each of three caches that share pages goes back, on, elsewhere and back again. */
  @Test
  void marksOfCachesThatShareAreIndependent() {
    try (KeyValueCache cache = cache(2000)) {
      append(cache, 300, 1);
      MixerState.Mark early = cache.mark(null);
      append(cache, 300, 2);
      MixerState.Mark late = cache.mark(null);
      float[] there = content(cache);
      KeyValueCache copy = cache.copy();
      early.rewind();
      append(cache, 330, 3);
      float[] elsewhere = content(cache);
      MixerState.Mark other = cache.mark(null);
      KeyValueCache second = cache.copy();
      for (int again = 0; again < 3; again++) {
        late.rewind();
        assertArrayEquals(there, content(cache));
        append(cache, 10 + 100 * again, 4);
        other.rewind();
        assertArrayEquals(elsewhere, content(cache));
        append(cache, 20, 5);
        early.rewind();
        append(cache, 7, 6);
        cache.become(second);
        assertArrayEquals(elsewhere, content(cache));
        append(cache, 1, again);
        assertArrayEquals(there, content(copy));
        assertArrayEquals(elsewhere, content(second));
      }
      copy.close();
      second.close();
      late.rewind();
      assertArrayEquals(there, content(cache));
      assertTrue(other.bytes() > 0);
      other.close();
      assertEquals(0, other.bytes());
      assertThrows(IllegalStateException.class, other::rewind);
    }
  }

  /** A copy may outgrow what its original was made for. */
  @Test
  void aLongerCacheTakesOverAShorterOne() {
    try (KeyValueCache small = cache(65);
        KeyValueCache large = cache(5000)) {
      append(small, 65, 1);
      large.become(small);
      append(large, 400, 1);
      try (KeyValueCache straight = cache(5000)) {
        append(straight, 465, 1);
        assertArrayEquals(content(straight), content(large));
      }
      assertEquals(65, small.length());
    }
  }

  @Test
  void aCacheOfAnotherFormatIsRefused() throws IOException {
    CacheFormat other = format == CacheFormat.F32 ? CacheFormat.BF16 : CacheFormat.F32;
    Attention others = Kernels.chosen().attention(other);
    try (KeyValueCache cache = cache(100);
        var written = new KeyValueCache(layout(others), 100, null)) {
      append(cache, 37, 1);
      append(written, 5, 2);
      float[] then = content(cache);
      var e = assertThrows(IOException.class, () -> cache.read(in(written(written))));
      assertEquals(
          "a cache in " + other + " was written, this one is in " + format, e.getMessage());
      assertArrayEquals(then, content(cache));
    }
  }

  /** A file that ends too early leaves the cache as it was. */
  @Test
  void aShortFileIsRefusedBeforeAnythingChanges() throws IOException {
    try (KeyValueCache cache = cache(100);
        KeyValueCache other = cache(100)) {
      append(cache, 37, 1);
      append(other, 80, 2);
      float[] then = content(cache);
      byte[] written = written(other);
      for (int length : new int[] {0, 3, 4, 7, 8, 9, written.length / 2, written.length - 1}) {
        assertThrows(EOFException.class, () -> cache.read(in(Arrays.copyOf(written, length))));
        assertEquals(37, cache.length());
        assertArrayEquals(then, content(cache));
      }
    }
  }

  @Test
  void itHoldsItsTextHoweverItGotThere() throws IOException {
    new CacheWalk(this).walk(150);
  }

  /** A mark takes the pages that go while it is open, and only those that it needs. */
  @Test
  void aMarkKeepsWhatIsForgotten() {
    try (KeyValueCache cache = cache(3000)) {
      append(cache, 1000, 1);
      float[] then = content(cache);
      try (MixerState.Mark mark = cache.mark(null)) {
        assertEquals(0, mark.bytes());
        append(cache, 1000, 2);
        int own = format.settles() ? 1000 / CachePage.SLOTS : CachePage.count(1000);
        long gone =
            IntStream.range(0, own).filter(page -> needs(page, 1000) && !needs(page, 2000)).count();
        long recent = format.settles() ? recentBytes(CachePage.SLOTS) : 0;
        assertEquals(gone * bytes(CachePage.SLOTS) + recent, mark.bytes());
        mark.rewind();
        assertEquals(0, mark.bytes());
        assertArrayEquals(then, content(cache));
      }
    }
  }

  /** What a cache with a window says it takes at most is what it takes at most. */
  @Test
  void itTakesNoMoreThanItsReachNeeds() {
    if (!reach.isBounded()) {
      long recent = format.settles() ? recentBytes(CachePage.SLOTS) : 0;
      assertEquals(recent, layout(kernel).windowBytes(reach));
      return;
    }
    assertEquals(0, layout(kernel).bytesPerToken(reach));
    long most = 0;
    try (KeyValueCache cache = cache(3000)) {
      for (int i = 0; i < 2500; i++) {
        append(cache, 1, 1);
        most = Math.max(most, cache.bytes());
      }
      long rest = layout(kernel).windowBytes(reach) - most;
      assertTrue(rest >= 0 && rest <= (format.settles() ? 2 * bytes(CachePage.SLOTS) : 0));
      int partial = reach.pinned() == 0 ? 2 : 3;
      int slots = reach.window() + reach.pinned() + partial * CachePage.SLOTS;
      most -= format.settles() ? recentBytes(CachePage.SLOTS) : 0;
      assertTrue(most <= slots * bytes(CachePage.SLOTS) / CachePage.SLOTS, most + " bytes");
    }
  }
}
