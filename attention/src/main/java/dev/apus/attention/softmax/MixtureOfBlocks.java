package dev.apus.attention.softmax;

import dev.apus.core.compute.Pass;
import dev.apus.core.model.Run;
import dev.apus.core.tensor.Matrix;
import dev.apus.kernels.attention.Attention;
import dev.apus.kernels.attention.Attention.Visited;
import java.util.ArrayList;
import java.util.List;

/**
 * The block that a query stands in, up to the query, and the earlier blocks whose mean key has the
 * greatest product with it. Each query head chooses for itself.
 *
 * @param block slots of a block
 * @param top how many blocks a query visits at most, its own included
 * @see <a href="https://arxiv.org/abs/2502.13189">MoBA</a>
 */
record MixtureOfBlocks(int block, int top) implements KeySelection {

  @Override
  public BlockSummary summary(Attention exact) {
    return new BlockSummary(block, BlockSummary.Kind.MEAN_KEY, exact);
  }

  @Override
  public boolean isByHead() {
    return true;
  }

  @Override
  public boolean sharesVisits() {
    return true;
  }

  @Override
  public List<Tile> tiles(Pass pass, List<Run<KeyValueCache>> runs, Matrix q, Heads heads) {
    int all = heads.keyHeads() * heads.group();
    int[][] chosen = new int[Math.multiplyExact(q.rows(), all)][];
    new BlockScores(heads, 1, position -> position / block)
        .read(
            pass,
            runs,
            q,
            (run, row, keyHead, scores, at, stride, count) -> {
              for (int g = 0; g < heads.group(); g++) {
                chosen[row * all + keyHead * heads.group() + g] =
                    TopSlots.of(scores, at + g * stride, count, top - 1);
              }
            });
    List<Tile> tiles = new ArrayList<>();
    for (Run<KeyValueCache> run : runs) {
      Visited[] blocks = blocks(run);
      Tile.Keys keys = null;
      for (int head = 0; head < all; head++) {
        if (head % heads.group() == 0) {
          var stored = run.state().stored(head / heads.group());
          keys = (p, worker) -> stored;
        }
        for (int row = run.from(); row < run.to(); row++) {
          Visited[] visits = visits(own(run, row), blocks, chosen[row * all + head]);
          Tile tile = Tile.of(run, row, 1, head, 1, head / heads.group(), visits);
          tiles.add(tile.reading(keys, tile.position()));
        }
      }
    }
    return tiles;
  }

  private int own(Run<KeyValueCache> run, int row) {
    return (run.position() + row - run.from()) / block;
  }

  /**
   * Every block that a row of the run may visit, whole; and behind them, every block as its own.
   */
  private Visited[] blocks(Run<KeyValueCache> run) {
    int count = own(run, run.to() - 1) + 1;
    int end = run.position() + run.length();
    Visited[] blocks = new Visited[2 * count];
    for (int i = 0; i < count; i++) {
      int last = (int) Math.min((i + 1L) * block, end);
      blocks[i] = Tile.visited(i * block, last, false, 0);
      blocks[count + i] = Tile.visited(i * block, last, true, 0);
    }
    return blocks;
  }

  private static Visited[] visits(int own, Visited[] blocks, int[] chosen) {
    Visited[] visits = new Visited[chosen.length + 1];
    for (int i = 0; i < chosen.length; i++) {
      visits[i] = blocks[chosen[i]];
    }
    visits[chosen.length] = blocks[blocks.length / 2 + own];
    return visits;
  }
}
