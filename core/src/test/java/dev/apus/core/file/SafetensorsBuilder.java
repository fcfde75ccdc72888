package dev.apus.core.file;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Builds the bytes of a small safetensors file that may lie about one thing. */
final class SafetensorsBuilder {

  private byte[] header =
      """
      {"__metadata__":{"format":"pt"},\
      "a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},\
      "b":{"dtype":"BF16","shape":[4],"data_offsets":[24,32]}}\
      """
          .getBytes(StandardCharsets.UTF_8);

  private int dataBytes = 32;
  private Long claimedLength;

  /** Tensor {@code a}, F32 [2, 3], and tensor {@code b}, BF16 [4]; byte i of the data is i. */
  static SafetensorsBuilder valid() {
    return new SafetensorsBuilder();
  }

  SafetensorsBuilder header(String json) {
    return header(json.getBytes(StandardCharsets.UTF_8));
  }

  SafetensorsBuilder header(byte[] bytes) {
    header = bytes;
    return this;
  }

  /** Changes the text of the header, where {@code truth} must occur. */
  SafetensorsBuilder lie(String truth, String lie) {
    String text = new String(header, StandardCharsets.UTF_8);
    if (!text.contains(truth)) {
      throw new IllegalArgumentException(truth + " is not in " + text);
    }
    return header(text.replace(truth, lie));
  }

  SafetensorsBuilder claimedLength(long length) {
    claimedLength = length;
    return this;
  }

  SafetensorsBuilder dataBytes(int bytes) {
    dataBytes = bytes;
    return this;
  }

  byte[] build() {
    var file = new ByteArrayOutputStream();
    long length = claimedLength == null ? header.length : claimedLength;
    file.writeBytes(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(length).array());
    file.writeBytes(header);
    for (int i = 0; i < dataBytes; i++) {
      file.write(i);
    }
    return file.toByteArray();
  }
}
