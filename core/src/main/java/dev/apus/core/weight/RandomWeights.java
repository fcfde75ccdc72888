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
 * explode; vectors lie where their mixer says is typical, at multiples of 1/4096, to which one can
 * be added without rounding.
 */
public final class RandomWeights implements WeightSource {

  private static final double GRID = 4096;

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
    WeightFormat stored =
        typical == null && cols % format.blockLength() == 0 ? format : WeightFormat.F32;
    long rowBytes = stored.rowBytes(cols);
    MemorySegment memory = Arena.ofAuto().allocate(Math.max(1, rowBytes * rows), 64);
    float[] values = new float[cols];
    List<MemorySegment> slices = new ArrayList<>(rows);
    for (int row = 0; row < rows; row++) {
      draw(key, row, typical, values);
      stored.codec().encode(values, 0, memory, row * rowBytes, cols);
      slices.add(memory.asSlice(row * rowBytes, rowBytes));
    }
    return new StoredRows("seed " + seed + ": " + key, stored, cols, slices);
  }

  /** Draws one row of a weight; it does not depend on any other row. */
  void draw(Key key, int row, Typical typical, float[] values) {
    var random = new SplittableRandom(seed ^ mixed(key) + row * 0xD1B54A32D192ED03L);
    if (typical != null) {
      for (int i = 0; i < values.length; i++) {
        double value = typical.at(2 * random.nextDouble() - 1);
        values[i] = (float) (Math.rint(value * GRID) / GRID);
      }
      return;
    }
    // Four values of sixteen bits for each number drawn, every one the middle of its interval.
    double scale = Math.sqrt(3.0 / values.length) / 32768;
    long bits = 0;
    for (int i = 0; i < values.length; i++) {
      bits = i % 4 == 0 ? random.nextLong() : bits >>> 16;
      values[i] = (float) (((short) bits + 0.5) * scale);
    }
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
