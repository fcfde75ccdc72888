package dev.apus.core.file;

import static dev.apus.core.file.GgufBuilder.array;
import static dev.apus.core.file.GgufBuilder.f32;
import static dev.apus.core.file.GgufBuilder.f64;
import static dev.apus.core.file.GgufBuilder.i16;
import static dev.apus.core.file.GgufBuilder.i32;
import static dev.apus.core.file.GgufBuilder.i64;
import static dev.apus.core.file.GgufBuilder.i8;
import static dev.apus.core.file.GgufBuilder.string;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.apus.kernels.block.WeightFormat;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class GgufTest {

  /** A value of each type at the end of its range, and an array of each. */
  static GgufBuilder everyType() {
    return new GgufBuilder()
        .key("u8", GgufBuilder.UINT8, i8(255))
        .key("i8", GgufBuilder.INT8, i8(-128))
        .key("u16", GgufBuilder.UINT16, i16(65535))
        .key("i16", GgufBuilder.INT16, i16(-32768))
        .key("u32", GgufBuilder.UINT32, i32(-1))
        .key("i32", GgufBuilder.INT32, i32(Integer.MIN_VALUE))
        .key("f32", GgufBuilder.FLOAT32, f32(1.5f))
        .key("bool", GgufBuilder.BOOL, i8(1))
        .key("string", GgufBuilder.STRING, string("naïve 字\u0000"))
        .key("u64", GgufBuilder.UINT64, i64(Long.MAX_VALUE))
        .key("i64", GgufBuilder.INT64, i64(Long.MIN_VALUE))
        .key("f64", GgufBuilder.FLOAT64, f64(-0.0))
        .key("u8s", GgufBuilder.ARRAY, array(GgufBuilder.UINT8, 2, i8(255), i8(1)))
        .key("i8s", GgufBuilder.ARRAY, array(GgufBuilder.INT8, 2, i8(-1), i8(1)))
        .key("u16s", GgufBuilder.ARRAY, array(GgufBuilder.UINT16, 1, i16(-1)))
        .key("i16s", GgufBuilder.ARRAY, array(GgufBuilder.INT16, 1, i16(-1)))
        .key("u32s", GgufBuilder.ARRAY, array(GgufBuilder.UINT32, 1, i32(-1)))
        .key("i32s", GgufBuilder.ARRAY, array(GgufBuilder.INT32, 1, i32(-1)))
        .key("f32s", GgufBuilder.ARRAY, array(GgufBuilder.FLOAT32, 1, f32(Float.NaN)))
        .key("bools", GgufBuilder.ARRAY, array(GgufBuilder.BOOL, 2, i8(1), i8(0)))
        .key("strings", GgufBuilder.ARRAY, array(GgufBuilder.STRING, 2, string("a"), string("")))
        .key("u64s", GgufBuilder.ARRAY, array(GgufBuilder.UINT64, 1, i64(7)))
        .key("i64s", GgufBuilder.ARRAY, array(GgufBuilder.INT64, 1, i64(-7)))
        .key("f64s", GgufBuilder.ARRAY, array(GgufBuilder.FLOAT64, 1, f64(0.1)))
        .key("none", GgufBuilder.ARRAY, array(GgufBuilder.STRING, 0));
  }

  @Test
  void readsMetadataOfEachType() {
    try (Gguf gguf = open(everyType())) {
      Map<String, Object> metadata = gguf.metadata();
      assertEquals(255L, metadata.get("u8"));
      assertEquals(-128L, metadata.get("i8"));
      assertEquals(65535L, metadata.get("u16"));
      assertEquals(-32768L, metadata.get("i16"));
      assertEquals(4294967295L, metadata.get("u32"));
      assertEquals((long) Integer.MIN_VALUE, metadata.get("i32"));
      assertEquals(1.5, metadata.get("f32"));
      assertEquals(true, metadata.get("bool"));
      assertEquals("naïve 字\u0000", metadata.get("string"));
      assertEquals(Long.MAX_VALUE, metadata.get("u64"));
      assertEquals(Long.MIN_VALUE, metadata.get("i64"));
      assertEquals(-0.0, metadata.get("f64"));
      assertArrayEquals(new byte[] {-1, 1}, (byte[]) metadata.get("u8s"));
      assertArrayEquals(new int[] {-1, 1}, (int[]) metadata.get("i8s"));
      assertArrayEquals(new int[] {65535}, (int[]) metadata.get("u16s"));
      assertArrayEquals(new int[] {-1}, (int[]) metadata.get("i16s"));
      assertArrayEquals(new long[] {4294967295L}, (long[]) metadata.get("u32s"));
      assertArrayEquals(new int[] {-1}, (int[]) metadata.get("i32s"));
      assertArrayEquals(new float[] {Float.NaN}, (float[]) metadata.get("f32s"));
      assertArrayEquals(new boolean[] {true, false}, (boolean[]) metadata.get("bools"));
      assertEquals(List.of("a", ""), metadata.get("strings"));
      assertArrayEquals(new long[] {7}, (long[]) metadata.get("u64s"));
      assertArrayEquals(new long[] {-7}, (long[]) metadata.get("i64s"));
      assertArrayEquals(new double[] {0.1}, (double[]) metadata.get("f64s"));
      assertEquals(List.of(), metadata.get("none"));
      assertEquals(List.of("u8", "i8", "u16"), List.copyOf(metadata.keySet()).subList(0, 3));
      assertEquals(Map.of(), gguf.tensors());
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3})
  void readsTensorsWithTheOuterDimensionFirst(int version) {
    try (Gguf gguf = open(GgufBuilder.valid().lie("version", i32(version)))) {
      assertEquals(List.of("a", "b"), List.copyOf(gguf.tensors().keySet()));
      StoredTensor a = gguf.tensors().get("a");
      assertEquals(List.of(2L, 3L), a.shape());
      assertEquals("F32", a.type());
      assertEquals(WeightFormat.F32, a.format());
      assertEquals(6, a.elements());
      assertEquals(24, a.data().byteSize());
      StoredTensor b = gguf.tensors().get("b");
      assertEquals(WeightFormat.Q8_0, b.format());
      assertEquals(List.of(1L, 32L), b.shape());
      assertEquals(
          33, b.data().get(ValueLayout.JAVA_BYTE, 33) - b.data().get(ValueLayout.JAVA_BYTE, 0));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 8, 64, 4096, 1 << 20})
  void keepsTheAlignmentThatTheFileNames(int alignment) {
    var file =
        new GgufBuilder()
            .alignment(alignment)
            .key("general.alignment", GgufBuilder.UINT32, i32(alignment))
            .tensor("a", 24, 3, 3)
            .tensor("b", 24, 5, 5);
    try (Gguf gguf = open(file)) {
      assertEquals(1, gguf.tensors().get("a").data().get(ValueLayout.JAVA_BYTE, 1));
      assertEquals(5, gguf.tensors().get("b").data().byteSize());
    }
  }

  @Test
  void paddingBehindTheLastTensorMayBeThereOrNot() {
    for (int padding = 0; padding <= 30; padding++) {
      open(GgufBuilder.valid().trailer(padding)).close();
    }
  }

  @ParameterizedTest
  @EnumSource(GgmlType.class)
  void opensEveryTypeAndRefusesThoseItCannotComputeWithWhenAsked(GgmlType type) {
    long row = 256;
    int bytes = (int) type.bytes(List.of(row), Place.file("test"));
    try (Gguf gguf = open(new GgufBuilder().tensor("w", type.id(), bytes, row))) {
      StoredTensor tensor = gguf.tensors().get("w");
      assertEquals(type.name(), tensor.type());
      boolean known =
          Arrays.stream(WeightFormat.values()).anyMatch(f -> f.name().equals(type.name()));
      if (known) {
        assertEquals(WeightFormat.valueOf(type.name()), tensor.format());
      } else {
        var e = assertThrows(FormatException.class, tensor::format);
        assertEquals(
            "m.gguf: tensor w is "
                + type
                + ", which cannot be computed with; supported: F32, F16, BF16, Q8_0, Q4_0, Q4_K,"
                + " Q5_K, Q6_K, MXFP4",
            e.getMessage());
      }
    }
  }

  @ParameterizedTest
  @EnumSource(WeightFormat.class)
  void blocksAreAsLargeAsTheKernelsThink(WeightFormat format) {
    GgmlType type = GgmlType.named(format.name());
    long rows = 3;
    long cols = 4L * format.blockLength();
    assertEquals(rows * format.rowBytes(cols), type.bytes(List.of(rows, cols), Place.file("test")));
  }

  @ParameterizedTest
  @EnumSource(WeightFormat.class)
  void whatIsWrittenIsRead(WeightFormat format) {
    List<Long> shape = List.of(2L, 3L, 2L * format.blockLength());
    byte[] data = new byte[(int) (6 * format.rowBytes(shape.getLast()))];
    for (int i = 0; i < data.length; i++) {
      data[i] = (byte) (i * 7);
    }
    var writer =
        new GgufWriter()
            .add("first", "I8", List.of(1L), MemorySegment.ofArray(new byte[1]))
            .add("w", format.name(), shape, MemorySegment.ofArray(data));
    try (Gguf gguf = Gguf.of("m.gguf", MemorySegment.ofArray(writer.toBytes()))) {
      StoredTensor tensor = gguf.tensors().get("w");
      assertEquals(shape, tensor.shape());
      assertEquals(format, tensor.format());
      assertArrayEquals(data, tensor.data().toArray(ValueLayout.JAVA_BYTE));
    }
  }

  @Test
  void writtenMetadataIsRead() {
    var writer =
        new GgufWriter(64)
            .text("text", "¡hola!")
            .flag("flag", true)
            .u32("u32", 4294967295L)
            .i32("i32", -1)
            .i64("i64", Long.MIN_VALUE)
            .f32("f32", 0.1f)
            .f64("f64", 0.1)
            .texts("texts", List.of("a", "", "ß"))
            .i32s("i32s", 1, -2)
            .f32s("f32s", 0.5f, -0f);
    try (Gguf gguf = Gguf.of("m.gguf", MemorySegment.ofArray(writer.toBytes()))) {
      Map<String, Object> metadata = gguf.metadata();
      List<Object> scalars = new ArrayList<>(metadata.values()).subList(0, 9);
      assertEquals(
          List.of(
              64L,
              "¡hola!",
              true,
              4294967295L,
              -1L,
              Long.MIN_VALUE,
              (double) 0.1f,
              0.1,
              List.of("a", "", "ß")),
          scalars);
      assertArrayEquals(new int[] {1, -2}, (int[]) metadata.get("i32s"));
      assertArrayEquals(new float[] {0.5f, -0f}, (float[]) metadata.get("f32s"));
    }
  }

  @Test
  void theWriterRefusesWhatTheFormatCannotHold() {
    var writer = new GgufWriter().text("a", "").add("w", "I8", List.of(1L), bytes(1));
    assertMessage(
        "a new GGUF file: tensor x is U8, which GGUF has no number for",
        () -> writer.add("x", "U8", List.of(1L), bytes(1)));
    assertMessage(
        "a new GGUF file: tensor x holds 3 bytes; F32 [1] takes 4",
        () -> writer.add("x", "F32", List.of(1L), bytes(3)));
    assertMessage(
        "a new GGUF file: tensor x has a dimension of 0; needed: 1 to 281474976710656",
        () -> writer.add("x", "F32", List.of(0L), bytes(0)));
    assertMessage(
        "a new GGUF file: tensor x has 5 dimensions; at most 4",
        () -> writer.add("x", "I8", List.of(1L, 1L, 1L, 1L, 1L), bytes(1)));
    assertMessage(
        "a new GGUF file: tensor w has a name that is taken",
        () -> writer.add("w", "I8", List.of(1L), bytes(1)));
    assertThrows(IllegalArgumentException.class, () -> writer.text("a", "again"));
    assertThrows(IllegalArgumentException.class, () -> writer.text("b", "\ud800"));
    assertThrows(IllegalArgumentException.class, () -> writer.u32("b", -1));
    assertThrows(IllegalArgumentException.class, () -> new GgufWriter(48));
  }

  private static void assertMessage(String message, Runnable call) {
    assertEquals(message, assertThrows(FormatException.class, call::run).getMessage());
  }

  private static MemorySegment bytes(int count) {
    return MemorySegment.ofArray(new byte[count]);
  }

  private static Gguf open(GgufBuilder file) {
    return Gguf.of("m.gguf", MemorySegment.ofArray(file.build()));
  }
}
