package dev.apus.core.weight;

import dev.apus.core.file.StoredTensor;
import dev.apus.core.file.TensorFile;
import dev.apus.kernels.block.WeightFormat;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/** A checkpoint of tensors made in a test. */
final class InMemoryFile implements TensorFile {

  private final Map<String, StoredTensor> tensors = new LinkedHashMap<>();

  /** A tensor of F32 that counts its values: 0, 1, 2, … */
  InMemoryFile with(String name, long... shape) {
    float[] values = new float[(int) Arrays.stream(shape).reduce(1, (a, b) -> a * b)];
    for (int i = 0; i < values.length; i++) {
      values[i] = i;
    }
    return with(name, WeightFormat.F32, values, shape);
  }

  InMemoryFile with(String name, WeightFormat format, float[] values, long... shape) {
    MemorySegment data = Arena.ofAuto().allocate(format.rowBytes(values.length), 64);
    format.codec().encode(values, 0, data, 0, values.length);
    tensors.put(
        name,
        new StoredTensor(
            "tiny.bin", name, format.name(), Arrays.stream(shape).boxed().toList(), data));
    return this;
  }

  @Override
  public Map<String, StoredTensor> tensors() {
    return tensors;
  }

  @Override
  public String name() {
    return "tiny.bin";
  }

  @Override
  public void close() {}
}
