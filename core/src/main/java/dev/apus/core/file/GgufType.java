package dev.apus.core.file;

import java.nio.ByteBuffer;
import java.util.List;

/** The types of GGUF's metadata values, in the order of their numbers. */
enum GgufType {
  UINT8(1),
  INT8(1),
  UINT16(2),
  INT16(2),
  UINT32(4),
  INT32(4),
  FLOAT32(4),
  BOOL(1),
  STRING(8),
  ARRAY(12),
  UINT64(8),
  INT64(8),
  FLOAT64(8);

  /** The fewest bytes that one value takes. */
  private final int bytes;

  GgufType(int bytes) {
    this.bytes = bytes;
  }

  /** Reads the number of a type. */
  static GgufType read(GgufCursor in) {
    long id = in.u32();
    if (id >= values().length) {
      throw in.place().error("has the unknown type %d; known: 0 to %d", id, values().length - 1);
    }
    return values()[(int) id];
  }

  /**
   * Reads one value: a Long, Double, Boolean or String, or for an array a list of strings or the
   * narrowest of {@code byte[]} (unsigned), {@code int[]}, {@code long[]}, {@code float[]}, {@code
   * double[]} and {@code boolean[]} that holds all values of its type.
   */
  Object value(GgufCursor in) {
    return switch (this) {
      case UINT8 -> (long) Byte.toUnsignedInt(in.i8());
      case INT8 -> (long) in.i8();
      case UINT16 -> (long) Short.toUnsignedInt(in.i16());
      case INT16 -> (long) in.i16();
      case UINT32 -> in.u32();
      case INT32 -> (long) in.i32();
      case UINT64 -> in.u64("value");
      case INT64 -> in.i64();
      case FLOAT32 -> (double) Float.intBitsToFloat(in.i32());
      case FLOAT64 -> Double.longBitsToDouble(in.i64());
      case BOOL -> bool(in.i8(), in);
      case STRING -> in.string("string", Long.MAX_VALUE);
      case ARRAY -> array(in);
    };
  }

  private static Object array(GgufCursor in) {
    GgufType type = read(in);
    long count = in.u64("length");
    if (count > in.remaining() / type.bytes) {
      throw in.place()
          .error(
              "claims %d values of type %s, and %d bytes follow; the file is cut short",
              count, type, in.remaining());
    }
    return switch (type) {
      case ARRAY -> throw in.place().error("is an array of arrays, which GGUF models do not have");
      case STRING -> strings((int) Math.min(count, Integer.MAX_VALUE), in);
      default -> type.numbers(in.bytes(Sizes.times(count, type.bytes, in.place())), in);
    };
  }

  private static List<String> strings(int count, GgufCursor in) {
    long start = in.position();
    for (int i = 0; i < count; i++) {
      in.string("string", Long.MAX_VALUE);
      in.requireSensible(start);
    }
    return new MappedTexts(in.mapped(start), count);
  }

  private Object numbers(ByteBuffer bytes, GgufCursor in) {
    int count = bytes.remaining() / this.bytes;
    return switch (this) {
      case UINT8 -> {
        byte[] array = new byte[count];
        bytes.get(array);
        yield array;
      }
      case INT8, UINT16, INT16, INT32 -> {
        int[] array = new int[count];
        for (int i = 0; i < count; i++) {
          array[i] = small(bytes);
        }
        yield array;
      }
      case UINT32, UINT64, INT64 -> {
        long[] array = new long[count];
        for (int i = 0; i < count; i++) {
          array[i] = large(bytes, in);
        }
        yield array;
      }
      case FLOAT32 -> {
        float[] array = new float[count];
        bytes.asFloatBuffer().get(array);
        yield array;
      }
      case FLOAT64 -> {
        double[] array = new double[count];
        bytes.asDoubleBuffer().get(array);
        yield array;
      }
      case BOOL -> {
        boolean[] array = new boolean[count];
        for (int i = 0; i < count; i++) {
          array[i] = bool(bytes.get(), in);
        }
        yield array;
      }
      case STRING, ARRAY -> throw new IllegalStateException(this + " is no number");
    };
  }

  private int small(ByteBuffer bytes) {
    return switch (this) {
      case INT8 -> bytes.get();
      case UINT16 -> Short.toUnsignedInt(bytes.getShort());
      case INT16 -> bytes.getShort();
      default -> bytes.getInt();
    };
  }

  private long large(ByteBuffer bytes, GgufCursor in) {
    long value = this == UINT32 ? Integer.toUnsignedLong(bytes.getInt()) : bytes.getLong();
    if (this == UINT64 && value < 0) {
      throw in.place().error("holds %s; too large", Long.toUnsignedString(value));
    }
    return value;
  }

  private static boolean bool(byte value, GgufCursor in) {
    if (value != 0 && value != 1) {
      throw in.place().error("is a boolean of %d; needed: 0 or 1", Byte.toUnsignedInt(value));
    }
    return value == 1;
  }
}
