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
import dev.apus.kernels.activation.Activations;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

/**
 * Experts that are asked mixtures of a text's tokens. Each has some slots:
 *
 * <pre>
 *   l_ts = φ_s · x_t
 *   x̃_s = Σ_t softmax over t of l_ts · x_t          ỹ_s = expert of s (x̃_s)
 *   y_t = Σ_s softmax over s of l_ts · ỹ_s
 * </pre>
 *
 * <p>All of the text is in every slot, so this mixes along the sequence and is for encoders.
 *
 * @see <a href="https://arxiv.org/abs/2308.00951">From Sparse to Soft Mixtures of Experts</a>
 */
public final class SoftMixture implements SequenceMixer<RecurrentState> {

  private final Blocks experts;
  private final Projection slots;
  private final int each;

  private SoftMixture(Config c, Site site) {
    each = c.positive("slots", 1);
    experts = new Blocks(c, site.width(), site.weights());
    if ((long) each * experts.count() > Integer.MAX_VALUE) {
      throw c.errorAt("slots", "slots=%d of experts=%d are too many", each, experts.count());
    }
    slots = site.weights().projection("slots", each * experts.count(), site.width());
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

  @Override
  public void forward(Pass pass, Batch<RecurrentState> batch, Matrix x, Matrix y) {
    List<Run<RecurrentState>> runs = batch.runs();
    int count = slots.outputs();
    try (Pass.Frame frame = pass.frame()) {
      Matrix logits = frame.matrix(x.rows(), count);
      slots.apply(pass, x, logits);
      Matrix given = frame.matrix(Math.multiplyExact(runs.size(), count), x.cols());
      pass.eachRow(
          given.rows(),
          (int) Math.min(Integer.MAX_VALUE, (long) x.rows() * x.cols() / runs.size()),
          (from, to, worker) -> {
            for (int i = from; i < to; i++) {
              // An expert's slots of all texts are neighbours.
              int slot = i / (runs.size() * each) * each + i % each;
              fill(pass, worker, runs.get(i / each % runs.size()), slot, x, logits, given, i);
            }
          });
      experts.ask(pass, expert -> expert * runs.size() * each, given);
      for (int run = 0; run < runs.size(); run++) {
        read(pass, runs, run, logits, given, y);
      }
    }
  }

  /** Fills a slot with the tokens of a run. */
  private static void fill(
      Pass pass,
      int worker,
      Run<RecurrentState> run,
      int slot,
      Matrix x,
      Matrix logits,
      Matrix given,
      int to) {
    Activations kernel = pass.kernels().activations();
    float[] shares = pass.scratch(worker, run.length());
    for (int t = 0; t < run.length(); t++) {
      shares[t] = logits.data()[logits.at(run.from() + t) + slot];
    }
    kernel.softmax(shares, 0, run.length());
    Arrays.fill(given.data(), given.at(to), given.at(to + 1), 0);
    for (int t = 0; t < run.length(); t++) {
      int from = x.at(run.from() + t);
      kernel.addScaled(shares[t], x.data(), from, given.data(), given.at(to), x.cols());
    }
  }

  /** Reads the slots of a run for each of its tokens. */
  private void read(
      Pass pass, List<Run<RecurrentState>> runs, int run, Matrix logits, Matrix given, Matrix y) {
    Activations kernel = pass.kernels().activations();
    int first = runs.get(run).from();
    int count = logits.cols();
    pass.eachRow(
        runs.get(run).length(),
        (16 + y.cols()) * count,
        (from, to, worker) -> {
          for (int row = first + from; row < first + to; row++) {
            int at = logits.at(row);
            kernel.softmax(logits.data(), at, count);
            Arrays.fill(y.data(), y.at(row), y.at(row + 1), 0);
            for (int slot = 0; slot < count; slot++) {
              int pair = (slot / each * runs.size() + run) * each + slot % each;
              float share = logits.data()[at + slot];
              kernel.addScaled(share, given.data(), given.at(pair), y.data(), y.at(row), y.cols());
            }
          }
        });
  }

  /**
   * The type {@code soft-moe}: {@code experts}, {@code inner}, {@code activation} and {@code gated}
   * of the experts, and {@code slots} of each.
   */
  public static final class Type implements MixerType {

    @Override
    public String name() {
      return "soft-moe";
    }

    @Override
    public SequenceMixer<?> build(Config settings, Site site) {
      return new SoftMixture(settings, site);
    }
  }
}
