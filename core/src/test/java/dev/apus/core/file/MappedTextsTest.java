package dev.apus.core.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Texts that are read where they lie in a file. */
class MappedTextsTest {

  private static final String KEY = "texts";

  /** Lengths in bytes and in characters that differ, and none at all. */
  private static List<String> texts(int count) {
    return IntStream.range(0, count).mapToObj(i -> i % 3 == 0 ? "" : "ß€😀" + i).toList();
  }

  private static byte[] file(int count) {
    return new GgufWriter().texts(KEY, texts(count)).text("behind", "all").toBytes();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 7, 8, 9, 100})
  void holdWhatWasWrittenInAnyOrderOfReading(int count) {
    try (Gguf gguf = Gguf.of("m.gguf", MemorySegment.ofArray(file(count)))) {
      List<?> read = (List<?>) gguf.metadata().get(KEY);
      assertEquals(texts(count), read);
      assertEquals(texts(count).reversed(), new ArrayList<>(read.reversed()));
      assertThrows(IndexOutOfBoundsException.class, () -> read.get(count));
      assertThrows(IndexOutOfBoundsException.class, () -> read.get(-1));
      assertEquals("all", gguf.metadata().get("behind"));
    }
  }

  @Test
  void areGoneWhenTheFileIsClosed(@TempDir Path folder) throws IOException {
    Path file = Files.write(folder.resolve("m.gguf"), file(20));
    Gguf gguf = Gguf.open(file);
    List<?> texts = (List<?>) gguf.metadata().get(KEY);
    gguf.release();
    assertEquals(texts(20), texts);
    gguf.close();
    assertThrows(IllegalStateException.class, () -> texts.get(0));
  }
}
