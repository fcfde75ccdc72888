package dev.apus.attention.softmax;

import static dev.apus.kernels.attention.Attention.SPAN;

import dev.apus.core.compute.Pass;
import dev.apus.core.compute.Workers;
import dev.apus.core.model.Batch;
import dev.apus.core.model.Run;
import dev.apus.core.tensor.Matrix;
import dev.apus.kernels.attention.Attention;
import dev.apus.kernels.attention.Attention.Biases;
import dev.apus.kernels.attention.Attention.Piece;
import dev.apus.kernels.attention.Attention.Queries;
import dev.apus.kernels.attention.Attention.Stored;
import dev.apus.kernels.attention.Attention.Traits;
import dev.apus.kernels.attention.Attention.Visited;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * One softmax over the tokens of a window and over entries, of all heads to one value that is the
 * key, too: what is visited is gathered from where it lies, a span at a time, into keys and values.
 *
 * <p>A row's spans are those of the window, and after them those of its entries in the order of
 * their slots, so that its bits do not depend on the rows beside it.
 */
final class CompressedTiles {

  /** Parts for each thread. */
  private static final int FINE = 4;

  /** Memory that the results of spans may take. */
  private static final int MOST_PART_FLOATS = 1 << 22;

  private final Attention kernel;
  private final Traits traits;
  private final int heads;
  private final int window;
  private final int rate;
  private final int top;
  private final Biases biases;

  /**
   * @param sinks of all heads, or null
   * @param rate tokens of an entry; 0 if there are none
   * @param top entries that a row visits, at most
   */
  CompressedTiles(
      Attention kernel, Traits traits, int heads, int window, float[] sinks, int rate, int top) {
    this.kernel = kernel;
    this.traits = traits;
    this.heads = heads;
    this.window = window;
    this.rate = rate;
    this.top = top;
    this.biases = new Biases(null, sinks, 0);
  }

  /**
   * Rows {@code [from, from + rows)} that visit the same entries.
   *
   * @param first the first token that some row sees
   * @param entries how many they visit
   * @param chosenAt where the slots of these lie among the chosen; −1 if they are the first
   */
  private record Rows(
      CompressedCache state,
      int from,
      int rows,
      int position,
      int first,
      int entries,
      int chosenAt) {

    int windowSpans() {
      return (position + rows - 1) / SPAN - first / SPAN + 1;
    }

    int parts() {
      return windowSpans() + Math.ceilDiv(entries, SPAN);
    }
  }

  private List<Rows> rows(Batch<CompressedCache> batch) {
    List<Rows> all = new ArrayList<>();
    for (Run<CompressedCache> run : batch.runs()) {
      for (int from = run.from(), rows; from < run.to(); from += rows) {
        int position = run.position() + from - run.from();
        int entries = rate == 0 ? 0 : (position + 1) / rate;
        boolean chosen = entries > top;
        rows = chosen ? 1 : Math.min(Tile.rows(heads), run.to() - from);
        if (rate > 0) {
          rows = Math.min(rows, rate - (position + 1) % rate);
        }
        int first = Math.max(0, position - window + 1);
        all.add(
            new Rows(
                run.state(),
                from,
                rows,
                position,
                first,
                Math.min(entries, top),
                chosen ? from * top : -1));
      }
    }
    return all;
  }

  /**
   * Writes what the queries make of the tokens and entries that they visit.
   *
   * @param chosen the slots of the {@code top} entries of rows that see more
   */
  void attend(Pass pass, Batch<CompressedCache> batch, Matrix q, int[] chosen, Matrix o) {
    List<Rows> rows = rows(batch);
    for (int from = 0, to; from < rows.size(); from = to) {
      long floats = 0;
      for (to = from; to < rows.size(); to++) {
        floats += (long) rows.get(to).parts() * partFloats(rows.get(to));
        if (to > from && floats > MOST_PART_FLOATS) {
          break;
        }
      }
      attend(pass, rows.subList(from, to), q, chosen, o);
    }
  }

