package dev.apus.moe;

import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.Batch;
import dev.apus.core.model.MixerType;
import dev.apus.core.model.RecurrentState;
import dev.apus.core.model.Run;
import dev.apus.core.model.SequenceMixer;
import dev.apus.core.model.Site;
import dev.apus.core.model.Visibility;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

/**
 * Experts that choose tokens: each takes the tokens of a text that score best with it, as many as
 * {@code ⌈capacity · tokens / experts⌉}.
 *
 * <pre>
 *   S = softmax over experts of W x      y_t = Σ_{e that chose t} S_te · expert_e(x_t)
 * </pre>
 *
 * <p>Which tokens an expert takes depends on all of the text, so this mixes along the sequence and
 * is for encoders. Of equal tokens the first is taken.
 *
 * @see <a href="https://arxiv.org/abs/2202.09368">Expert Choice Routing</a>
 */
public final class ExpertChoice implements SequenceMixer<RecurrentState> {

  private final Blocks experts;
  private final Projection scores;
  private final double capacity;

  private ExpertChoice(Config c, Site site) {
    capacity = c.number("capacity", 2);
    if (!(capacity > 0 && capacity < Double.POSITIVE_INFINITY)) {
      throw c.errorAt("capacity", "capacity=%s must be above 0", capacity);
    }
    experts = new Blocks(c, site.width(), site.weights());
    scores = site.weights().projection("router", experts.count(), site.width());
  }

  @Override
  public RecurrentState newState(int limit) {
    return RecurrentState.of();
  }

  @Override
  public Set<Visibility> visibilities() {
    return Set.of(Visibility.BIDIRECTIONAL);
  }

  @Override
  public long bytesPerToken() {
    return 0;
  }

  /** How many tokens of a text each expert takes. */
  private int taken(int tokens) {
    double wanted = Math.ceil(capacity * tokens / experts.count());
    return (int) Math.clamp(wanted, 1.0, tokens);
  }

  @Override
  public void forward(Pass pass, Batch<RecurrentState> batch, Matrix x, Matrix y) {
    int each = batch.runs().stream().mapToInt(run -> taken(run.length())).sum();
    int pairs = Math.multiplyExact(each, experts.count());
    try (Pass.Frame frame = pass.frame()) {
      Matrix logits = frame.matrix(x.rows(), experts.count());
      scores.apply(pass, x, logits);
      pass.eachRow(
          x.rows(),
          16 * experts.count(),
          (from, to, worker) -> {
            for (int row = from; row < to; row++) {
              pass.kernels().activations().softmax(logits.data(), logits.at(row), experts.count());
            }
          });
      int[] rows = choose(pass, batch.runs(), logits, each);
      Matrix given = frame.matrix(pairs, x.cols());
      pass.eachRow(
          pairs,
          x.cols(),
          (from, to, worker) -> {
            for (int pair = from; pair < to; pair++) {
              int at = x.at(rows[pair]);
              System.arraycopy(x.data(), at, given.data(), given.at(pair), x.cols());
            }
          });
      experts.ask(pass, expert -> expert * each, given);
      add(pass, rows, each, logits, given, y);
    }
  }

  /** The rows that each expert takes: of every run as many as it may, ascending. */
  private int[] choose(Pass pass, List<Run<RecurrentState>> runs, Matrix scores, int each) {
    int[] rows = new int[each * experts.count()];
    pass.eachRow(
        experts.count(),
        4 * scores.rows(),
        (fromExpert, toExpert, worker) -> {
          for (int expert = fromExpert; expert < toExpert; expert++) {
            int at = expert * each;
            for (Run<RecurrentState> run : runs) {
              int count = taken(run.length());
              best(scores, expert, run.from(), run.to(), rows, at, count);
              at += count;
            }
          }
        });
    return rows;
  }

  /** Scores are positive, so their bits are in their order, and NaN comes before all. */
  private static void best(
      Matrix scores, int expert, int from, int to, int[] rows, int at, int count) {
    long[] ranked = new long[to - from];
    for (int row = from; row < to; row++) {
      long bits = Float.floatToIntBits(scores.data()[scores.at(row) + expert]);
      ranked[row - from] = bits << Integer.SIZE | Integer.MAX_VALUE - row;
    }
    Arrays.sort(ranked);
    for (int i = 0; i < count; i++) {
      rows[at + i] = Integer.MAX_VALUE - (int) ranked[ranked.length - 1 - i];
    }
    Arrays.sort(rows, at, at + count);
  }

  /** Adds what experts gave to the rows that they took, in the order of the experts. */
  private void add(Pass pass, int[] rows, int each, Matrix scores, Matrix given, Matrix y) {
    int[] starts = new int[y.rows() + 1];
    for (int row : rows) {
      starts[row + 1]++;
    }
    for (int row = 0; row < y.rows(); row++) {
      starts[row + 1] += starts[row];
    }
    int[] next = starts.clone();
    int[] pairs = new int[rows.length];
    for (int pair = 0; pair < rows.length; pair++) {
      pairs[next[rows[pair]]++] = pair;
    }
    pass.eachRow(
        y.rows(),
        (experts.count() + 1) * y.cols(),
        (from, to, worker) -> {
          for (int row = from; row < to; row++) {
            Arrays.fill(y.data(), y.at(row), y.at(row + 1), 0);
            for (int i = starts[row]; i < starts[row + 1]; i++) {
              float weight = scores.data()[scores.at(row) + pairs[i] / each];
              pass.kernels()
                  .activations()
                  .addScaled(
                      weight, given.data(), given.at(pairs[i]), y.data(), y.at(row), y.cols());
            }
          }
        });
  }

  /**
   * The type {@code expert-choice}: {@code experts}, {@code inner}, {@code activation} and {@code
   * gated} of the experts, and {@code capacity}, how many of them take a token on average.
   */
  public static final class Type implements MixerType {

    @Override
    public String name() {
      return "expert-choice";
    }

    @Override
    public SequenceMixer<?> build(Config settings, Site site) {
      return new ExpertChoice(settings, site);
    }
  }
}
