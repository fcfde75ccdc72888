package dev.apus.attention.softmax;

import dev.apus.attention.softmax.CompressedSpec.Entries;
import dev.apus.attention.softmax.CompressedSpec.Index;
import dev.apus.attention.softmax.SlotChoice.Asking;
import dev.apus.core.compute.Divisible;
import dev.apus.core.compute.Pass;
import dev.apus.core.model.Batch;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Run;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.WeightScope;
import dev.apus.kernels.attention.Attention;
import dev.apus.kernels.attention.Attention.Stored;
import java.util.ArrayList;
import java.util.List;

/**
 * The {@link Indexer} of entries: its keys are entries of a {@link Compressor} of its own.
 *
 * <pre>
 *   q = rope(W_q l)      l the latent of the queries      w = W_w x
 *   score_ts = Σ_h w_th · max(0, q_th · k_s)              t attends to the greatest
 * </pre>
 */
final class EntryIndex {

  private final int rate;
  private final SlotChoice choice;
  private final CacheLayout layout;
  private final Compressor keys;
  private final Projection queries;
  private final Projection weights;

  EntryIndex(
      Entries entries, int latent, int width, NormSpec norm, Attention kernel, WeightScope scope) {
    Index spec = entries.index();
    this.rate = entries.rate();
    this.choice = new SlotChoice(kernel, spec.heads(), spec.headDim(), spec.top());
    this.layout = new CacheLayout(kernel, 1, spec.headDim(), 0);
    this.keys = new Compressor(entries, spec.headDim(), width, norm, scope.scope("entry"));
    this.queries = scope.projection("q", spec.heads() * spec.headDim(), latent);
    this.weights = scope.projection("weights", spec.heads(), width);
  }

  CacheLayout layout() {
    return layout;
  }

  Compressor keys() {
    return keys;
  }

  int headDim() {
    return choice.headDim();
  }

  Matrix queries(Pass.Frame frame, int rows) {
    return frame.matrix(rows, queries.outputs());
  }

  Matrix weights(Pass.Frame frame, int rows) {
    return frame.matrix(rows, weights.outputs());
  }

  Divisible queriesTask(Pass pass, Matrix latents, Matrix q) {
    return queries.task(pass, latents, q);
  }

  Divisible weightsTask(Pass pass, Matrix x, Matrix w) {
    return weights.task(pass, x, w);
  }

  /** What rows attend to, whose entries are in the caches already. */
  ChosenSlots choose(Pass pass, Batch<CompressedCache> batch, Matrix q, Matrix w) {
    List<Asking> asking = new ArrayList<>();
    for (Run<CompressedCache> run : batch.runs()) {
      Stored stored = run.state().index().stored(0);
      for (int i = 0; i < run.length(); i++) {
        int seen = (run.position() + i + 1) / rate;
        if (seen > choice.top()) {
          asking.add(new Asking(run.from() + i, stored, seen));
        }
      }
    }
    return choice.choose(pass, asking, q, w);
  }
}
