package dev.apus.models;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.Model;
import dev.apus.core.ModelOptions;
import dev.apus.core.Session;
import dev.apus.core.file.FormatException;
import dev.apus.kernels.attention.CacheFormat;
import dev.apus.kernels.block.WeightFormat;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** What a session has computed belongs to its user: it forks, goes back, and survives in a file. */
class SavedSessionTest {

  static final List<String> families =
      Stream.concat(TinyModels.FAMILIES.stream(), TinyModels.WHOLE_FAMILIES.stream()).toList();

  private static final int[] TEXT = TinyModels.tokens(43, 3);

  @TempDir Path folder;

  private static Model model(String family) {
    return model(family, 5, ModelOptions.standard().withThreads(2));
  }

  private static Model model(String family, long seed, ModelOptions options) {
    return Model.random(TinyModels.architecture(family), seed, WeightFormat.F32, options);
  }

  @ParameterizedTest
  @FieldSource("families")
  void everyWayBackLeadsToTheSameBits(String family) throws IOException {
    Path file = folder.resolve("session.apus");
    float[][] expected;
    try (Model model = model(family);
        Session session = model.newSession(TinyModels.LIMIT)) {
      session.append(TEXT);
      float[] logits = session.logits();
      session.save(file);
      try (Session.SessionMark mark = session.mark();
          Session fork = session.fork()) {
        expected = TinyModels.continued(session);
        assertArrayEquals(expected, TinyModels.continued(fork));
        mark.rewind();
        assertArrayEquals(logits, session.logits());
        assertArrayEquals(expected, TinyModels.continued(session));
        fork.save(folder.resolve("fork.apus"));
        session.save(folder.resolve("again.apus"));
        assertArrayEquals(
            Files.readAllBytes(folder.resolve("again.apus")),
            Files.readAllBytes(folder.resolve("fork.apus")),
            "equal sessions are equal files");
      }
      try (Session restored = model.restore(file)) {
        assertArrayEquals(TEXT, restored.tokens());
        assertEquals(TinyModels.LIMIT, restored.limit());
        assertArrayEquals(logits, restored.logits());
        assertArrayEquals(expected, TinyModels.continued(restored));
      }
    }
    try (Model another = model(family, 5, ModelOptions.standard().withThreads(1));
        Session restored = another.restore(file)) {
      assertArrayEquals(expected, TinyModels.continued(restored), "another process does as well");
    }
  }

  @Test
  void whatIsDueStaysDue() throws IOException {
    var bytes = new ByteArrayOutputStream();
    try (Model model = model("qwen3_next");
        Session empty = model.newSession(50);
        Session session = model.newSession(50)) {
      empty.save(bytes);
      session.append(TEXT);
      session.save(bytes);
      session.logits();
      session.append(1, 2, 3);
      session.save(bytes);
      var in = new ByteArrayInputStream(bytes.toByteArray());
      try (Session first = model.restore(in, "first");
          Session second = model.restore(in, "second");
          Session third = model.restore(in, "third")) {
        assertEquals(0, first.length());
        first.append(TEXT);
        assertArrayEquals(first.logits(), second.logits());
        assertArrayEquals(session.logits(), third.logits());
        assertEquals(46, third.length());
      }
    }
  }

  @Test
  void aLongerLimitLetsASessionGoOn() throws IOException {
    Path file = folder.resolve("session.apus");
    try (Model model = model("qwen3_next");
        Session session = model.newSession(100)) {
      session.append(TEXT);
      session.logits();
      session.save(file);
      float[][] expected = TinyModels.continued(session);
      try (Session restored = model.restore(file, 43 + 5)) {
        assertArrayEquals(expected, TinyModels.continued(restored));
        assertThrows(IllegalArgumentException.class, () -> restored.append(1));
      }
      assertEquals(
          "session.apus: holds 43 tokens; the limit is 42; needed: a limit of 43 at least",
          refusal(model, file, 42));
    }
  }

  /** Keys that were turned for a short text are of no use to a long one. */
  @Test
  void aLimitThatTurnsKeysOtherwiseIsRefused() throws IOException {
    Path file = folder.resolve("session.apus");
    ModelOptions options = ModelOptions.standard().withThreads(2);
    try (Model model = Model.random(TinyModels.dependentOnLimit(), 5, WeightFormat.F32, options);
        Session session = model.newSession(100)) {
      session.append(TEXT);
      session.save(file);
      model.restore(file, 512).close();
      session.logits();
      session.save(file);
      try (Session longer = model.newSession(900)) {
        longer.append(TEXT);
        assertFalse(Arrays.equals(session.logits(), longer.logits()), "the limit must matter");
      }
      assertEquals(
          "session.apus: was saved with a limit of 100, found is one of 900; needed: a limit by"
              + " which the model turns keys alike, such as the saved one",
          refusal(model, file, 900));
    }
  }

