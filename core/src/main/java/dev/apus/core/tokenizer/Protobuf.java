package dev.apus.core.tokenizer;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/** One message in Protocol Buffers' wire format, read field by field. */
final class Protobuf {

  /** Kinds of values on the wire. */
  private static final int VARINT = 0;

  private static final int EIGHT_BYTES = 1;
  private static final int LENGTH = 2;
  private static final int FOUR_BYTES = 5;
  private static final int LONGEST_VARINT = 10;

  private final String where;
  private final ByteBuffer bytes;
  private int field;
  private int kind;

  private Protobuf(String where, ByteBuffer bytes) {
    this.where = where;
    this.bytes = bytes.order(ByteOrder.LITTLE_ENDIAN);
  }

  static Protobuf of(String where, byte[] bytes) {
    return new Protobuf(where, ByteBuffer.wrap(bytes));
  }

  /** Goes to the next field; its value has to be taken or skipped. Returns 0 at the end. */
  int next() {
    if (!bytes.hasRemaining()) {
      return 0;
    }
    long tag = varint();
    field = (int) (tag >>> 3);
    kind = (int) tag & 7;
    if (tag >>> 32 != 0 || field == 0) {
      throw broken("a tag of " + tag);
    }
    return field;
  }

  void skip() {
    switch (kind) {
      case VARINT -> varint();
      case EIGHT_BYTES -> take(Long.BYTES);
      case LENGTH -> take(varint());
      case FOUR_BYTES -> take(Integer.BYTES);
      default -> throw broken("a field of the kind " + kind);
    }
  }

  long number() {
    expect(VARINT, "a whole number");
    return varint();
  }

  boolean flag() {
    return number() != 0;
  }

  float real() {
    expect(FOUR_BYTES, "a number of four bytes");
    return take(Float.BYTES).order(ByteOrder.LITTLE_ENDIAN).getFloat();
  }

  byte[] bytes() {
    expect(LENGTH, "bytes");
    ByteBuffer taken = take(varint());
    byte[] all = new byte[taken.remaining()];
    taken.get(all);
    return all;
  }

  String text() {
    return new String(bytes(), StandardCharsets.UTF_8);
  }

  Protobuf message() {
    expect(LENGTH, "a message");
    return new Protobuf(where, take(varint()));
  }

  private void expect(int wanted, String needed) {
    if (kind != wanted) {
      throw broken("a field " + field + " of the kind " + kind + "; needed: " + needed);
    }
  }

  private long varint() {
    long value = 0;
    for (int i = 0; i < LONGEST_VARINT; i++) {
      int b = take(1).get();
      value |= (b & 0x7FL) << 7 * i;
      if (b >= 0) {
        return value;
      }
    }
    throw broken("a number without end");
  }

  private ByteBuffer take(long length) {
    if (length < 0 || length > bytes.remaining()) {
      throw broken(length + " bytes where " + bytes.remaining() + " are left");
    }
    ByteBuffer taken = bytes.slice(bytes.position(), (int) length);
    bytes.position(bytes.position() + (int) length);
    return taken;
  }

  private TokenizerException broken(String found) {
    return new TokenizerException(
        String.format(
            Locale.ROOT,
            "%s: is broken, or no SentencePiece model: it has %s before byte %d of a message",
            where,
            found,
            bytes.position()));
  }
}
