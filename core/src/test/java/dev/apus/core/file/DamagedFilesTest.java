package dev.apus.core.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/** Reading is total: whatever the bytes, opening returns or throws a FormatException. */
class DamagedFilesTest {

  private static final Function<byte[], TensorFile> SAFETENSORS =
      bytes -> Safetensors.of("m.safetensors", MemorySegment.ofArray(bytes));
  private static final Function<byte[], TensorFile> GGUF =
      bytes -> Gguf.of("m.gguf", MemorySegment.ofArray(bytes));

  @Test
  void safetensorsCutAnywhereIsRefused() {
    cutEverywhere(SafetensorsBuilder.valid().build(), SAFETENSORS);
  }

  @Test
  void ggufCutAnywhereIsRefused() {
    cutEverywhere(everyType().build(), GGUF);
  }

  @Test
  void safetensorsWithAnyBitFlippedIsReadOrRefused() {
    byte[] file = SafetensorsBuilder.valid().build();
    flipEveryBit(file, file.length - 32, SAFETENSORS);
  }

  @Test
  void ggufWithAnyBitFlippedIsReadOrRefused() {
    GgufBuilder file = everyType();
    flipEveryBit(file.build(), file.headerBytes(), GGUF);
  }

  @Test
  void safetensorsWithAnyByteReplacedIsReadOrRefused() {
    replaceBytes(SafetensorsBuilder.valid().build(), SAFETENSORS);
  }

  @Test
  void ggufWithAnyByteReplacedIsReadOrRefused() {
    replaceBytes(everyType().build(), GGUF);
  }

  @Test
  void noiseIsRefused() {
    var random = new SplittableRandom(3);
    for (int i = 0; i < 2000; i++) {
      byte[] noise = new byte[random.nextInt(200)];
      random.nextBytes(noise);
      assertThrows(FormatException.class, () -> SAFETENSORS.apply(noise));
      assertThrows(FormatException.class, () -> GGUF.apply(noise));
    }
  }

  private static void cutEverywhere(byte[] file, Function<byte[], TensorFile> open) {
    open.apply(file).close();
    for (int length = 0; length < file.length; length++) {
      byte[] cut = Arrays.copyOf(file, length);
      var e = assertThrows(FormatException.class, () -> open.apply(cut), "cut to " + length);
      assertTrue(e.getMessage().startsWith("m."), e.getMessage());
    }
  }

  private static void flipEveryBit(
      byte[] file, int headerBytes, Function<byte[], TensorFile> open) {
    int refused = 0;
    for (int bit = 0; bit < headerBytes * 8; bit++) {
      byte[] flipped = file.clone();
      flipped[bit / 8] ^= (byte) (1 << bit % 8);
      refused += readOrRefused(flipped, open) ? 0 : 1;
    }
    assertTrue(refused > headerBytes, "only " + refused + " flipped bits were noticed");
  }

  private static void replaceBytes(byte[] file, Function<byte[], TensorFile> open) {
    var random = new SplittableRandom(2);
    for (int i = 0; i < 5000; i++) {
      byte[] replaced = file.clone();
      int count = random.nextInt(1, 5);
      for (int j = 0; j < count; j++) {
        replaced[random.nextInt(file.length)] = (byte) random.nextInt();
      }
      readOrRefused(replaced, open);
    }
  }

  /** Opens the bytes, looks at all there is, and lets nothing but a FormatException happen. */
  private static boolean readOrRefused(byte[] bytes, Function<byte[], TensorFile> open) {
    try (TensorFile file = open.apply(bytes)) {
      long total = 0;
      for (StoredTensor tensor : file.tensors().values()) {
        total += tensor.data().byteSize();
        assertTrue(tensor.elements() >= 0);
        try {
          tensor.format();
        } catch (FormatException e) {
          assertTrue(e.getMessage().startsWith(file.name() + ": tensor "), e.getMessage());
        }
      }
      assertTrue(total <= bytes.length, "tensors of " + total + " bytes in " + bytes.length);
      return true;
    } catch (FormatException e) {
      assertEquals(0, e.getMessage().indexOf("m."), e.getMessage());
      return false;
    }
  }

  /** A file with a value of each type and no padding behind its last tensor. */
  private static GgufBuilder everyType() {
    return GgufTest.everyType().tensor("a", 0, 24, 3, 2).tensor("b", 8, 34, 32, 1);
  }
}
