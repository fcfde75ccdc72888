package dev.apus.attention.softmax;

import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.Run;
import dev.apus.core.tensor.Matrix;
import dev.apus.kernels.attention.Attention;
import dev.apus.kernels.attention.Attention.Queries;
import dev.apus.kernels.attention.Attention.Stored;
import dev.apus.kernels.attention.Attention.Traits;
import dev.apus.kernels.attention.Attention.Visited;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Quest: keys lie in pages, of which the least and the greatest value of each coordinate are known.
 * They bound the score that a query can have with any key of a page,
 *
 * <pre>
 *   u = Σ_d max(q_d · least_d, q_d · greatest_d)
 * </pre>
 *
 * <p>and a query visits the pages with the greatest bounds, and its own; the query heads of a
 * key–value head choose together, by the sum of their bounds. Nothing is given up, so another query
 * may choose other pages. The first layers visit everything, as published, and so does every token
 * that has no more before it than the budget, and layers that read the keys of one of these. The
 * paper's program reads prompts with full attention; here, every token chooses, so that a text may
 * be cut anywhere.
 *
 * @see <a href="https://arxiv.org/abs/2406.10774">Quest</a>
 */
final class QuestKeys implements KeySelection {

  /** The scores of a part should stay in a cache. */
  private static final int MOST_SCORES = 1 << 18;

  private final int page;
  private final int pages;
  private final Selections.Layer layer;

  private QuestKeys(int page, int pages, Selections.Layer layer) {
    this.page = page;
    this.pages = pages;
    this.layer = layer;
  }

  static Selections.Maker read(Config c) {
    int page = c.positive("page", 16);
    int budget = c.positive("budget", 1024);
    int skip = c.count("skip", 2);
    if (budget < page) {
      throw c.errorAt("budget", "select.budget=%d is less than page=%d", budget, page);
    }
    return layer -> {
      layer.requireProducts(c);
      return layer.index() < skip ? NearKeys.ALL : new QuestKeys(page, budget / page, layer);
    };
  }

  @Override
  public BlockSummary summary(Attention exact) {
    return new BlockSummary(page, BlockSummary.Kind.KEY_BOUNDS, exact);
  }

  private record Part(Run<KeyValueCache> run, int from, int rows, int keyHead) {}

  @Override
  public List<Tile> tiles(Pass pass, List<Run<KeyValueCache>> runs, Matrix q, Heads heads) {
    List<Tile> tiles = new ArrayList<>();
    List<Part> parts = new ArrayList<>();
    for (Run<KeyValueCache> run : runs) {
      long whole = run.state().summaries() == null ? Integer.MAX_VALUE : (long) pages * page;
      int few = Math.clamp(whole - run.position(), 0, run.length());
      int cut = run.from() + few;
      for (int end = run.to(); end > cut; ) {
        int most = (run.position() + end - run.from()) / page;
        int from = Math.max(cut, end - Math.clamp(MOST_SCORES / most, 1, Tile.rows(1)));
        for (int head = 0; head < heads.keyHeads(); head++) {
          parts.add(new Part(run, from, end - from, head));
        }
        end = from;
      }
      if (few > 0) {
        NearKeys.ALL.add(tiles, run.part(run.from(), cut), heads, 0, heads.keyHeads());
      }
    }
    Tile[][] chosen = new Tile[parts.size()][];
    pass.workers()
        .run(
            chosen.length, (i, worker) -> chosen[i] = choose(pass, worker, parts.get(i), q, heads));
    for (Tile[] some : chosen) {
      tiles.addAll(List.of(some));
    }
    return tiles;
  }

  private Tile[] choose(Pass pass, int worker, Part part, Matrix q, Heads heads) {
    KeyValueCache bounds = part.run.state().summaries();
    Attention kernel = bounds.layout().kernel();
    int dim = layer.traits().headDim();
    int position = part.run.position() + part.from - part.run.from();
    int most = (position + part.rows - 1) / page;
    var traits = new Traits(2 * dim, 0, 1, 0);
    int askingAt = kernel.scratchFloats(traits, part.rows);
    int scoresAt = Math.addExact(askingAt, part.rows * 2 * dim);
    float[] scratch = pass.scratch(worker, Math.addExact(scoresAt, part.rows * most));
    for (int i = 0; i < part.rows; i++) {
      int from = q.at(part.from + i) + part.keyHead * heads.group() * dim;
      ask(q.data(), from, heads.group(), dim, scratch, askingAt + i * 2 * dim);
    }
    kernel.score(
        traits,
        new Queries(scratch, askingAt, 2 * dim, part.rows, 1, 0),
        0,
        most,
        bounds.stored(part.keyHead),
        scratch,
        scoresAt,
        most,
        scratch);
    Tile[] tiles = new Tile[part.rows];
    for (int i = 0; i < part.rows; i++) {
      int own = (position + i) / page;
      var ranges = new SlotRanges();
      for (int k : TopSlots.of(scratch, scoresAt + i * most, own, pages - 1)) {
        ranges.add(k * page, (k + 1) * page);
      }
      int end = position + i + 1;
      Visited visited = ranges.add(own * page, end).visited(end, true, 0);
      tiles[i] = tile(part.run, part.from + i, part.keyHead, heads, visited);
    }
    return tiles;
  }

  /**
   * Writes the sums, over some heads, of what is below and of what is above 0 in their queries: the
   * sum of the heads' bounds is the product of these with a page's bounds.
   */
  private static void ask(float[] q, int from, int heads, int dim, float[] sums, int at) {
    Arrays.fill(sums, at, at + 2 * dim, 0);
    for (int g = 0; g < heads; g++) {
      for (int d = 0; d < dim; d++) {
        float value = q[from + g * dim + d];
        sums[at + d] += Math.min(value, 0);
        sums[at + dim + d] += Math.max(value, 0);
      }
    }
  }

  /** A row that visits some pages, whose keys and values are put together if they can be. */
  private Tile tile(Run<KeyValueCache> run, int row, int keyHead, Heads heads, Visited visited) {
    Attention kernel = layer.kernel();
    if (kernel.format().settles()) {
      return Tile.ofGroup(run, row, 1, keyHead, heads, visited);
    }
    int[] ranges = visited.ranges();
    int count = 0;
    for (int i = 0; i < visited.count(); i++) {
      count += ranges[2 * i + 1] - ranges[2 * i];
    }
    Stored stored = run.state().stored(keyHead);
    var keys = GatheredKeys.ofRanges(kernel, layer.traits(), stored, ranges, count);
    return Tile.ofGroup(run, row, 1, keyHead, heads, Tile.visited(0, count, true, 0))
        .reading(keys, count - 1);
  }
}
