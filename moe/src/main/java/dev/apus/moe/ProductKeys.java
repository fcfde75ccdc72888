package dev.apus.moe;

import dev.apus.core.compute.Divisible;
import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.ChannelMixer;
import dev.apus.core.model.ChannelType;
import dev.apus.core.model.Mlp;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Normalization;
import dev.apus.core.model.Site;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.RowTable;
import dev.apus.core.weight.WeightScope;
import dev.apus.kernels.activation.Activation;
import dev.apus.kernels.activation.Activations;
import java.util.Arrays;

/**
 * Very many experts of one neuron each, found by the best pairs of keys. Of {@code keys²} experts,
 * expert {@code (i, j)} has the key {@code [a_i, b_j]}; without queries, a and b read x itself:
 *
 * <pre>
 *   q = norm(W_h x)      s_ij = a_i · first half of q + b_j · second half of q
 *   y = Σ_h Σ_{(i, j) ∈ top} softmax over the top of s_ij · f(u_ij · x) · v_ij
 * </pre>
 *
 * <p>The best pairs are among those of the best {@code a} and the best {@code b}, so a choice costs
 * two searches of {@code keys}. Heads share keys and experts. Without {@code neurons}, experts are
 * their v alone: a memory that is read by keys.
 *
 * @see <a href="https://arxiv.org/abs/2407.04153">Mixture of A Million Experts</a>
 * @see <a href="https://arxiv.org/abs/1907.05242">Large Memory Layers with Product Keys</a>
 */
public final class ProductKeys implements ChannelMixer {

  private final int heads;
  private final int keys;
  private final int top;
  private final Activation activation;
  private final Projection scores;
  private final Projection queries;
  private final Normalization norm;
  private final Projection firstKeys;
  private final Projection secondKeys;
  private final RowTable in;
  private final RowTable out;

  private ProductKeys(Config c, Site site) {
    WeightScope weights = site.weights();
    int width = site.width();
    heads = c.positive("heads", 1);
    keys = c.positive("keys");
    top = c.positive("top");
    int queryDim = c.count("queryDim", 0);
    if (queryDim % 2 != 0) {
      throw c.errorAt("queryDim", "queryDim=%d must be even", queryDim);
    }
    if (top > (long) keys * keys) {
      throw c.errorAt("top", "top=%d is more than there are experts of keys=%d", top, keys);
    }
    if ((long) keys * keys > Integer.MAX_VALUE || (long) heads * 2 * keys > Integer.MAX_VALUE) {
      throw c.errorAt("keys", "keys=%d of heads=%d are too many", keys, heads);
    }
    if ((long) heads * queryDim > Integer.MAX_VALUE) {
      throw c.errorAt("queryDim", "heads=%d of queryDim=%d are too many", heads, queryDim);
    }
    boolean neurons = c.flag("neurons", true);
    activation = neurons ? Mlp.activation(c, "activation", Activation.GELU) : null;
    scores = queryDim == 0 ? weights.projection("scores", heads * 2 * keys, width) : null;
    queries = queryDim > 0 ? weights.projection("q", heads * queryDim, width) : null;
    NormSpec spec = queries != null && c.has("norm") ? NormSpec.read(c.section("norm")) : null;
    norm = Normalization.of(spec, "q.norm", queryDim, weights);
    boolean asks = queries != null;
    firstKeys = asks ? weights.projection("keys.first", keys, queryDim / 2) : null;
    secondKeys = asks ? weights.projection("keys.second", keys, queryDim / 2) : null;
    in = neurons ? weights.lookup("in", keys * keys, width) : null;
    out = weights.lookup("out", keys * keys, width);
  }

  @Override
  public void forward(Pass pass, Matrix x, Matrix y) {
    try (Pass.Frame frame = pass.frame()) {
      Matrix found = frame.matrix(x.rows(), heads * 2 * keys);
      if (scores == null) {
        ask(pass, x, found);
      } else {
        scores.apply(pass, x, found);
      }
      pass.eachRow(
          x.rows(),
          heads * top * (2 * keys + 4 * x.cols()),
          (from, to, worker) -> {
            float[] scratch = pass.scratch(worker, top + x.cols());
            var choice = new Choice(keys, top);
            for (int row = from; row < to; row++) {
              Arrays.fill(y.data(), y.at(row), y.at(row + 1), 0);
              for (int head = 0; head < heads; head++) {
                choice.of(found.data(), found.at(row) + head * 2 * keys, scratch);
                pass.kernels().activations().softmax(scratch, 0, top);
                add(pass.kernels().activations(), choice, scratch, x, y, row);
              }
            }
          });
    }
  }

