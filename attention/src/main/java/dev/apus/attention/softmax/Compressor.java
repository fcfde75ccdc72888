package dev.apus.attention.softmax;

import dev.apus.attention.rope.Rope;
import dev.apus.attention.softmax.CompressedSpec.Entries;
import dev.apus.core.compute.Divisible;
import dev.apus.core.compute.Pass;
import dev.apus.core.model.Batch;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Normalization;
import dev.apus.core.model.RecurrentState;
import dev.apus.core.model.RecurrentState.Region;
import dev.apus.core.model.Run;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.WeightScope;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.kernels.scan.AverageScan;
import java.lang.foreign.MemorySegment;
import java.util.function.Function;

/**
 * Makes one entry of every block of tokens: each value is a mean of the tokens' values by weights
 * of its own.
 *
 * <pre>
 *   c, z = W_c x, W_z x + bias of the token's place in its block
 *   entry = rope(rms(Σ softmax(z) ⊙ c))            over the tokens of the block
 * </pre>
 *
 * <p>Where entries overlap, a token has two of each, and an entry takes the first of the tokens of
 * the block before and the second of those of its own.
 *
 * <p>Tokens are added one by one to a running mean ({@link AverageScan} without fading), so that an
 * entry has the same bits wherever its block is cut, and a sequence remembers one mean, or two, of
 * tokens that are in no entry yet.
 *
 * @see <a href="https://huggingface.co/deepseek-ai/DeepSeek-V4-Flash">DeepSeek-V4</a>
 */
final class Compressor {

  /** Channels that one thread takes at a time, at least. */
  private static final int CHANNELS = 64;

  private final int rate;
  private final int dim;
  private final int series;
  private final Projection values;
  private final Projection weights;
  private final float[] places;
  private final Normalization norm;
  private final float[] zeros;

  /**
   * @param dim values of an entry
   * @param width of the rows that it reads
   */
  Compressor(Entries entries, int dim, int width, NormSpec norm, WeightScope scope) {
    this.rate = entries.rate();
    this.dim = dim;
    this.series = entries.overlapping() ? 2 : 1;
    this.values = scope.projection("kv", cols(), width);
    this.weights = scope.projection("gate", cols(), width);
    this.places = scope.table("places", rate, cols(), new Typical(0, 0.5f));
    this.norm = Normalization.of(norm, "norm", dim, scope);
    this.zeros = new float[dim];
  }

  /** Values that a token has of each kind. */
  int cols() {
    return series * dim;
  }

  /** What a sequence remembers: a mean for the entry to come, and one for the entry after it. */
  Region region() {
    return new Region(series, (long) AverageScan.STATE * dim);
  }

  /** What computes a row's values, to be done together with other work. */
  Divisible valuesTask(Pass pass, Matrix x, Matrix c) {
    return values.task(pass, x, c);
  }

  /** What computes the logits of its weights, without their biases. */
  Divisible weightsTask(Pass pass, Matrix x, Matrix z) {
    return weights.task(pass, x, z);
  }

  /** How many entries a run completes. */
  int completed(Run<?> run) {
    return (run.position() + run.length()) / rate - run.position() / rate;
  }

  /**
   * Adds the tokens of all runs.
   *
   * @param region which region of the states is this compressor's
   * @param z changed
   * @return the entries that the runs complete, one run after the other
   */
  <S> Matrix compress(
      Pass pass,
      Pass.Frame frame,
      Batch<S> batch,
      Function<S, RecurrentState> state,
      int region,
      Matrix c,
      Matrix z,
      Function<S, Rope> rope) {
    int[] first = new int[batch.runs().size() + 1];
    for (int i = 0; i < batch.runs().size(); i++) {
      Run<S> run = batch.runs().get(i);
      first[i + 1] = first[i] + completed(run);
      state.apply(run.state()).keep(region);
      addPlaces(pass, run, z);
    }
    Matrix entries = frame.matrix(first[batch.runs().size()], dim);
    Matrix means = frame.matrix(c.rows(), dim);
    pass.eachRow(
        Math.ceilDiv(dim, CHANNELS),
        32 * series * c.rows() * CHANNELS,
        (from, to, worker) -> {
          for (int i = 0; i < batch.runs().size(); i++) {
            Run<S> run = batch.runs().get(i);
            var scan =
                new Scan(
                    pass.kernels().averageScan(),
                    state.apply(run.state()),
                    region,
                    from * CHANNELS,
                    Math.min(dim, to * CHANNELS));
            scan(scan, run, c, z, means, entries, first[i]);
          }
        });
    norm.rows(pass, entries, entries);
    for (int i = 0; i < batch.runs().size(); i++) {
      Run<S> run = batch.runs().get(i);
      int count = first[i + 1] - first[i];
      if (count > 0) {
        int position = run.position() / rate * rate;
        rope.apply(run.state()).turnLast(pass, entries, first[i], count, dim, position, rate);
      }
    }
    return entries;
  }

  private void addPlaces(Pass pass, Run<?> run, Matrix z) {
    pass.eachRow(
        run.length(),
        z.cols(),
        (from, to, worker) -> {
          for (int i = from; i < to; i++) {
            int place = (run.position() + i) % rate;
            pass.kernels()
                .activations()
                .addScaled(1, places, place * z.cols(), z.data(), z.at(run.from() + i), z.cols());
          }
        });
  }

  /** Channels {@code [from, to)} of a sequence's means. */
  private record Scan(AverageScan kernel, RecurrentState state, int region, int from, int to) {

    /** The bytes of one of the three things that a channel remembers. */
    private long at(int piece, int what, int dim) {
      return state.at(region, piece) + ((long) what * dim + from) * Float.BYTES;
    }

    /** Makes a mean that of another series, or of nothing if there is none. */
    void become(int piece, int other, int dim) {
      MemorySegment memory = state.segment();
      long bytes = (long) (to - from) * Float.BYTES;
      for (int what = 0; what < AverageScan.STATE; what++) {
        long at = at(piece, what, dim);
        if (other < 0) {
          memory.asSlice(at, bytes).fill((byte) 0);
        } else {
          MemorySegment.copy(memory, at(other, what, dim), memory, at, bytes);
        }
      }
    }
  }

  /** Takes a run from block to block; the last series is that of the entry to come. */
  private void scan(
      Scan scan, Run<?> run, Matrix c, Matrix z, Matrix means, Matrix entries, int entry) {
    int last = series - 1;
    int next = entry;
    for (int row = run.from(), end; row < run.to(); row = end) {
      int position = run.position() + row - run.from();
      end = Math.min(run.to(), row + rate - position % rate);
      for (int piece = 0; piece < series; piece++) {
        scan.kernel.scan(
            scan.from,
            scan.to,
            dim,
            end - row,
            zeros,
            zeros,
            z.from(row, piece * dim),
            c.from(row, piece * dim),
            means.from(row, 0),
            scan.state.segment(),
            scan.state.at(scan.region, piece));
      }
      if ((position + end - row) % rate == 0) {
        int mean = means.at(end - 1) + scan.from;
        int to = entries.at(next++) + scan.from;
        System.arraycopy(means.data(), mean, entries.data(), to, scan.to - scan.from);
        scan.become(last, last - 1, dim);
        if (last > 0) {
          scan.become(0, -1, dim);
        }
      }
    }
  }
}
