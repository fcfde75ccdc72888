package dev.apus.core.model;

import dev.apus.core.compute.Divisible;
import dev.apus.core.compute.Pass;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.WeightScope;
import java.util.ArrayList;
import java.util.List;

/**
 * A projection by a block-diagonal matrix: a row falls into blocks of {@code size} values, and each
 * block is mapped to as many by a matrix of its own.
 *
 * <p>A block's values of all rows lie together as a matrix, so that one split serves all
 * projections that read the same rows.
 */
public final class BlockProjection {

  private final List<Projection> blocks;

  private BlockProjection(List<Projection> blocks) {
    this.blocks = blocks;
  }

  /** The projection whose block {@code b} has the weight {@code name} of number {@code b}. */
  public static BlockProjection read(
      WeightScope weights, String name, int blocks, int size, boolean biased) {
    List<Projection> all = new ArrayList<>();
    for (int block = 0; block < blocks; block++) {
      all.add(weights.expert(block).projection(name, size, size, biased));
    }
    return new BlockProjection(List.copyOf(all));
  }

  /** A matrix for each block, for {@code rows} rows. */
  public List<Matrix> matrices(Pass.Frame frame, int rows) {
    return blocks.stream().map(block -> frame.matrix(rows, block.inputs())).toList();
  }

  /** Copies the blocks of rows, whose matrices {@link #matrices} gives. */
  public static void split(Pass pass, Matrix x, List<Matrix> blocks) {
    int size = blocks.getFirst().cols();
    pass.eachRow(
        x.rows(),
        x.cols(),
        (from, to, worker) -> {
          for (int row = from; row < to; row++) {
            for (int block = 0; block < blocks.size(); block++) {
              Matrix part = blocks.get(block);
              int at = x.at(row) + block * size;
              System.arraycopy(x.data(), at, part.data(), part.at(row), size);
            }
          }
        });
  }

  /** Copies one row's blocks to where they are one row again. */
  public static void join(List<Matrix> blocks, int row, float[] y, int yAt) {
    int at = yAt;
    for (Matrix part : blocks) {
      System.arraycopy(part.data(), part.at(row), y, at, part.cols());
      at += part.cols();
    }
  }

  /** The work of mapping every block of {@code x} to that of {@code y}. */
  public List<Divisible> tasks(Pass pass, List<Matrix> x, List<Matrix> y) {
    List<Divisible> tasks = new ArrayList<>();
    for (int block = 0; block < blocks.size(); block++) {
      tasks.add(blocks.get(block).task(pass, x.get(block), y.get(block)));
    }
    return tasks;
  }
}
