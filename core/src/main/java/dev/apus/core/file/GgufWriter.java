package dev.apus.core.file;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.CharBuffer;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes a GGUF file of version 3.
 *
 * <p>Tensors are kept by reference and read, or made, when the file is written, in the order of
 * adding.
 */
public final class GgufWriter {

  private static final int VERSION = 3;

  private final int alignment;
  private final Map<String, byte[]> metadata = new LinkedHashMap<>();
  private final Map<String, Outgoing> tensors = new LinkedHashMap<>();

  /** A file with the usual alignment of 32 bytes. */
  public GgufWriter() {
    this(GgufHeader.DEFAULT_ALIGNMENT);
  }

  /**
   * @param alignment where tensors may begin: a multiple of this power of two
   */
  public GgufWriter(int alignment) {
    if (Integer.bitCount(alignment) != 1
        || alignment < 0
        || alignment > GgufHeader.LARGEST_ALIGNMENT) {
      throw new IllegalArgumentException(
          "alignment "
              + alignment
              + " is not a power of two up to "
              + GgufHeader.LARGEST_ALIGNMENT);
    }
    this.alignment = alignment;
    if (alignment != GgufHeader.DEFAULT_ALIGNMENT) {
      u32(GgufHeader.ALIGNMENT, alignment);
    }
  }

  public GgufWriter text(String key, String value) {
    return put(key, GgufType.STRING, string(value));
  }

  public GgufWriter flag(String key, boolean value) {
    return put(key, GgufType.BOOL, new byte[] {(byte) (value ? 1 : 0)});
  }

  /**
   * @param value from 0 to 2^32 - 1
   */
  public GgufWriter u32(String key, long value) {
    if (value != Integer.toUnsignedLong((int) value)) {
      throw new IllegalArgumentException(key + "=" + value + " does not fit 32 bits unsigned");
    }
    return put(key, GgufType.UINT32, bytes(Integer.BYTES).putInt((int) value).array());
  }

  public GgufWriter i32(String key, int value) {
    return put(key, GgufType.INT32, bytes(Integer.BYTES).putInt(value).array());
  }

  public GgufWriter i64(String key, long value) {
    return put(key, GgufType.INT64, bytes(Long.BYTES).putLong(value).array());
  }

  public GgufWriter f32(String key, float value) {
    return put(key, GgufType.FLOAT32, bytes(Float.BYTES).putFloat(value).array());
  }

  public GgufWriter f64(String key, double value) {
    return put(key, GgufType.FLOAT64, bytes(Double.BYTES).putDouble(value).array());
  }

  public GgufWriter texts(String key, List<String> values) {
    var elements = new ByteArrayOutputStream();
    values.forEach(value -> elements.writeBytes(string(value)));
    return array(key, GgufType.STRING, values.size(), elements.toByteArray());
  }

  public GgufWriter flags(String key, boolean... values) {
    byte[] elements = new byte[values.length];
    for (int i = 0; i < values.length; i++) {
      elements[i] = (byte) (values[i] ? 1 : 0);
    }
    return array(key, GgufType.BOOL, values.length, elements);
  }

  public GgufWriter i32s(String key, int... values) {
    ByteBuffer elements = bytes(Math.multiplyExact(values.length, Integer.BYTES));
    elements.asIntBuffer().put(values);
    return array(key, GgufType.INT32, values.length, elements.array());
  }

  public GgufWriter u8s(String key, byte... values) {
    return array(key, GgufType.UINT8, values.length, values);
  }

  public GgufWriter f32s(String key, float... values) {
    ByteBuffer elements = bytes(Math.multiplyExact(values.length, Float.BYTES));
    elements.asFloatBuffer().put(values);
    return array(key, GgufType.FLOAT32, values.length, elements.array());
  }

  /**
   * Adds a tensor.
   *
   * @param type a type that ggml has: {@code F32}, {@code Q4_K}, …
   * @param shape outermost dimension first
   * @param data the blocks
   * @throws FormatException if the type is unknown, the size does not fit the shape, or the name is
   *     taken
   */
  public GgufWriter add(String name, String type, List<Long> shape, MemorySegment data) {
    return add(new StoredTensor("a new GGUF file", name, type, shape, data));
  }

  /** Adds a tensor of another file, under its name there. */
  public GgufWriter add(StoredTensor tensor) {
    GgmlType type = GgmlType.named(tensor.type());
    if (type == null) {
      throw tensor.place().error("is %s, which GGUF has no number for", tensor.type());
    }
    GgufHeader.requireShape(tensor.shape(), tensor.place());
    tensor.requireBytes(type.bytes(tensor.shape(), tensor.place()));
    return add(Outgoing.of(tensor));
  }

