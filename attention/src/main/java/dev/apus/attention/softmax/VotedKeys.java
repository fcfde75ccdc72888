package dev.apus.attention.softmax;

import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.Run;
import dev.apus.core.tensor.Matrix;
import dev.apus.kernels.attention.Attention.Queries;
import dev.apus.kernels.attention.Attention.Visited;
import java.util.Arrays;
import java.util.List;

/**
 * SnapKV: at the end of a prompt, its last queries vote for the keys before them, and each
 * key–value head keeps those with the most votes, and the last ones; the others are given up for
 * good.
 *
 * <p>A vote for a key is the weight it gets, summed over the last {@code window} queries and the
 * query heads of its group, and a key has the most votes that it or one of its {@code pool / 2}
 * neighbours on either side has. A prompt is what was given until logits were asked for, if it has
 * {@code window} tokens at least; each one ends so, those of a conversation's later turns, too. The
 * tokens of a prompt see all that is there, however it is cut; but where prompts end shows.
 *
 * @see <a href="https://arxiv.org/abs/2404.14469">SnapKV</a>
 */
final class VotedKeys implements KeySelection {

  private final int budget;
  private final int window;
  private final int pool;
  private final Selections.Layer layer;
  private final Weighing weighing;

  private VotedKeys(int budget, int window, int pool, Selections.Layer layer) {
    this.budget = budget;
    this.window = window;
    this.pool = pool;
    this.layer = layer;
    this.weighing = new Weighing(layer);
  }

  static Selections.Maker read(Config c) {
    int budget = c.positive("budget", 1024);
    int window = c.positive("window", 32);
    int pool = c.positive("pool", 7);
    if (window >= budget) {
      throw c.errorAt("window", "select.window=%d must be less than budget=%d", window, budget);
    }
    if (pool % 2 == 0) {
      throw c.errorAt("pool", "select.pool=%d must be odd: as many on either side", pool);
    }
    return layer -> {
      layer.requireProducts(c);
      layer.requireOwn(c);
      return new VotedKeys(budget, window, pool, layer);
    };
  }

  @Override
  public PolicyMemory newMemory(int limit) {
    return new PolicyMemory(layer.heads().keyHeads(), 0, false, window, queryCols());
  }

  private int queryCols() {
    return layer.heads().keyHeads() * layer.heads().group() * layer.traits().headDim();
  }

  @Override
  public List<Tile> tiles(Pass pass, List<Run<KeyValueCache>> runs, Matrix q, Heads heads) {
    for (Run<KeyValueCache> run : runs) {
      run.state().memory().remember(q.data(), q.at(run.from()), run.length());
    }
    return NearKeys.ALL.tiles(pass, runs, q, heads);
  }

  @Override
  public boolean endsShow() {
    return true;
  }

  @Override
  public void rest(Pass pass, KeyValueCache cache) {
    PolicyMemory memory = cache.memory();
    if (memory.pending() >= window && cache.length() > budget) {
      int[][] kept = new int[layer.heads().keyHeads()][];
      pass.workers()
          .run(kept.length, (head, worker) -> kept[head] = elected(pass, worker, cache, head));
      cache.keep(pass, kept);
    }
    memory.forgetQueries();
  }

  /** The slots that a head keeps. */
  private int[] elected(Pass pass, int worker, KeyValueCache cache, int keyHead) {
    int length = cache.length();
    int voted = length - window;
    int group = layer.heads().group();
    int head = keyHead * group;
    int at = head * layer.traits().headDim();
    float[] votes = new float[length];
    Queries q = new Queries(cache.memory().tail(), at, queryCols(), window, group, voted);
    Visited visited = Tile.visited(0, length, true, 0);
    var asked = new Weighing.Asked(cache, q, head, visited, length);
    weighing.read(pass, worker, asked, Weighing.sums(asked, q.count(), votes, 0));
    float[] pooled = new float[voted];
    for (int i = 0; i < voted; i++) {
      int end = Math.min(voted, i + pool / 2 + 1);
      for (int near = Math.max(0, i - pool / 2); near < end; near++) {
        pooled[i] = Math.max(pooled[i], votes[near]);
      }
    }
    int[] best = TopSlots.of(pooled, 0, voted, budget - window);
    int[] kept = Arrays.copyOf(best, budget);
    for (int i = 0; i < window; i++) {
      kept[budget - window + i] = voted + i;
    }
    return kept;
  }
}
