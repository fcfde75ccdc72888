package dev.apus.models;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.Model;
import dev.apus.core.ModelOptions;
import dev.apus.core.Session;
import dev.apus.core.model.Architecture.Branch;
import dev.apus.core.model.Architecture.Layer;
import dev.apus.core.model.Part;
import dev.apus.core.model.Wiring;
import dev.apus.core.model.Wiring.Reads;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.block.WeightFormat;
import dev.apus.models.TinyModels.Tiny;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Sessions over texts that are much longer than the windows of their layers. */
class ForgettingTest {

  private static final int LENGTH = 1300;
  private static final int[] TEXT = TinyModels.tokens(LENGTH, 3);

  @TempDir Path folder;

  private static Model model(String family) {
    ModelOptions options = ModelOptions.standard().withThreads(2);
    return Model.random(TinyModels.architecture(family), 5, WeightFormat.F32, options);
  }

  private static float[] advance(Session session, int from, int to) {
    session.append(Arrays.copyOfRange(TEXT, from, to));
    return session.logits();
  }

  @ParameterizedTest
  @ValueSource(strings = {"gemma3", "ministral", "zaya"})
  void everyWayBackLeadsToTheSameBits(String family) throws IOException {
    Path file = folder.resolve("session.apus");
    try (Model model = model(family);
        Session session = model.newSession(2000)) {
      advance(session, 0, 700);
      session.save(file);
      try (Session.SessionMark mark = session.mark();
          Session fork = session.fork();
          Session restored = model.restore(file)) {
        float[] near = advance(session, 700, 703);
        float[] far = advance(session, 703, LENGTH);
        for (Session other : new Session[] {fork, restored, session}) {
          if (other == session) {
            mark.rewind();
          }
          assertArrayEquals(near, advance(other, 700, 703));
          assertArrayEquals(far, advance(other, 703, LENGTH));
        }
        session.save(folder.resolve("one.apus"));
        restored.save(folder.resolve("other.apus"));
        byte[] one = Files.readAllBytes(folder.resolve("one.apus"));
        assertArrayEquals(one, Files.readAllBytes(folder.resolve("other.apus")));
        long kept = model.windowBytes() + (LENGTH + 63) * model.stateBytesPerToken();
        assertTrue(one.length <= kept + 4 * (LENGTH + 192) + 10_000, one.length + " bytes");
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"gemma3", "ministral", "zaya"})
  void aSessionTakesNoMoreThanTheModelSays(String family) {
    try (Model model = model(family);
        Session empty = model.newSession(2000);
        Session session = model.newSession(2000)) {
      assertTrue(model.windowBytes() > 0);
      for (int to = 1, from = 0;
          from < LENGTH;
          from = to, to = Math.min(LENGTH, to + to % 300 + 1)) {
        advance(session, from, to);
        // Memory is taken ahead of half of what a cache has, at most.
        long growing = 3 * Math.max(256, to) / 2 * model.stateBytesPerToken();
        long most = empty.bytes() + model.windowBytes() + growing;
        assertTrue(session.bytes() <= most, session.bytes() + " bytes for " + to + " tokens");
      }
    }
  }

  /** A layer that sees a few tokens keeps those that a later reader of its state still sees. */
  @Test
  void aReaderMayReachFurtherThanTheLayerThatItReads() {
    int[] text = TinyModels.tokens(900, 3);
    for (int reach : new int[] {0, 400}) {
      Part near = SharingTest.ATTENTION.with("window", 5);
      Part far = reach == 0 ? SharingTest.ATTENTION : SharingTest.ATTENTION.with("window", reach);
      Wiring embedded = Wiring.PLAIN.reading(Reads.of(Wiring.EMBEDDING));
      Layer keeper = Layer.of(Branch.mixer(near, SharingTest.NORM).wired(embedded));
      Layer reader = Layer.of(Branch.mixer(far, SharingTest.NORM).wired(embedded.stateOf(0)));
      Layer whole = Layer.of(Branch.mixer(SharingTest.ATTENTION, SharingTest.NORM).wired(embedded));
      try (Tiny alone = TinyModels.of(SharingTest.of(keeper), Kernels.chosen(), 2);
          Tiny both = TinyModels.of(SharingTest.of(keeper, reader, reader), Kernels.chosen(), 2);
          Tiny all = TinyModels.of(SharingTest.of(whole), Kernels.chosen(), 2)) {
        assertEquals(0, alone.network().stateBytesPerToken());
        assertTrue(alone.network().windowBytes() > 0);
        assertEquals(reach == 0, both.network().windowBytes() == 0);
        long perToken = reach == 0 ? all.network().stateBytesPerToken() : 0;
        assertEquals(perToken, both.network().stateBytesPerToken());
        float[][] expected = both.run(both.state(), text, 0, text.length);
        var state = both.state();
        for (int from = 0, to; from < text.length; from = to) {
          to = Math.min(text.length, from + 123);
          float[][] found = both.run(state, text, from, to);
          SharingTest.assertSame(Arrays.copyOfRange(expected, from, to), found);
        }
        var kept = all.state();
        all.run(kept, text, 0, text.length);
        assertEquals(reach == 0, kept.bytes() <= state.bytes());
      }
    }
  }
}
