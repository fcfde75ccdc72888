package dev.apus.core;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.apus.core.file.Gguf;
import dev.apus.core.file.GgufWriter;
import org.junit.jupiter.api.Test;

class GgufCopyTest {

  /** Other programs refuse rules of a normalizer that are no bytes. */
  @Test
  void bytesStayBytes() {
    byte[] rules = {0, 1, 127, -128, -1};
    GgufWriter to = new GgufWriter();
    try (Gguf from =
        new GgufWriter().u8s("rules", rules).i32s("types", 1, 300).preview("from.gguf")) {
      GgufCopy.metadata(from, to);
    }
    try (Gguf copy = to.preview("to.gguf")) {
      assertEquals(2, copy.metadata().size());
      assertArrayEquals(rules, (byte[]) copy.metadata().get("rules"));
      assertArrayEquals(new int[] {1, 300}, (int[]) copy.metadata().get("types"));
    }
  }
}
