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

  /** How many blocks there are. */
  public int blocks() {
    return blocks.size();
  }

  /** The work of mapping one block of the rows of {@code x} to {@code y}, from a column on. */
  public Divisible task(Pass pass, int block, Matrix x, Matrix y, int yCol) {
    Projection matrix = blocks.get(block);
    return matrix.task(pass, x, block * matrix.inputs(), y, yCol);
  }

  /** The work of mapping every block to where it is in rows that begin at a column. */
  public List<Divisible> tasks(Pass pass, Matrix x, Matrix y, int yCol) {
    List<Divisible> tasks = new ArrayList<>();
    for (int block = 0; block < blocks(); block++) {
      tasks.add(task(pass, block, x, y, yCol + block * blocks.get(block).outputs()));
    }
    return tasks;
  }

  /** Work on ranges of a block's units, as its task has them, that is told their columns. */
  public Divisible.RangeWork ofColumns(int block, Divisible.RangeWork work) {
    Projection matrix = blocks.get(block);
    int first = block * matrix.outputs();
    return matrix.ofOutputs((from, to, worker) -> work.run(first + from, first + to, worker));
  }
}
