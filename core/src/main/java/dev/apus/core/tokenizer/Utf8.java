package dev.apus.core.tokenizer;

/**
 * Characters of UTF-8 bytes as they come. Every longest beginning of a character that breaks off
 * becomes one U+FFFD, as the Unicode standard recommends (chapter 3, "U+FFFD Substitution of
 * Maximal Subparts"); or every byte of such a beginning does, as SentencePiece has it.
 */
final class Utf8 {

  private static final char REPLACEMENT = '\uFFFD';

  private final boolean countsBytes;
  private int character;
  private int width;
  private int missing;
  private int low;
  private int high;

  Utf8() {
    this(false);
  }

  private Utf8(boolean countsBytes) {
    this.countsBytes = countsBytes;
  }

  /** One that makes a U+FFFD of every byte that is part of no character. */
  static Utf8 countingBytes() {
    return new Utf8(true);
  }

  void accept(byte next, StringBuilder out) {
    int b = next & 0xFF;
    if (missing > 0 && (b < low || b > high)) {
      end(out);
    }
    if (missing == 0) {
      begin(b, out);
      return;
    }
    low = 0x80;
    high = 0xBF;
    character = character << 6 | (b & 0x3F);
    if (--missing == 0) {
      out.appendCodePoint(character);
    }
  }

  private void begin(int b, StringBuilder out) {
    low = b == 0xE0 ? 0xA0 : b == 0xF0 ? 0x90 : 0x80;
    high = b == 0xED ? 0x9F : b == 0xF4 ? 0x8F : 0xBF;
    if (b < 0x80) {
      out.append((char) b);
    } else if (b < 0xC2 || b > 0xF4) {
      out.append(REPLACEMENT);
    } else {
      missing = b < 0xE0 ? 1 : b < 0xF0 ? 2 : 3;
      width = missing + 1;
      character = b & (0x3F >> missing);
    }
  }

  /** Gives up on a character that is incomplete. */
  void end(StringBuilder out) {
    if (missing > 0) {
      out.repeat(REPLACEMENT, countsBytes ? width - missing : 1);
      missing = 0;
    }
  }
}