  /**
   * Adds a tensor whose bytes are made when the file is written.
   *
   * @param type a type that ggml has
   * @param shape outermost dimension first
   * @throws FormatException if the type is unknown, a row does not end with a block, or the name is
   *     taken
   */
  public GgufWriter add(String name, String type, List<Long> shape, TensorContent content) {
    Place place = Place.tensor("a new GGUF file", name);
    GgmlType known = GgmlType.named(type);
    if (known == null) {
      throw place.error("is %s, which GGUF has no number for", type);
    }
    GgufHeader.requireShape(shape, place);
    return add(Outgoing.made(name, type, shape, known.bytes(shape, place), content, place));
  }

  private GgufWriter add(Outgoing tensor) {
    if (tensors.putIfAbsent(tensor.name(), tensor) != null) {
      throw tensor.place().error("has a name that is taken");
    }
    return this;
  }

  /** Whether the metadata has a key. */
  public boolean has(String key) {
    return metadata.containsKey(key);
  }

  /**
   * What opening the file would give: its metadata and its tensors, without the data that are made
   * when it is written.
   *
   * @param name what messages call it
   */
  public Gguf preview(String name) {
    Map<String, StoredTensor> outlines = new LinkedHashMap<>();
    tensors.forEach(
        (key, tensor) ->
            outlines.put(
                key, new StoredTensor(name, key, tensor.type(), tensor.shape(), tensor.data())));
    byte[] header = header(Map.of());
    return Gguf.of(name, MemorySegment.ofArray(header)).with(outlines);
  }

  /** Writes the file; if that fails, what was there before is still there. */
  public void write(Path file) throws IOException {
    AtomicFile.write(file, this::writeTo);
  }

  /** The file as bytes, for checkpoints that stay in memory. */
  public byte[] toBytes() {
    return AtomicFile.toBytes(this::writeTo);
  }

  private void writeTo(WritableByteChannel out) throws IOException {
    byte[] header = header(tensors);
    AtomicFile.write(out, ByteBuffer.wrap(header));
    AtomicFile.write(out, padding(header.length));
    for (Outgoing tensor : tensors.values()) {
      tensor.writeTo(out);
      AtomicFile.write(out, padding(tensor.bytes()));
    }
  }

  private byte[] header(Map<String, Outgoing> listed) {
    var header = new ByteArrayOutputStream();
    header.writeBytes("GGUF".getBytes(StandardCharsets.US_ASCII));
    header.writeBytes(bytes(Integer.BYTES).putInt(VERSION).array());
    header.writeBytes(
        bytes(2 * Long.BYTES).putLong(listed.size()).putLong(metadata.size()).array());
    metadata.forEach(
        (key, value) -> {
          header.writeBytes(string(key));
          header.writeBytes(value);
        });
    long at = 0;
    for (Outgoing tensor : listed.values()) {
      header.writeBytes(info(tensor, at));
      at += tensor.bytes() + padding(tensor.bytes()).remaining();
    }
    return header.toByteArray();
  }

  private static byte[] info(Outgoing tensor, long at) {
    byte[] name = string(tensor.name());
    List<Long> dimensions = tensor.shape().reversed();
    ByteBuffer info = bytes(name.length + 2 * Integer.BYTES + (dimensions.size() + 1) * Long.BYTES);
    info.put(name).putInt(dimensions.size());
    dimensions.forEach(info::putLong);
    return info.putInt(GgmlType.named(tensor.type()).id()).putLong(at).array();
  }

  private ByteBuffer padding(long bytes) {
    return ByteBuffer.allocate((int) (-bytes & (alignment - 1)));
  }

  private GgufWriter array(String key, GgufType type, int count, byte[] elements) {
    ByteBuffer value = bytes(Integer.BYTES + Long.BYTES + elements.length);
    return put(
        key, GgufType.ARRAY, value.putInt(type.ordinal()).putLong(count).put(elements).array());
  }

  private GgufWriter put(String key, GgufType type, byte[] value) {
    ByteBuffer typed = bytes(Integer.BYTES + value.length).putInt(type.ordinal()).put(value);
    if (key.isEmpty() || metadata.putIfAbsent(key, typed.array()) != null) {
      throw new IllegalArgumentException("the key \"" + key + "\" is empty or taken");
    }
    return this;
  }

  private static byte[] string(String text) {
    try {
      ByteBuffer utf8 = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text));
      return bytes(Long.BYTES + utf8.remaining()).putLong(utf8.remaining()).put(utf8).array();
    } catch (CharacterCodingException e) {
      throw new IllegalArgumentException("half a character (a lone surrogate) in a string", e);
    }
  }

  private static ByteBuffer bytes(int count) {
    return ByteBuffer.allocate(count).order(ByteOrder.LITTLE_ENDIAN);
  }
}
