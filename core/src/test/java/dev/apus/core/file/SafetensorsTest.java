package dev.apus.core.file;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.apus.kernels.block.WeightFormat;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class SafetensorsTest {

  @Test
  void readsTensorsInTheOrderOfTheHeader() {
    try (Safetensors file = open(SafetensorsBuilder.valid())) {
      assertEquals("m.safetensors", file.name());
      assertEquals(Map.of("format", "pt"), file.metadata());
      assertEquals(List.of("a", "b"), List.copyOf(file.tensors().keySet()));
      StoredTensor a = file.tensors().get("a");
      assertEquals("m.safetensors", a.file());
      assertEquals(List.of(2L, 3L), a.shape());
      assertEquals(6, a.elements());
      assertEquals(WeightFormat.F32, a.format());
      StoredTensor b = file.tensors().get("b");
      assertEquals(WeightFormat.BF16, b.format());
      assertEquals(8, b.data().byteSize());
      assertEquals(24, b.data().get(ValueLayout.JAVA_BYTE, 0));
    }
  }

  @Test
  void theHeaderMayListTensorsInAnotherOrderThanTheData() {
    String header =
        """
        {"z":{"dtype":"U8","shape":[2],"data_offsets":[3,5]},\
        "y":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}}\
        """;
    try (Safetensors file = open(SafetensorsBuilder.valid().header(header).dataBytes(5))) {
      assertEquals(List.of("z", "y"), List.copyOf(file.tensors().keySet()));
      assertEquals(3, file.tensors().get("z").data().get(ValueLayout.JAVA_BYTE, 0));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 7, 4096})
  void whiteSpaceMayPadTheHeader(int padding) {
    SafetensorsBuilder file = SafetensorsBuilder.valid();
    String space = " \n\t\r".repeat(padding);
    open(file.lie("{\"__meta", space + "{\"__meta").lie("32]}}", "32]}}" + space)).close();
  }

  @Test
  void aFileMayHoldNoTensors() {
    try (Safetensors file = open(SafetensorsBuilder.valid().header("{}").dataBytes(0))) {
      assertEquals(Map.of(), file.tensors());
      assertEquals(Map.of(), file.metadata());
    }
  }

  @Test
  void aTensorMayHaveNoValuesOrNoDimensions() {
    String header =
        """
        {"none":{"dtype":"F32","shape":[3,0],"data_offsets":[4,4]},\
        "empty":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},\
        "one":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}\
        """;
    try (Safetensors file = open(SafetensorsBuilder.valid().header(header).dataBytes(4))) {
      assertEquals(0, file.tensors().get("none").elements());
      assertEquals(0, file.tensors().get("empty").data().byteSize());
      assertEquals(1, file.tensors().get("one").elements());
      assertEquals(WeightFormat.F32, file.tensors().get("one").format());
    }
  }

  @ParameterizedTest
  @CsvSource({"F8_E4M3, 24", "Q9, 6", "I64, 3", "Q8_0, 6"})
  void aTypeThatCannotBeComputedWithIsRefusedWhenItIsNeeded(String type, int elements) {
    String lie = "\"%s\",\"shape\":[%d]".formatted(type, elements);
    try (Safetensors file = open(SafetensorsBuilder.valid().lie("\"F32\",\"shape\":[2,3]", lie))) {
      StoredTensor tensor = file.tensors().get("a");
      assertEquals(type, tensor.type());
      assertEquals(elements, tensor.elements());
      var e = assertThrows(FormatException.class, tensor::format);
      assertEquals(
          "m.safetensors: tensor a "
              + (type.equals("Q8_0")
                  ? "has rows of 6 values; Q8_0 stores blocks of 32, so rows must be a multiple of"
                      + " that"
                  : "is "
                      + type
                      + ", which cannot be computed with; supported: F32, F16, BF16, Q8_0, Q4_0,"
                      + " Q4_K, Q5_K, Q6_K, MXFP4"),
          e.getMessage());
    }
  }

  @Test
  void manyTensorsAreNoTrouble() {
    int count = 200_000;
    var header = new StringBuilder("{");
    for (int i = 0; i < count; i++) {
      header
          .append(i == 0 ? "\"t" : ",\"t")
          .append(i)
          .append("\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}");
    }
    header.append('}');
    try (Safetensors file =
        open(SafetensorsBuilder.valid().header(header.toString()).dataBytes(0))) {
      assertEquals(count, file.tensors().size());
    }
  }

  @ParameterizedTest
  @EnumSource(SafetensorsType.class)
  void whatIsWrittenIsRead(SafetensorsType type) {
    List<Long> shape = List.of(3L, 8L);
    byte[] data = new byte[(int) type.bytes(24, Place.file("test"))];
    for (int i = 0; i < data.length; i++) {
      data[i] = (byte) (i * 11);
    }
    byte[] bytes =
        new SafetensorsWriter()
            .metadata("made by", "a \"test\"\n")
            .add("odd", "U8", List.of(5L), MemorySegment.ofArray(new byte[5]))
            .add("w/ö\u0001", type.name(), shape, MemorySegment.ofArray(data))
            .toBytes();
    try (Safetensors file = Safetensors.of("m", MemorySegment.ofArray(bytes))) {
      assertEquals(Map.of("made by", "a \"test\"\n"), file.metadata());
      StoredTensor tensor = file.tensors().get("w/ö\u0001");
      assertEquals(type.name(), tensor.type());
      assertEquals(shape, tensor.shape());
      assertArrayEquals(data, tensor.data().toArray(ValueLayout.JAVA_BYTE));
    }
  }

  @Test
  void theDataOfAWrittenFileBeginsAtAMultipleOf64() {
    for (int length = 1; length < 70; length++) {
      byte[] bytes =
          new SafetensorsWriter().add("n".repeat(length), new float[] {1, -2}, 2).toBytes();
      assertEquals(0, (bytes.length - 8) % 64);
      try (Safetensors file = Safetensors.of("m", MemorySegment.ofArray(bytes))) {
        var floats = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
        MemorySegment data = file.tensors().get("n".repeat(length)).data();
        assertEquals(-2, data.getAtIndex(floats, 1));
      }
    }
  }

  @Test
  void theWriterRefusesWhatTheFormatCannotHold() {
    var writer = new SafetensorsWriter().add("w", new float[2], 1, 2);
    assertMessage(
        "a new safetensors file: tensor x is Q8_0, which safetensors has no name for",
        () -> writer.add("x", "Q8_0", List.of(32L), MemorySegment.ofArray(new byte[34])));
    assertMessage(
        "a new safetensors file: tensor x holds 8 bytes; F32 [3] takes 12",
        () -> writer.add("x", new float[2], 3));
    assertMessage(
        "a new safetensors file: tensor w has a name that is taken",
        () -> writer.add("w", new float[1]));
    assertMessage(
        "a new safetensors file: tensor __metadata__ has a name that is taken",
        () -> writer.add("__metadata__", new float[1]));
  }

  private static void assertMessage(String message, Runnable call) {
    assertEquals(message, assertThrows(FormatException.class, call::run).getMessage());
  }

  private static Safetensors open(SafetensorsBuilder file) {
    return Safetensors.of("m.safetensors", MemorySegment.ofArray(file.build()));
  }
}
