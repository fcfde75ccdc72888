package dev.apus.core.weight;

import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.kernels.block.WeightFormat;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Weights drawn from a seed, for any architecture: the same seed gives the same weights, whatever
 * order they are asked for in.
 *
 * <p>Matrices are uniform with variance {@code 1 / inputs}, so that activations neither die nor
 * explode; vectors lie where their mixer says is typical.
 */
public final class RandomWeights implements WeightSource {

  private final long seed;
  private final WeightFormat format;

  /**
   * @param format of matrices whose rows divide into its blocks; others, and vectors, are F32
   */
  public RandomWeights(long seed, WeightFormat format) {
    this.seed = seed;
    this.format = format;
  }

  @Override
  public StoredRows find(Key key, int rows, int cols, Typical typical) {
    var random = new SplittableRandom(seed ^ mixed(key));
    float center = typical == null ? 0 : typical.center();
    float width = typical == null ? (float) Math.sqrt(3.0 / cols) : typical.width();
    WeightFormat stored =
        typical == null && cols % format.blockLength() == 0 ? format : WeightFormat.F32;
    long rowBytes = stored.rowBytes(cols);
    MemorySegment memory = Arena.ofAuto().allocate(Math.max(1, rowBytes * rows), 64);
    float[] values = new float[cols];
    List<MemorySegment> slices = new ArrayList<>(rows);
    for (int row = 0; row < rows; row++) {
      for (int col = 0; col < cols; col++) {
        values[col] = center + width * (2 * (float) random.nextDouble() - 1);
      }
      stored.codec().encode(values, 0, memory, row * rowBytes, cols);
      slices.add(memory.asSlice(row * rowBytes, rowBytes));
    }
    return new StoredRows("seed " + seed + ": " + key, stored, cols, slices);
  }

  /** A hash of the key that is the same on every machine. */
  private static long mixed(Key key) {
    long hash = 1125899906842597L;
    for (char c : key.toString().toCharArray()) {
      hash = 31 * hash + c;
    }
    return hash * 0x9E3779B97F4A7C15L;
  }

  @Override
  public List<String> unread() {
    return List.of();
  }
}
