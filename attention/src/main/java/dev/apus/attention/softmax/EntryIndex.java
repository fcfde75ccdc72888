package dev.apus.attention.softmax;

import dev.apus.attention.softmax.CompressedSpec.Entries;
import dev.apus.attention.softmax.CompressedSpec.Index;
import dev.apus.core.compute.Divisible;
import dev.apus.core.compute.Pass;
import dev.apus.core.compute.Workers;
import dev.apus.core.model.Batch;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Run;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.WeightScope;
import dev.apus.kernels.attention.Attention;
import dev.apus.kernels.attention.Attention.IndexQuery;
import java.util.ArrayList;
import java.util.List;

/**
 * Chooses the entries that a token attends to, by small queries and keys of its own:
 *
 * <pre>
 *   score_s = Σ_h w_h · max(0, q_h · k_s)            w = W_w x / √(heads · headDim)
 *   the top entries by score, of equal scores the earlier
 * </pre>
 *
 * <p>The keys are entries of another {@link Compressor}. A token that may attend to no more than
 * the top is asked nothing.
 *
 * @see <a href="https://arxiv.org/abs/2512.02556">DeepSeek-V3.2</a>
 */
final class EntryIndex {

  /** Memory that the scores of some rows may take. */
  private static final int MOST_SCORES = 1 << 22;

  /** Parts for each thread. */
  private static final int FINE = 4;

  private final Index spec;
  private final int rate;
  private final Attention kernel;
  private final CacheLayout layout;
  private final Compressor keys;
  private final Projection queries;
  private final Projection weights;

  EntryIndex(
      Entries entries, int latent, int width, NormSpec norm, Attention kernel, WeightScope scope) {
    this.spec = entries.index();
    this.rate = entries.rate();
    this.kernel = kernel;
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
    return spec.headDim();
  }

  /** Entries that a token attends to, at most. */
  int top() {
    return spec.top();
  }

  Matrix queries(Pass.Frame frame, int rows) {
    return frame.matrix(rows, queries.outputs());
  }

  Matrix weights(Pass.Frame frame, int rows) {
    return frame.matrix(rows, spec.heads());
  }

  Divisible queriesTask(Pass pass, Matrix latents, Matrix q) {
    return queries.task(pass, latents, q);
  }

  Divisible weightsTask(Pass pass, Matrix x, Matrix w) {
    return weights.task(pass, x, w);
  }

  /**
   * A row that has more entries to choose from than it may take.
   *
   * @param entries how many there are
   */
  private record Asking(KeyValueCache keys, int row, int entries) {

    int spans() {
      return Math.ceilDiv(entries, Attention.SPAN);
    }
  }

  /**
   * Chooses for all rows, whose entries are in the caches already.
   *
   * @param q turned
   * @param w changed
   * @return {@link #top} slots of each row, ascending; nothing is said of rows that see no more
   */
  int[] choose(Pass pass, Batch<CompressedCache> batch, Matrix q, Matrix w) {
    float factor = (float) (1 / Math.sqrt((double) spec.heads() * spec.headDim()));
    for (int i = 0; i < w.at(w.rows()); i++) {
      w.data()[i] *= factor;
    }
    List<Asking> asking = new ArrayList<>();
    for (Run<CompressedCache> run : batch.runs()) {
      for (int i = 0; i < run.length(); i++) {
        int entries = (run.position() + i + 1) / rate;
        if (entries > spec.top()) {
          asking.add(new Asking(run.state().index(), run.from() + i, entries));
        }
      }
    }
    int[] chosen = new int[asking.isEmpty() ? 0 : Math.multiplyExact(q.rows(), spec.top())];
    for (int from = 0, to; from < asking.size(); from = to) {
      long scores = 0;
      for (to = from; to < asking.size(); to++) {
        scores += asking.get(to).entries();
        if (to > from && scores > MOST_SCORES) {
          break;
        }
      }
      choose(pass, asking.subList(from, to), q, w, chosen);
    }
    return chosen;
  }