  private void attend(Pass pass, List<Rows> all, Matrix q, int[] chosen, Matrix o) {
    int[] partsAt = new int[all.size() + 1];
    int sum = 0;
    for (int i = 0; i < all.size(); i++) {
      partsAt[i + 1] = Math.addExact(partsAt[i], all.get(i).parts() * partFloats(all.get(i)));
      sum += all.get(i).parts();
    }
    int spans = sum;
    int shares = Math.min(spans, FINE * pass.workers().threads());
    try (Pass.Frame frame = pass.frame()) {
      float[] parts = frame.floats(partsAt[all.size()]);
      pass.workers()
          .run(
              shares,
              (share, worker) -> {
                int from = Workers.rangeStart(spans, shares, share);
                int to = Workers.rangeStart(spans, shares, share + 1);
                for (int i = 0; i < all.size() && to > 0; i++) {
                  Rows rows = all.get(i);
                  for (int part = Math.max(0, from); part < Math.min(to, rows.parts()); part++) {
                    int at = partsAt[i] + part * partFloats(rows);
                    attendPart(pass, worker, rows, part, q, chosen, parts, at);
                  }
                  from -= rows.parts();
                  to -= rows.parts();
                }
              });
      pass.workers().run(all.size(), (i, worker) -> merge(all.get(i), q, parts, partsAt[i], o));
    }
  }

  private int partFloats(Rows rows) {
    return kernel.partFloats(traits, rows.rows() * heads);
  }

  private Queries queries(Rows rows, Matrix q) {
    return new Queries(q.data(), q.at(rows.from()), q.cols(), rows.rows(), heads, rows.position());
  }

  private void attendPart(
      Pass pass, int worker, Rows rows, int part, Matrix q, int[] chosen, float[] parts, int at) {
    int windowSpans = rows.windowSpans();
    boolean near = part < windowSpans;
    int span = near ? rows.first() / SPAN + part : part - windowSpans;
    int end = near ? rows.position() + rows.rows() : rows.entries();
    Visited visited =
        near ? Tile.visited(rows.first(), end, true, window) : Tile.visited(0, end, false, 0);
    Stored stored = near ? rows.state().tokens().stored(0) : rows.state().entries().stored(0);
    boolean inOrder = near || rows.chosenAt() < 0;
    int first = span * SPAN;
    int last = Math.min(end, first + SPAN);
    Piece piece =
        inOrder
            ? gather(pass, worker, stored, inOrder(first, last), -first, first, last)
            : gather(pass, worker, stored, chosen, rows.chosenAt(), first, last);
    kernel.attendSpan(
        traits,
        queries(rows, q),
        visited,
        span,
        piece,
        biases,
        parts,
        at,
        pass.scratch(worker, kernel.scratchFloats(traits, rows.rows() * heads)));
  }

  private static int[] inOrder(int from, int to) {
    int[] slots = new int[to - from];
    Arrays.setAll(slots, i -> from + i);
    return slots;
  }

  /** Keys and values of slots {@code [from, to)} of a span. */
  private Piece gather(
      Pass pass, int worker, Stored stored, int[] slots, int slotsAt, int from, int to) {
    int dim = traits.headDim();
    long keyBytes = kernel.keyBytes(dim, SPAN);
    MemorySegment memory = pass.memory(worker, keyBytes + kernel.valueBytes(dim, SPAN));
    long valuesAt = keyBytes - kernel.valueBytes(dim, from);
    Piece piece = new Piece(memory, -kernel.keyBytes(dim, from), memory, valuesAt);
    kernel.gather(traits, stored, slots, slotsAt, from, to, piece);
    return piece;
  }

  private void merge(Rows rows, Matrix q, float[] parts, int partsAt, Matrix o) {
    kernel.merge(
        traits,
        queries(rows, q),
        biases,
        parts,
        partsAt,
        rows.parts(),
        o.data(),
        o.at(rows.from()),
        o.cols());
  }
}
