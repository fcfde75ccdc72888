package dev.apus.core.file;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SealedStreamTest {

  private static byte[] content(int length) {
    byte[] content = new byte[length];
    new Random(length).nextBytes(content);
    return content;
  }

  private static byte[] sealed(byte[] content, int version) throws IOException {
    var bytes = new ByteArrayOutputStream();
    var out = new SealedOutput(bytes, "Testable", version);
    int half = content.length / 2;
    out.write(content, 0, half);
    for (int i = half; i < content.length; i++) {
      out.write(content[i]);
    }
    out.finish();
    return bytes.toByteArray();
  }

  private static byte[] read(byte[] sealed) {
    var in = new SealedInput(new ByteArrayInputStream(sealed), "t.bin", "a test", "Testable", 3);
    var read = new ByteArrayOutputStream();
    for (int value = in.read(); value >= 0; value = in.read()) {
      read.write(value);
    }
    in.finishFile();
    return read.toByteArray();
  }

  private static String refusal(byte[] sealed) {
    String message = assertThrows(FormatException.class, () -> read(sealed)).getMessage();
    assertTrue(message.startsWith("t.bin: "), message);
    return message;
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 100, 65_535, 65_536, 65_537, 131_072, 200_000})
  void whatIsWrittenIsReadBack(int length) throws IOException {
    assertArrayEquals(content(length), read(sealed(content(length), 3)));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 100})
  void everyFlippedBitIsFound(int length) throws IOException {
    byte[] sealed = sealed(content(length), 3);
    for (int bit = 0; bit < 8 * sealed.length; bit++) {
      sealed[bit / 8] ^= (byte) (1 << bit % 8);
      refusal(sealed);
      sealed[bit / 8] ^= (byte) (1 << bit % 8);
    }
    assertArrayEquals(content(length), read(sealed));
  }

  @Test
  void aFlippedBitOfALongContentIsFound() throws IOException {
    byte[] sealed = sealed(content(200_000), 3);
    for (int at = 0; at < sealed.length; at += 1009) {
      sealed[at] ^= 16;
      refusal(sealed);
      sealed[at] ^= 16;
    }
  }

  @Test
  void everyCutIsFound() throws IOException {
    byte[] sealed = sealed(content(100), 3);
    for (int length = 0; length < sealed.length; length++) {
      String message = refusal(Arrays.copyOf(sealed, length));
      assertTrue(message.contains("ends at byte " + length), message);
    }
  }

  @Test
  void blocksThatChangePlacesAreFound() throws IOException {
    byte[] sealed = sealed(content(131_072), 3);
    int block = 4 + 65_536 + 4;
    byte[] swapped = sealed.clone();
    System.arraycopy(sealed, 12, swapped, 12 + block, block);
    System.arraycopy(sealed, 12 + block, swapped, 12, block);
    assertTrue(refusal(swapped).contains("the checksum of block 0 is"));
  }

  @Test
  void messagesSayWhatWasFoundAndNeeded() throws IOException {
    assertEquals(
        "t.bin: is a test of version 4; needed: version 3, which this release writes and reads",
        refusal(sealed(content(9), 4)));
    assertEquals(
        "t.bin: is not a test: it begins with 7b2276657273696f; needed: \"Testable\"",
        refusal("{\"version\": 1}".getBytes(java.nio.charset.StandardCharsets.US_ASCII)));
    byte[] sealed = sealed(content(9), 3);
    assertEquals(
        "t.bin: goes on after its end at byte " + sealed.length + "; needed: nothing more",
        refusal(Arrays.copyOf(sealed, sealed.length + 1)));
    sealed[13] = 127;
    assertEquals(
        "t.bin: is damaged at byte 12: block 0 has 8323081 bytes; needed: 0 to 65536",
        refusal(sealed));
  }

  @Test
  void contentThatIsLeftIsFound() throws IOException {
    byte[] sealed = sealed(content(9), 3);
    var in = new SealedInput(new ByteArrayInputStream(sealed), "t.bin", "a test", "Testable", 3);
    assertEquals(8, in.readNBytes(8).length);
    assertThrows(FormatException.class, in::finish);
  }

  @Test
  void whatFollowsStaysInTheStream() throws IOException {
    byte[] sealed = sealed(content(9), 3);
    byte[] more = Arrays.copyOf(sealed, sealed.length + 1);
    more[sealed.length] = 42;
    var bytes = new ByteArrayInputStream(more);
    var in = new SealedInput(bytes, "t.bin", "a test", "Testable", 3);
    in.readAllBytes();
    in.finish();
    assertEquals(42, bytes.read());
  }
}
