package dev.apus.core.model;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NativeFloatsTest {

  private static NativeFloats random(long bytes, long seed) {
    NativeFloats floats = NativeFloats.ofBytes(bytes);
    byte[] content = new byte[(int) floats.bytes()];
    new SplittableRandom(seed).nextBytes(content);
    floats.segment().copyFrom(MemorySegment.ofArray(content));
    return floats;
  }

  private static byte[] content(NativeFloats floats) {
    return floats.segment().toArray(JAVA_BYTE);
  }

  private static byte[] written(NativeFloats floats) throws IOException {
    var bytes = new ByteArrayOutputStream();
    floats.write(new DataOutputStream(bytes));
    return bytes.toByteArray();
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 4, 64, 68, 100_000})
  void memoryIsAlignedAndZero(long bytes) {
    try (NativeFloats floats = NativeFloats.ofBytes(bytes)) {
      assertEquals(Math.max(64, bytes), floats.bytes());
      assertEquals(0, floats.segment().address() % 64);
      assertArrayEquals(new byte[(int) floats.bytes()], content(floats));
    }
  }

  /** Below, at and past the size of a chunk. */
  @ParameterizedTest
  @ValueSource(longs = {64, 68, 65_536, 65_540, 200_000})
  void whatIsWrittenIsReadBack(long bytes) throws IOException {
    try (NativeFloats floats = random(bytes, bytes);
        NativeFloats other = random(bytes, 1)) {
      byte[] written = written(floats);
      assertArrayEquals(content(floats), written);
      other.read(new DataInputStream(new ByteArrayInputStream(written)));
      assertArrayEquals(content(floats), content(other));
    }
  }

  @Test
  void bytesAreLittleEndian() throws IOException {
    try (NativeFloats floats = NativeFloats.ofBytes(64)) {
      floats.segment().setAtIndex(JAVA_FLOAT, 0, 1);
      byte[] written = written(floats);
      assertArrayEquals(
          new byte[] {0, 0, (byte) 0x80, 0x3f},
          new byte[] {written[0], written[1], written[2], written[3]});
    }
  }

  @Test
  void aShortFileIsRefused() throws IOException {
    try (NativeFloats floats = random(70_000, 2)) {
      byte[] written = written(floats);
      for (int length : new int[] {0, 1, 65_536, 69_999}) {
        var in = new DataInputStream(new ByteArrayInputStream(written, 0, length));
        assertThrows(EOFException.class, () -> floats.read(in));
      }
    }
  }

  @Test
  void aCopyIsIndependent() {
    try (NativeFloats floats = random(100, 3);
        NativeFloats copy = floats.copy()) {
      assertArrayEquals(content(floats), content(copy));
      copy.segment().fill((byte) 0);
      assertArrayEquals(content(random(100, 3)), content(floats));
    }
  }

  @Test
  void closingTwiceIsClosing() {
    NativeFloats floats = random(100, 3);
    NativeFloats copy = floats.copy();
    floats.close();
    floats.close();
    assertThrows(IllegalStateException.class, () -> floats.segment().get(JAVA_BYTE, 0));
    assertEquals(content(copy).length, 100);
    copy.close();
  }
}