  /** Queries, and their products with the keys. */
  private void ask(Pass pass, Matrix x, Matrix found) {
    int queryDim = queries.outputs() / heads;
    try (Pass.Frame frame = pass.frame()) {
      Matrix q = frame.matrix(x.rows(), queries.outputs());
      queries.apply(pass, x, q);
      if (norm != null) {
        norm.groups(pass, q, q, heads, queryDim, 0);
      }
      Divisible[] tasks = new Divisible[2 * heads];
      for (int head = 0; head < heads; head++) {
        int at = head * queryDim;
        int to = head * 2 * keys;
        tasks[2 * head] = firstKeys.task(pass, q, at, found, to);
        tasks[2 * head + 1] = secondKeys.task(pass, q, at + queryDim / 2, found, to + keys);
      }
      pass.run(tasks);
    }
  }

  /**
   * Adds what the chosen experts give.
   *
   * @param scratch how much each counts, and room for a row
   */
  private void add(
      Activations kernel, Choice choice, float[] scratch, Matrix x, Matrix y, int row) {
    for (int i = 0; i < top; i++) {
      if (in != null) {
        in.read(choice.experts[i], scratch, top);
        choice.neuron[0] = kernel.dot(scratch, top, x.data(), x.at(row), x.cols());
        kernel.apply(activation, choice.neuron, 0, 1);
        scratch[i] *= choice.neuron[0];
      }
      out.read(choice.experts[i], scratch, top);
      kernel.addScaled(scratch[i], scratch, top, y.data(), y.at(row), y.cols());
    }
  }

  /** The best pairs of a head, the best first; of equal ones the lower expert. */
  private static final class Choice {

    private final int keys;
    private final int[] experts;
    private final float[] neuron = new float[1];
    private final int[] first;
    private final int[] second;

    Choice(int keys, int top) {
      this.keys = keys;
      this.experts = new int[top];
      this.first = new int[Math.min(keys, top)];
      this.second = new int[Math.min(keys, top)];
    }

    /**
     * @param scores of the first keys, and behind them of the second
     * @param best receives the scores of the chosen
     */
    void of(float[] scores, int at, float[] best) {
      best(scores, at, first);
      best(scores, at + keys, second);
      Arrays.sort(first);
      Arrays.sort(second);
      for (int taken = 0; taken < experts.length; taken++) {
        experts[taken] = -1;
        for (int i : first) {
          for (int j : second) {
            int expert = i * keys + j;
            float score = scores[at + i] + scores[at + keys + j];
            boolean better = experts[taken] < 0 || Float.compare(score, best[taken]) > 0;
            if (better && !contains(experts, taken, expert)) {
              experts[taken] = expert;
              best[taken] = score;
            }
          }
        }
      }
    }

    private void best(float[] scores, int at, int[] chosen) {
      for (int taken = 0; taken < chosen.length; taken++) {
        int best = -1;
        for (int key = 0; key < keys; key++) {
          if ((best < 0 || Float.compare(scores[at + key], scores[at + best]) > 0)
              && !contains(chosen, taken, key)) {
            best = key;
          }
        }
        chosen[taken] = best;
      }
    }

    private static boolean contains(int[] values, int count, int value) {
      for (int i = 0; i < count; i++) {
        if (values[i] == value) {
          return true;
        }
      }
      return false;
    }
  }

  /**
   * The type {@code product-keys}: {@code keys} of each half, {@code queryDim} of both together, 0
   * for none, {@code top} experts of each of the {@code heads}, {@code norm} of the queries, {@code
   * activation}, and {@code neurons}: whether experts read x.
   */
  public static final class Type implements ChannelType {

    @Override
    public String name() {
      return "product-keys";
    }

    @Override
    public ChannelMixer build(Config settings, Site site) {
      return new ProductKeys(settings, site);
    }
  }
}
