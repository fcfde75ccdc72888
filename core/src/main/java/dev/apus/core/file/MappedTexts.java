package dev.apus.core.file;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.AbstractList;
import java.util.Objects;
import java.util.RandomAccess;

/**
 * The texts of an array in a GGUF file, each decoded when it is asked for: a vocabulary is read
 * once, and then takes no memory but the file's. They are there as long as the file is open.
 */
final class MappedTexts extends AbstractList<String> implements RandomAccess {

  /** It is known where every so many texts begin; those between are found by their lengths. */
  private static final int APART = 8;

  private final ByteBuffer bytes;
  private final int[] starts;
  private final int size;

  /**
   * @param bytes UTF-8 texts, each behind its length in 64 bits, and nothing else
   * @param size how many there are
   */
  MappedTexts(MemorySegment bytes, int size) {
    this.bytes = bytes.asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    this.starts = new int[Math.ceilDiv(size, APART)];
    this.size = size;
    int at = 0;
    for (int i = 0; i < size; i++) {
      if (i % APART == 0) {
        starts[i / APART] = at;
      }
      at = next(at);
    }
  }

  private int length(int at) {
    return (int) bytes.getLong(at);
  }

  private int next(int at) {
    return at + Long.BYTES + length(at);
  }

  @Override
  public String get(int index) {
    int at = starts[Objects.checkIndex(index, size) / APART];
    for (int i = index % APART; i > 0; i--) {
      at = next(at);
    }
    byte[] text = new byte[length(at)];
    bytes.get(at + Long.BYTES, text);
    return new String(text, StandardCharsets.UTF_8);
  }

  @Override
  public int size() {
    return size;
  }
}
