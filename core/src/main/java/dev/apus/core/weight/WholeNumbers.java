package dev.apus.core.weight;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import dev.apus.core.file.StoredTensor;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;

/** Tensors of whole numbers, which are choices and not weights: {@code I32} and {@code I64}. */
final class WholeNumbers {

  private WholeNumbers() {}

  static boolean are(StoredTensor tensor) {
    return tensor.type().equals("I32") || tensor.type().equals("I64");
  }

  /**
   * The numbers as floats.
   *
   * @throws WeightException if a float cannot hold one of them
   */
  static float[] floats(StoredTensor tensor) {
    boolean wide = tensor.type().equals("I64");
    MemorySegment data = tensor.data();
    float[] floats = new float[Math.toIntExact(tensor.elements())];
    var four = JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    var eight = JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < floats.length; i++) {
      long value = wide ? data.getAtIndex(eight, i) : data.getAtIndex(four, i);
      floats[i] = value;
      if ((long) floats[i] != value) {
        throw new WeightException(
            tensor.file() + ": tensor " + tensor.name() + " holds " + value + ", no float's value");
      }
    }
    return floats;
  }
}