  private static String refusal(Model model, Path file, int limit) {
    return assertThrows(
            FormatException.class,
            () -> (limit == 0 ? model.restore(file) : model.restore(file, limit)).close())
        .getMessage();
  }

  private Path saved(String family) throws IOException {
    Path file = folder.resolve(family + ".apus");
    try (Model model = model(family);
        Session session = model.newSession(50)) {
      session.append(TEXT);
      session.logits();
      session.save(file);
    }
    return file;
  }

  @Test
  void anotherModelIsRefused() throws IOException {
    Path file = saved("qwen3_next");
    ModelOptions options = ModelOptions.standard().withThreads(2);
    try (Model other = model("qwen3_next", 6, options)) {
      String message = refusal(other, file, 0);
      assertTrue(
          message.matches(
              "qwen3_next.apus: was saved by a model with weights [0-9a-f]{12} of qwen3_next;"
                  + " needed: [0-9a-f]{12}, as here"),
          message);
    }
    try (Model other = model("llama")) {
      String message = refusal(other, file, 0);
      assertTrue(
          message.matches(
              "qwen3_next.apus: was saved by a model with architecture qwen3_next [0-9a-f]{12};"
                  + " needed: llama [0-9a-f]{12}"),
          message);
    }
    try (Model other = model("qwen3_next", 5, options.withCache(CacheFormat.BF16))) {
      assertEquals(
          "qwen3_next.apus: was saved by a model with caches in F32; needed: BF16",
          refusal(other, file, 0));
    }
  }

  @Test
  void everyKindOfDamageIsFound() throws IOException {
    Path file = saved("qwen3_next");
    byte[] good = Files.readAllBytes(file);
    try (Model model = model("qwen3_next")) {
      for (int length = 0; length < good.length; length += 1 + length / 50) {
        Files.write(file, Arrays.copyOf(good, length));
        String message = refusal(model, file, 0);
        assertTrue(message.startsWith("qwen3_next.apus: ends at byte " + length), message);
      }
      for (int at = 0; at < good.length; at += 1 + at / 50) {
        byte[] bad = good.clone();
        bad[at] ^= (byte) (1 << at % 8);
        Files.write(file, bad);
        String message = refusal(model, file, 0);
        assertTrue(message.startsWith("qwen3_next.apus: "), message);
      }
      Files.write(file, Arrays.copyOf(good, good.length + 1));
      assertTrue(refusal(model, file, 0).contains("goes on after its end"));
      Files.delete(file);
      assertEquals(
          "qwen3_next.apus: is not there; needed: a saved session at " + file,
          refusal(model, file, 0));
      Files.write(file, good);
      model.restore(file).close();
    }
  }

  /** A caller's disk may fill up at any byte. */
  @Test
  void aSaveThatFailsLeavesTheOldFileAndTheSession() throws IOException {
    Path file = saved("qwen3_next");
    byte[] good = Files.readAllBytes(file);
    try (Model model = model("qwen3_next");
        Session session = model.newSession(50)) {
      session.append(TEXT);
      session.logits();
      Files.delete(file);
      Files.createDirectory(file);
      Files.createFile(file.resolve("in the way"));
      assertThrows(IOException.class, () -> session.save(file));
      assertEquals(List.of(file), Files.list(folder).toList(), "no draft is left");
      Path elsewhere = folder.resolve("good.apus");
      session.save(elsewhere);
      assertArrayEquals(good, Files.readAllBytes(elsewhere));
    }
  }

  @Test
  void aFileIsAboutAsLargeAsWhatItHolds() throws IOException {
    Path file = folder.resolve("session.apus");
    try (Model model = model("llama");
        Session session = model.newSession(10_000)) {
      session.append(TinyModels.tokens(300, 1));
      session.logits();
      session.save(file);
      long state = 320 * model.stateBytesPerToken();
      long rest = 4 * (300 + 192) + 1000;
      assertTrue(Files.size(file) <= state + rest, Files.size(file) + " bytes for " + state);
    }
  }
}
