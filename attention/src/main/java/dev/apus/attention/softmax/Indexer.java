package dev.apus.attention.softmax;

import dev.apus.attention.rope.Rope;
import dev.apus.attention.softmax.SlotChoice.Asking;
import dev.apus.core.compute.Divisible;
import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.Batch;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Normalization;
import dev.apus.core.model.Run;
import dev.apus.core.model.Site;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.WeightScope;
import dev.apus.kernels.attention.Attention;
import dev.apus.kernels.attention.Attention.Stored;
import dev.apus.kernels.rope.Rotary;
import java.util.ArrayList;
import java.util.List;

/**
 * The lightning indexer of DeepSeek Sparse Attention: of all tokens that came before, it chooses
 * those that a token attends to, by heads of its own which are few, short, and share one key.
 *
 * <pre>
 *   q = rope(W_q c)      c the latent of the queries      k = rope(norm(W_k x))      w = W_w x
 *   score_ts = Σ_h w_th · max(0, q_th · k_s)              t attends to the greatest of s ≤ t
 * </pre>
 *
 * <p>The constants that are published as factors of the scores are positive, and change no choice.
 * Of equal scores, those of earlier tokens have precedence.
 *
 * @see <a href="https://arxiv.org/abs/2512.02556">DeepSeek-V3.2</a>
 */
final class Indexer {

  private static final NormSpec NORM = NormSpec.layer(1e-6, true);

  /**
   * The settings of an indexer.
   *
   * @param top how many tokens are attended to
   * @param layout how pairs of what turns lie, which are the first values of a head; angles are
   *     those of the layer
   */
  record Spec(int heads, int headDim, int top, Rotary.Layout layout) {

    /**
     * @param turned how many values of a head turn at the most
     */
    static Spec read(Config c, int turned) {
      int heads = c.positive("heads");
      int headDim = c.positive("headDim");
      if ((long) heads * headDim > Integer.MAX_VALUE) {
        throw c.error("heads=%d of %d values are more than 2^31 − 1 values a row", heads, headDim);
      }
      if (headDim < turned) {
        throw c.errorAt(
            "headDim",
            "headDim=%d of the index must not be less than the %d values that turn",
            headDim,
            turned);
      }
      return new Spec(
          heads,
          headDim,
          c.positive("top"),
          c.choice("layout", "halves", "halves", "interleaved").equals("halves")
              ? Rotary.Layout.HALVES
              : Rotary.Layout.INTERLEAVED);
    }
  }

  /** What the rows of a pass ask, and what they can be found by. */
  record Rows(Matrix q, Matrix k, Matrix weights) {}

  private final Spec spec;
  private final SlotChoice choice;
  private final boolean turns;
  private final Projection queries;
  private final Projection keys;
  private final Normalization keyNorm;
  private final Projection headWeights;

  /**
   * @param turns whether queries and keys are turned
   */
  Indexer(Spec spec, Attention kernel, int queryLatent, boolean turns, Site site) {
    WeightScope weights = site.weights();
    this.spec = spec;
    this.choice = new SlotChoice(kernel, spec.heads(), spec.headDim(), spec.top());
    this.turns = turns;
    this.queries = weights.projection("index.q", spec.heads() * spec.headDim(), queryLatent);
    this.keys = weights.projection("index.k", spec.headDim(), site.width());
    this.keyNorm = Normalization.of(NORM, "index.k.norm", spec.headDim(), weights);
    this.headWeights = weights.projection("index.weights", spec.heads(), site.width());
  }

  Rows rows(Pass.Frame frame, int rows) {
    return new Rows(
        frame.matrix(rows, queries.outputs()),
        frame.matrix(rows, spec.headDim()),
        frame.matrix(rows, spec.heads()));
  }

  /** What is computed of the rows themselves. */
  List<Divisible> ofInputs(Pass pass, Matrix x, Rows rows) {
    return List.of(keys.task(pass, x, rows.k()), headWeights.task(pass, x, rows.weights()));
  }

  /** What is computed of the latents of the queries. */
  Divisible ofLatents(Pass pass, Matrix latents, Rows rows) {
    return queries.task(pass, latents, rows.q());
  }

  /** Normalises and turns what has been computed; then the keys may be appended. */
  void turn(Pass pass, Batch<KeyValueCache> batch, Rows rows) {
    keyNorm.rows(pass, rows.k(), rows.k());
    if (turns) {
      Rope.turn(
          pass,
          batch,
          cache -> cache.rope().paired(spec.layout()),
          rows.q(),
          rows.k(),
          spec.headDim());
    }
  }

  /** What rows attend to whose keys are in the caches already. */
  ChosenSlots choose(Pass pass, Batch<KeyValueCache> batch, Rows rows) {
    List<Asking> asking = new ArrayList<>();
    for (Run<KeyValueCache> run : batch.runs()) {
      Stored stored = run.state().stored(0);
      for (int i = Math.max(0, spec.top() - run.position()); i < run.length(); i++) {
        asking.add(new Asking(run.from() + i, stored, run.position() + i + 1));
      }
    }
    return choice.choose(pass, asking, rows.q(), rows.weights());
  }
}
