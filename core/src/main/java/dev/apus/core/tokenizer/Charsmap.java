package dev.apus.core.tokenizer;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Rules of normalization as SentencePiece compiles them: texts, and what to write instead.
 *
 * <p>The rules are a double array (Aoe, 1989) of packed 32-bit units over UTF-8 bytes; its values
 * point into texts that end in a zero byte.
 */
final class Charsmap {

  /** No rules at all. */
  static final Charsmap NONE = new Charsmap("", new int[0], new byte[0]);

  private static final int VALUE = 0x7FFF_FFFF;

  private final String where;
  private final int[] units;
  private final byte[] texts;

  private Charsmap(String where, int[] units, byte[] texts) {
    this.where = where;
    this.units = units;
    this.texts = texts;
  }

  /** Reads compiled rules; {@code where} says where they stand, for errors. */
  static Charsmap of(String where, byte[] compiled) {
    if (compiled.length == 0) {
      return NONE;
    }
    ByteBuffer bytes = ByteBuffer.wrap(compiled).order(ByteOrder.LITTLE_ENDIAN);
    long size = compiled.length < Integer.BYTES ? -1 : Integer.toUnsignedLong(bytes.getInt());
    if (size < Integer.BYTES || size % Integer.BYTES != 0 || size >= bytes.remaining()) {
      throw new TokenizerException(
          where + " is broken: " + compiled.length + " bytes with a table of " + size);
    }
    int[] units = new int[(int) size / Integer.BYTES];
    bytes.asIntBuffer().get(units);
    byte[] texts = Arrays.copyOfRange(compiled, Integer.BYTES + (int) size, compiled.length);
    if (texts[texts.length - 1] != 0) {
      throw new TokenizerException(where + " is broken: its last text has no end");
    }
    return new Charsmap(where, units, texts);
  }

  /** The compiled rules that {@link #of} reads. */
  byte[] compiled() {
    if (units.length == 0) {
      return new byte[0];
    }
    int size = units.length * Integer.BYTES;
    ByteBuffer bytes =
        ByteBuffer.allocate(Integer.BYTES + size + texts.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putInt(size);
    bytes.asIntBuffer().put(units);
    return bytes.position(Integer.BYTES + size).put(texts).array();
  }

  /** Takes the rules that hold at a place, the shortest first. */
  interface Found {

    /** Takes a rule; false ends the search. */
    boolean rule(int end, int value);
  }

  /** Finds the rules whose texts begin at a place; what is written for one is {@link #text}. */
  void find(String text, int from, int to, Found found) {
    if (units.length == 0) {
      return;
    }
    int node = base(units[0]);
    for (int at = from, end; at < to; at = end) {
      int c = text.codePointAt(at);
      end = at + Character.charCount(c);
      int width = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x1_0000 ? 3 : 4;
      int unit = 0;
      for (int i = 0; i < width; i++) {
        int b = utf8(c, width, i);
        node ^= b;
        unit = b == 0 ? 0 : unit(node);
        // A unit's label is its byte; one that holds a value has the sign bit and is no child.
        if (b == 0 || (unit & 0x8000_00FF) != b) {
          return;
        }
        node ^= base(unit);
      }
      if ((unit >>> 8 & 1) == 1 && !found.rule(end, unit(node) & VALUE)) {
        return;
      }
    }
  }

  String text(int value) {
    if (value >= texts.length) {
      throw broken();
    }
    int end = value;
    while (texts[end] != 0) {
      end++;
    }
    return new String(texts, value, end - value, StandardCharsets.UTF_8);
  }

  private static int utf8(int c, int width, int i) {
    if (width == 1) {
      return c;
    }
    int bits = c >>> 6 * (width - 1 - i);
    return i > 0 ? 0x80 | (bits & 0x3F) : (0xF0 << (4 - width) & 0xFF) | bits;
  }

  private int unit(int index) {
    if (index < 0 || index >= units.length) {
      throw broken();
    }
    return units[index];
  }

  private static int base(int unit) {
    return unit >>> 10 << ((unit & 1 << 9) >>> 6);
  }

  private TokenizerException broken() {
    return new TokenizerException(where + " is broken: a rule leads outside of it");
  }
}
