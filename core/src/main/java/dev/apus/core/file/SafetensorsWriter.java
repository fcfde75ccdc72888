package dev.apus.core.file;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes a safetensors file.
 *
 * <p>Tensors are kept by reference and read, or made, when the file is written. The data begins at
 * a multiple of 64 bytes; the tensors in it lie back to back, as the format wants, in the order of
 * adding.
 */
public final class SafetensorsWriter {

  private static final int ALIGNMENT = 64;

  private final Map<String, String> metadata = new LinkedHashMap<>();
  private final Map<String, Outgoing> tensors = new LinkedHashMap<>();

  /** A file without tensors yet. */
  public SafetensorsWriter() {}

  /** Something the file says about itself. */
  public SafetensorsWriter metadata(String key, String value) {
    metadata.put(key, value);
    return this;
  }

  /**
   * Adds a tensor.
   *
   * @param type a type that safetensors knows: {@code F32}, {@code BF16}, {@code I64}, …
   * @param shape outermost dimension first
   * @param data the values, little-endian
   * @throws FormatException if the type is unknown, the size does not fit the shape, or the name is
   *     taken
   */
  public SafetensorsWriter add(String name, String type, List<Long> shape, MemorySegment data) {
    return add(new StoredTensor("a new safetensors file", name, type, shape, data));
  }

  /** Adds {@code F32} values. */
  public SafetensorsWriter add(String name, float[] values, long... shape) {
    MemorySegment data = MemorySegment.ofArray(new byte[Math.multiplyExact(values.length, 4)]);
    var floats = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    MemorySegment.copy(values, 0, data, floats, 0, values.length);
    return add(name, "F32", Arrays.stream(shape).boxed().toList(), data);
  }

  /** Adds a tensor of another file, under its name there. */
  public SafetensorsWriter add(StoredTensor tensor) {
    SafetensorsType type = SafetensorsType.named(tensor.type());
    if (type == null) {
      throw tensor.place().error("is %s, which safetensors has no name for", tensor.type());
    }
    tensor.requireBytes(type.bytes(tensor.elements(), tensor.place()));
    return add(Outgoing.of(tensor));
  }

  /**
   * Adds a tensor whose bytes are made when the file is written.
   *
   * @param type a type that safetensors knows
   * @param shape outermost dimension first
   * @throws FormatException if the type is unknown or the name is taken
   */
  public SafetensorsWriter add(String name, String type, List<Long> shape, TensorContent content) {
    Place place = Place.tensor("a new safetensors file", name);
    SafetensorsType known = SafetensorsType.named(type);
    if (known == null) {
      throw place.error("is %s, which safetensors has no name for", type);
    }
    long bytes = known.bytes(Sizes.product(shape, place), place);
    return add(Outgoing.made(name, type, shape, bytes, content, place));
  }

  private SafetensorsWriter add(Outgoing tensor) {
    if (tensor.name().equals("__metadata__")
        || tensors.putIfAbsent(tensor.name(), tensor) != null) {
      throw tensor.place().error("has a name that is taken");
    }
    return this;
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
    byte[] header = header();
    int padded = Math.ceilDiv(Long.BYTES + header.length, ALIGNMENT) * ALIGNMENT;
    ByteBuffer start = ByteBuffer.allocate(padded).order(ByteOrder.LITTLE_ENDIAN);
    start.putLong(padded - Long.BYTES).put(header);
    while (start.hasRemaining()) {
      start.put((byte) ' ');
    }
    AtomicFile.write(out, start.flip());
    for (Outgoing tensor : tensors.values()) {
      tensor.writeTo(out);
    }
  }

  private byte[] header() throws IOException {
    var bytes = new ByteArrayOutputStream();
    try (JsonGenerator json = new JsonFactory().createGenerator(bytes)) {
      json.writeStartObject();
      if (!metadata.isEmpty()) {
        json.writeObjectFieldStart("__metadata__");
        for (Map.Entry<String, String> entry : metadata.entrySet()) {
          json.writeStringField(entry.getKey(), entry.getValue());
        }
        json.writeEndObject();
      }
      long at = 0;
      for (Outgoing tensor : tensors.values()) {
        writeTensor(json, tensor, at);
        at += tensor.bytes();
      }
      json.writeEndObject();
    }
    return bytes.toByteArray();
  }

  private static void writeTensor(JsonGenerator json, Outgoing tensor, long at) throws IOException {
    json.writeObjectFieldStart(tensor.name());
    json.writeStringField("dtype", tensor.type());
    writeNumbers(json, "shape", tensor.shape());
    writeNumbers(json, "data_offsets", List.of(at, at + tensor.bytes()));
    json.writeEndObject();
  }

  private static void writeNumbers(JsonGenerator json, String field, List<Long> numbers)
      throws IOException {
    json.writeArrayFieldStart(field);
    for (long number : numbers) {
      json.writeNumber(number);
    }
    json.writeEndArray();
  }
}
