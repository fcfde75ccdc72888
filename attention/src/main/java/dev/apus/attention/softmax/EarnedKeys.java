package dev.apus.attention.softmax;

import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.KeyVisits;
import dev.apus.core.model.Run;
import dev.apus.core.tensor.Matrix;
import dev.apus.kernels.attention.Attention.Queries;
import dev.apus.kernels.attention.Attention.Visited;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * Caches of a fixed size whose keys earn their places by the weight they get: a token attends to
 * what is there and to itself; then, if that was more than the budget, one key is given up for
 * good.
 *
 * <p>H2O gives up the key that has had the least weight in all, of those that are not recent; each
 * key–value head for itself, by the sum of its query heads. TOVA gives up the key that has the
 * least weight of this token, on average over all query heads of the layer. Of equal keys, the
 * oldest goes. Prompts are read by the same rule, token by token, so that a text may be cut
 * anywhere; the papers' programs read a prompt as a whole, and choose at its end.
 *
 * <p>Every {@value #SLACK} tokens, the keys that are left move together, and the memory of the
 * others is given back.
 *
 * @see <a href="https://arxiv.org/abs/2306.14048">H2O</a>
 * @see <a href="https://arxiv.org/abs/2401.06104">TOVA</a>
 */
final class EarnedKeys implements KeySelection {

  /** Slots of keys that were given up, before a cache is made smaller. */
  private static final int SLACK = 64;

  /** What a key is judged by. */
  enum Rule {
    /** The weight it has had so far. */
    SUM,
    /** The weight it has now. */
    NOW
  }

  private final Rule rule;
  private final int budget;
  private final int recent;
  private final Selections.Layer layer;
  private final Weighing weighing;

  private EarnedKeys(Rule rule, int budget, int recent, Selections.Layer layer) {
    this.rule = rule;
    this.budget = budget;
    this.recent = recent;
    this.layer = layer;
    this.weighing = new Weighing(layer);
  }

  static Selections.Maker read(Config c, Rule rule) {
    int budget = c.positive("budget", 1024);
    int recent = rule == Rule.SUM ? c.count("recent", budget / 2) : 0;
    if (recent > budget) {
      throw c.errorAt("recent", "select.recent=%d is more than budget=%d", recent, budget);
    }
    if (budget > Integer.MAX_VALUE - SLACK) {
      throw c.errorAt("budget", "select.budget=%d is more than any text has", budget);
    }
    return layer -> {
      layer.requireProducts(c);
      layer.requireOwn(c);
      return new EarnedKeys(rule, budget, recent, layer);
    };
  }

  @Override
  public PolicyMemory newMemory(int limit) {
    return new PolicyMemory(layer.heads().keyHeads(), capacity(limit), rule == Rule.SUM, 0, 0);
  }

  @Override
  public int capacity(int limit) {
    return Math.min(limit, budget + SLACK);
  }

  @Override
  public int room(KeyValueCache cache) {
    return budget + SLACK - cache.length();
  }

  @Override
  public void makeRoom(Pass pass, KeyValueCache cache) {
    if (cache.length() < budget + SLACK) {
      return;
    }
    int[][] slots = new int[layer.heads().keyHeads()][];
    for (int head = 0; head < slots.length; head++) {
      BitSet left = (BitSet) cache.memory().gone(head).clone();
      left.flip(0, cache.length());
      slots[head] = left.stream().toArray();
    }
    cache.keep(pass, slots);
  }

  @Override
  public List<Tile> tiles(Pass pass, List<Run<KeyValueCache>> runs, Matrix q, Heads heads) {
    throw new UnsupportedOperationException("what a row visits follows from earlier rows' weights");
  }

  @Override
  public List<Tile> attend(
      Pass pass, List<Run<KeyValueCache>> runs, Matrix q, Heads heads, Matrix o) {
    List<Tile> tiles = new ArrayList<>();
    int most = 0;
    int stride = 0;
    int[] first = new int[runs.size()];
    for (int r = 0; r < first.length; r++) {
      Run<KeyValueCache> run = runs.get(r);
      most = Math.max(most, run.length());
      stride = Math.max(stride, run.state().length());
      first[r] = rule == Rule.SUM ? 0 : unweighed(run);
      if (first[r] > 0) {
        Run<KeyValueCache> all = run.part(run.from(), run.from() + first[r]);
        NearKeys.ALL.add(tiles, all, heads, 0, heads.keyHeads());
      }
    }
    try (Pass.Frame frame = pass.frame()) {
      float[] weights = frame.floats(runs.size() * heads.keyHeads() * stride);
      for (int i = 0; i < most; i++) {
        attend(pass, runs, first, i, q, weights, stride, o);
        for (int r = 0; r < first.length; r++) {
          if (i >= first[r] && i < runs.get(r).length()) {
            giveUp(runs.get(r), i, weights, r * heads.keyHeads() * stride, stride);
          }
        }
      }
    }
    return tiles;
  }

  /** How many of a run's first rows see everything and give nothing up. */
  private int unweighed(Run<KeyValueCache> run) {
    return Math.clamp((long) budget - run.state().slot(run.position()), 0, run.length());
  }

  /** Attends to the row {@code i} of every run that has one, and writes its weights. */
  private void attend(
      Pass pass,
      List<Run<KeyValueCache>> runs,
      int[] first,
      int i,
      Matrix q,
      float[] weights,
      int stride,
      Matrix o) {
    int heads = layer.heads().keyHeads();
    int group = layer.heads().group();
    pass.workers()
        .run(
            runs.size() * heads,
            (part, worker) -> {
              Run<KeyValueCache> run = runs.get(part / heads);
              if (i >= first[part / heads] && i < run.length()) {
                KeyValueCache cache = run.state();
                int row = run.from() + i;
                int slot = cache.slot(run.position()) + i;
                int head = part % heads * group;
                int at = q.at(row) + head * layer.traits().headDim();
                Visited left =
                    SlotRanges.without(cache.memory().gone(part % heads), slot + 1)
                        .visited(slot + 1, true, 0);
                var asked =
                    new Weighing.Asked(
                        cache,
                        new Queries(q.data(), at, q.cols(), 1, group, slot),
                        head,
                        left,
                        slot + 1);
                var sums = Weighing.sums(asked, group, weights, part * stride);
                weighing.attend(pass, worker, asked, o, row, sums);
              }
            });
  }

  /** Takes note of a row's weights, and gives up what has to go. */
  private void giveUp(Run<KeyValueCache> run, int row, float[] weights, int at, int stride) {
    PolicyMemory memory = run.state().memory();
    int heads = layer.heads().keyHeads();
    int slot = run.state().slot(run.position()) + row;
    run.state().count(visits(run, row, slot));
    if (rule == Rule.SUM) {
      for (int head = 0; head < heads; head++) {
        float[] sums = memory.sums(head);
        sums[slot] = 0;
        for (int i = 0; i <= slot; i++) {
          sums[i] += weights[at + head * stride + i];
        }
        if (slot >= budget) {
          memory.gone(head).set(least(sums, 0, memory.gone(head), slot + 1 - recent));
        }
      }
    } else if (slot >= budget) {
      for (int head = 1; head < heads; head++) {
        for (int i = 0; i <= slot; i++) {
          weights[at + i] += weights[at + head * stride + i];
        }
      }
      int least = least(weights, at, memory.gone(0), slot + 1);
      for (int head = 0; head < heads; head++) {
        memory.gone(head).set(least);
      }
    }
  }

  /** What a row visits before anything is given up for it. */
  private KeyVisits visits(Run<KeyValueCache> run, int row, int slot) {
    int heads = layer.heads().keyHeads();
    int group = layer.heads().group();
    long visited = 0;
    for (int head = 0; head < heads; head++) {
      visited += slot + 1L - run.state().memory().gone(head).cardinality();
    }
    return new KeyVisits(group * visited, (run.position() + row + 1L) * group * heads);
  }

  /** The slot before {@code end} with the least value, of those that are not gone. */
  private static int least(float[] values, int at, BitSet gone, int end) {
    int least = gone.nextClearBit(0);
    for (int i = least + 1; i < end; i++) {
      if (!gone.get(i) && values[at + i] < values[at + least]) {
        least = i;
      }
    }
    return least;
  }
}
