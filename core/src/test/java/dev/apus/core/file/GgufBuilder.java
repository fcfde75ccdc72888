package dev.apus.core.file;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/** Builds the bytes of a small GGUF file, field by field, that may lie about one of them. */
final class GgufBuilder {

  static final int UINT8 = 0;
  static final int INT8 = 1;
  static final int UINT16 = 2;
  static final int INT16 = 3;
  static final int UINT32 = 4;
  static final int INT32 = 5;
  static final int FLOAT32 = 6;
  static final int BOOL = 7;
  static final int STRING = 8;
  static final int ARRAY = 9;
  static final int UINT64 = 10;
  static final int INT64 = 11;
  static final int FLOAT64 = 12;

  private final Map<String, byte[]> pairs = new LinkedHashMap<>();
  private final Map<String, byte[]> infos = new LinkedHashMap<>();
  private final Map<String, byte[]> lies = new LinkedHashMap<>();
  private final ByteArrayOutputStream data = new ByteArrayOutputStream();
  private int keyCount;
  private int tensorCount;
  private int alignment = 32;
  private byte[] trailer = {};

  /** An architecture, an F32 [2, 3] tensor {@code a} and a Q8_0 [1, 32] tensor {@code b}. */
  static GgufBuilder valid() {
    return new GgufBuilder()
        .key("general.architecture", STRING, string("llama"))
        .tensor("a", 0, 24, 3, 2)
        .tensor("b", 8, 34, 32, 1);
  }

  /** The alignment that the file keeps; it says so only if a key does. */
  GgufBuilder alignment(int bytes) {
    alignment = bytes;
    return this;
  }

  GgufBuilder key(String name, int type, byte[] value) {
    String field = "key " + keyCount++;
    pairs.put(field + " length", i64(utf8(name).length));
    pairs.put(field + " name", utf8(name));
    pairs.put(field + " type", i32(type));
    pairs.put(field + " value", value);
    return this;
  }

  /** Adds a tensor whose dimensions are innermost first, and so many bytes of data. */
  GgufBuilder tensor(String name, int type, int bytes, long... dimensions) {
    pad(data);
    String field = "tensor " + tensorCount++;
    infos.put(field + " length", i64(utf8(name).length));
    infos.put(field + " name", utf8(name));
    infos.put(field + " rank", i32(dimensions.length));
    for (int i = 0; i < dimensions.length; i++) {
      infos.put(field + " dimension " + i, i64(dimensions[i]));
    }
    infos.put(field + " type", i32(type));
    infos.put(field + " offset", i64(data.size()));
    for (int i = 0; i < bytes; i++) {
      data.write(i);
    }
    return this;
  }

  /** Appends bytes behind the last tensor. */
  GgufBuilder trailer(int bytes) {
    trailer = new byte[bytes];
    return this;
  }

  /** Writes other bytes for a field: "version", "key 0 type", "tensor 1 offset", … */
  GgufBuilder lie(String field, byte[] bytes) {
    lies.put(field, bytes);
    return this;
  }

  byte[] build() {
    Map<String, byte[]> fields = new LinkedHashMap<>();
    fields.put("magic", utf8("GGUF"));
    fields.put("version", i32(3));
    fields.put("tensors", i64(tensorCount));
    fields.put("keys", i64(keyCount));
    fields.putAll(pairs);
    fields.putAll(infos);
    if (!fields.keySet().containsAll(lies.keySet())) {
      throw new IllegalArgumentException(lies.keySet() + " are not all in " + fields.keySet());
    }
    fields.putAll(lies);
    var file = new ByteArrayOutputStream();
    fields.values().forEach(file::writeBytes);
    if (data.size() > 0) {
      pad(file);
    }
    file.writeBytes(data.toByteArray());
    file.writeBytes(trailer);
    return file.toByteArray();
  }

  /** The length of everything before the data and its padding, if nothing lies. */
  int headerBytes() {
    int bytes = 4 + 4 + 8 + 8;
    for (byte[] field : pairs.values()) {
      bytes += field.length;
    }
    for (byte[] field : infos.values()) {
      bytes += field.length;
    }
    return bytes;
  }

  private void pad(ByteArrayOutputStream out) {
    while (out.size() % alignment != 0) {
      out.write(0);
    }
  }

  static byte[] array(int type, long count, byte[]... elements) {
    var array = new ByteArrayOutputStream();
    array.writeBytes(i32(type));
    array.writeBytes(i64(count));
    for (byte[] element : elements) {
      array.writeBytes(element);
    }
    return array.toByteArray();
  }

  static byte[] string(String text) {
    var string = new ByteArrayOutputStream();
    string.writeBytes(i64(utf8(text).length));
    string.writeBytes(utf8(text));
    return string.toByteArray();
  }

  static byte[] i8(int value) {
    return new byte[] {(byte) value};
  }

  static byte[] i16(int value) {
    return bytes(2).putShort((short) value).array();
  }

  static byte[] i32(int value) {
    return bytes(4).putInt(value).array();
  }

  static byte[] i64(long value) {
    return bytes(8).putLong(value).array();
  }

  static byte[] f32(float value) {
    return bytes(4).putFloat(value).array();
  }

  static byte[] f64(double value) {
    return bytes(8).putDouble(value).array();
  }

  static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static ByteBuffer bytes(int count) {
    return ByteBuffer.allocate(count).order(ByteOrder.LITTLE_ENDIAN);
  }
}