  private void choose(Pass pass, List<Asking> rows, Matrix q, Matrix w, int[] chosen) {
    int[] scoresAt = new int[rows.size() + 1];
    int spans = 0;
    for (int i = 0; i < rows.size(); i++) {
      scoresAt[i + 1] = scoresAt[i] + rows.get(i).entries();
      spans += rows.get(i).spans();
    }
    int all = spans;
    int shares = Math.min(all, FINE * pass.workers().threads());
    try (Pass.Frame frame = pass.frame()) {
      float[] scores = frame.floats(scoresAt[rows.size()]);
      pass.workers()
          .run(
              shares,
              (share, worker) -> {
                int from = Workers.rangeStart(all, shares, share);
                int to = Workers.rangeStart(all, shares, share + 1);
                float[] scratch = pass.scratch(worker, kernel.indexFloats(spec.heads()));
                for (int i = 0; i < rows.size() && to > 0; i++) {
                  Asking row = rows.get(i);
                  for (int span = Math.max(0, from); span < Math.min(to, row.spans()); span++) {
                    score(row, span, q, w, scores, scoresAt[i], scratch);
                  }
                  from -= row.spans();
                  to -= row.spans();
                }
              });
      pass.eachRow(
          rows.size(),
          8 * scoresAt[rows.size()] / rows.size(),
          (from, to, worker) -> {
            float[] best = pass.scratch(worker, spec.top());
            for (int i = from; i < to; i++) {
              int at = rows.get(i).row() * spec.top();
              take(scores, scoresAt[i], rows.get(i).entries(), spec.top(), best, chosen, at);
            }
          });
    }
  }

  private void score(
      Asking row, int span, Matrix q, Matrix w, float[] scores, int scoresAt, float[] scratch) {
    int dim = spec.headDim();
    int first = span * Attention.SPAN;
    kernel.index(
        new IndexQuery(q.data(), q.at(row.row()), spec.heads(), dim, w.data(), w.at(row.row())),
        row.keys().stored(0).piece(span),
        first,
        Math.min(row.entries(), first + Attention.SPAN),
        scores,
        scoresAt + first,
        scratch);
  }

  /**
   * Writes the slots of the top scores, ascending; NaN counts as the best, so that it shows.
   *
   * @param best scratch for as many values
   */
  static void take(
      float[] scores, int scoresAt, int count, int top, float[] best, int[] chosen, int at) {
    // Every slot with more than the least of the best, and the first of those with as much.
    System.arraycopy(scores, scoresAt, best, 0, top);
    for (int i = top / 2 - 1; i >= 0; i--) {
      sink(best, i, top);
    }
    for (int i = top; i < count; i++) {
      if (Float.compare(scores[scoresAt + i], best[0]) > 0) {
        best[0] = scores[scoresAt + i];
        sink(best, 0, top);
      }
    }
    float least = best[0];
    int equal = 0;
    for (int i = 0; i < top; i++) {
      equal += Float.compare(best[i], least) == 0 ? 1 : 0;
    }
    int next = at;
    for (int slot = 0; slot < count && next < at + top; slot++) {
      int order = Float.compare(scores[scoresAt + slot], least);
      if (order > 0 || order == 0 && equal-- > 0) {
        chosen[next++] = slot;
      }
    }
  }

  /** Restores the heap below a value, whose least value is the first. */
  private static void sink(float[] heap, int from, int count) {
    float value = heap[from];
    int i = from;
    for (int child = 2 * i + 1; child < count; child = 2 * i + 1) {
      if (child + 1 < count && Float.compare(heap[child + 1], heap[child]) < 0) {
        child++;
      }
      if (Float.compare(heap[child], value) >= 0) {
        break;
      }
      heap[i] = heap[child];
      i = child;
    }
    heap[i] = value;
  }
}
