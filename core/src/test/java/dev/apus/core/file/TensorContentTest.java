package dev.apus.core.file;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tensors whose bytes are made while their file is written. */
class TensorContentTest {

  private static final byte[] BYTES = {1, 2, 3, 4, 5, 6, 7, 8};
  private static final List<Long> SHAPE = List.of(2L);

  private static TensorContent bytes(int count) {
    return out -> {
      for (int at = 0; at < count; at++) {
        out.write(ByteBuffer.wrap(new byte[] {BYTES[at % BYTES.length]}));
      }
    };
  }

  @Test
  void theFileIsThatOfTensorsInMemory() {
    MemorySegment data = MemorySegment.ofArray(BYTES);
    assertArrayEquals(
        new GgufWriter().add("a", "F32", SHAPE, data).add("b", "F32", SHAPE, data).toBytes(),
        new GgufWriter().add("a", "F32", SHAPE, bytes(8)).add("b", "F32", SHAPE, data).toBytes());
    assertArrayEquals(
        new SafetensorsWriter().add("a", "F32", SHAPE, data).toBytes(),
        new SafetensorsWriter().add("a", "F32", SHAPE, bytes(8)).toBytes());
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 7, 9})
  void moreOrFewerBytesThanPromisedAreAnError(int count) {
    GgufWriter gguf = new GgufWriter().add("a", "F32", SHAPE, bytes(count));
    var e = assertThrows(IllegalStateException.class, gguf::toBytes);
    assertEquals(
        "a new GGUF file: tensor a wrote " + count + " bytes; needed: 8",
        e.getMessage().replace("\"", ""));
    SafetensorsWriter safetensors = new SafetensorsWriter().add("a", "F32", SHAPE, bytes(count));
    assertThrows(IllegalStateException.class, safetensors::toBytes);
  }

  @Test
  void whatNoFileCanHoldIsRefusedWhenItIsAdded() {
    GgufWriter gguf = new GgufWriter().add("a", "F32", SHAPE, bytes(8));
    assertThrows(FormatException.class, () -> gguf.add("a", "F32", SHAPE, bytes(8)));
    assertThrows(FormatException.class, () -> gguf.add("b", "F8_E4M3", SHAPE, bytes(2)));
    assertThrows(FormatException.class, () -> gguf.add("c", "Q8_0", SHAPE, bytes(2)));
    SafetensorsWriter safetensors = new SafetensorsWriter().add("a", "F32", SHAPE, bytes(8));
    assertThrows(FormatException.class, () -> safetensors.add("a", "F32", SHAPE, bytes(8)));
    assertThrows(FormatException.class, () -> safetensors.add("b", "Q8_0", SHAPE, bytes(2)));
  }

  @Test
  void aPreviewShowsWhatReadingWillGive() {
    GgufWriter gguf = new GgufWriter().text("k", "v").add("a", "F32", SHAPE, bytes(8));
    Gguf preview = gguf.preview("new");
    Gguf read = Gguf.of("new", MemorySegment.ofArray(gguf.toBytes()));
    assertEquals(read.metadata(), preview.metadata());
    assertEquals(read.tensors().keySet(), preview.tensors().keySet());
    assertEquals(read.tensors().get("a").shape(), preview.tensors().get("a").shape());
  }
}
