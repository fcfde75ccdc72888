package dev.apus.attention.softmax;

import dev.apus.core.compute.Pass;
import dev.apus.core.model.Run;
import dev.apus.core.tensor.Matrix;
import dev.apus.kernels.activation.Activations;
import dev.apus.kernels.attention.Attention;
import dev.apus.kernels.attention.Attention.Visited;
import java.util.ArrayList;
import java.util.List;

/**
 * The blocks that a row's query heads together give the greatest weights when they attend to
 * summaries. Its own block, the one before it and the first are always among them, in this order if
 * there is no room for all.
 *
 * @param block slots of a block
 * @param top how many blocks a row visits at most
 * @param scale factor on products of queries with keys
 */
record ChosenBlocks(int block, int top, float scale) implements KeySelection {

  @Override
  public BlockSummary summary(Attention exact) {
    return new BlockSummary(block, BlockSummary.Kind.MEANS, exact);
  }

  @Override
  public List<Tile> tiles(Pass pass, List<Run<KeyValueCache>> runs, Matrix q, Heads heads) {
    int[][] chosen = new int[Math.multiplyExact(q.rows(), heads.keyHeads())][];
    Activations activations = pass.kernels().activations();
    var whole = new WholeBlocks(block);
    new BlockScores(heads, scale, whole::whole)
        .read(
            pass,
            runs,
            q,
            (run, row, keyHead, scores, at, stride, count) -> {
              for (int g = 0; g < heads.group() && count > 0; g++) {
                activations.softmax(scores, at + g * stride, count);
                if (g > 0) {
                  activations.addScaled(1, scores, at + g * stride, scores, at, count);
                }
              }
              int position = run.position() + row - run.from();
              chosen[row * heads.keyHeads() + keyHead] = ranges(position, scores, at);
            });
    List<Tile> tiles = new ArrayList<>();
    for (Run<KeyValueCache> run : runs) {
      for (int row = run.to() - 1; row >= run.from(); row--) {
        for (int head = 0; head < heads.keyHeads(); head++) {
          int[] ranges = chosen[row * heads.keyHeads() + head];
          var visited = new Visited(ranges, ranges.length / 2, true, 0);
          tiles.add(Tile.ofGroup(run, row, 1, head, heads, visited));
        }
      }
    }
    return tiles;
  }

  /**
   * The slots of the blocks that a row visits, up to its own.
   *
   * @param weights of the blocks before, from {@code at} on
   */
  private int[] ranges(int position, float[] weights, int at) {
    int own = position / block;
    boolean previous = own > 0 && top > 1;
    boolean first = own > 1 && top > 2;
    int others = Math.max(0, top - 3);
    int between = Math.max(0, own - 2);
    int[] found = TopSlots.of(weights, at + 1, between, others);
    int count = found.length + 1 + (previous ? 1 : 0) + (first ? 1 : 0);
    int[] ranges = new int[2 * count];
    int i = 0;
    if (first) {
      i = put(0, ranges, i);
    }
    for (int index : found) {
      i = put(index + 1, ranges, i);
    }
    if (previous) {
      i = put(own - 1, ranges, i);
    }
    ranges[2 * i] = own * block;
    ranges[2 * i + 1] = position + 1;
    return ranges;
  }

  private int put(int index, int[] ranges, int i) {
    ranges[2 * i] = index * block;
    ranges[2 * i + 1] = (index + 1) * block;
    return i + 1;
  }
}
