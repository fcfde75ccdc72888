package dev.apus.diffusion;

import dev.apus.core.Evaluator;
import dev.apus.core.Evaluator.Change;
import dev.apus.core.Model;
import dev.apus.core.model.Diffusion;
import dev.apus.core.tensor.Matrix;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;

/**
 * The evaluations of one text whose noise is tokens: which rows are computed, and what is kept of
 * them. Rows that are not computed again speak with the logits that they had last.
 */
final class TokenPasses implements Passes {

  private static final double NO_GUIDANCE = 0;

  private final Diffusion diffusion;
  private final boolean canvases;
  private final Cache cache;
  private final double guidance;
  private final Evaluator text;
  private final Evaluator unguided;
  private final float[][][] rows;
  private final int width;
  private final BitSet known = new BitSet();

  /** Where the canvas that was evaluated last begins and ends. */
  private int canvasFrom;

  private int canvasEnd;

  /** What was expected of each of its tokens; null where none was or it does not count. */
  private Matrix expected;

  private int stored;
  private int evaluations;
  private long computed;

  TokenPasses(Model model, int limit, Recipe recipe) {
    this.diffusion = model.architecture().diffusion();
    this.canvases = model.architecture().hasCanvases();
    this.cache = recipe.cache();
    this.guidance = recipe.guidance();
    this.width = model.architecture().endWidth();
    this.text = Evaluator.of(model, limit);
    this.unguided = guidance == NO_GUIDANCE ? null : Evaluator.of(model, limit);
    this.rows = new float[unguided == null ? 1 : 2][limit][];
  }

  @Override
  public int evaluations() {
    return evaluations;
  }

  @Override
  public long computed() {
    return computed;
  }

  @Override
  public void keep(int same) {
    if (canvases) {
      if (text.length() > same) {
        forget();
      }
      return;
    }
    int whole = diffusion.block() == 0 ? 0 : same / diffusion.block() * diffusion.block();
    if (stored > whole) {
      stored = whole;
      known.clear(whole, Math.max(whole, known.length()));
    }
    if (diffusion.block() == 0) {
      forget();
    }
  }

  @Override
  public void begin(Progress now, double level) {
    text.setLevel(level);
    if (unguided != null) {
      unguided.setLevel(level);
    }
  }

  private void forget() {
    text.forget();
    if (unguided != null) {
      unguided.forget();
    }
    known.clear();
    stored = 0;
  }

  /** Where a window's text ends, as far as its tokens see. */
  private int end(Window window, int length) {
    int block = diffusion.block();
    return block == 0 ? length : Math.min(length, (window.from() / block + 1) * block);
  }

  private int blockOf(int position) {
    return diffusion.block() == 0 ? 0 : position / diffusion.block() * diffusion.block();
  }

  /** The row whose logits are those of a position. */
  private int rowOf(int position) {
    return diffusion.shifted() ? Math.max(0, position - 1) : position;
  }

  @Override
  public void evaluate(
      int[] tokens,
      BitSet given,
      Window window,
      int evaluation,
      BitSet noisy,
      BitSet changed,
      BooleanSupplier cancelled) {
    if (canvases) {
      onCanvas(tokens, window, evaluation, noisy, changed, cancelled);
      return;
    }
    int end = end(window, tokens.length);
    if (text.length() > end) {
      forget();
    }
    BitSet chosen =
        cache.rows(
            new Cache.View(window.from(), window.to(), end, evaluation, stored, noisy, changed));
    chosen.set(text.length(), Math.max(text.length(), end));
    int needed = rowOf(window.from());
    if (!chosen.get(needed) && !known.get(needed)) {
      chosen.set(blockOf(needed) == blockOf(window.from()) ? needed : blockOf(needed), needed + 1);
    }
    int[] positions = chosen.stream().toArray();
    int[] wanted = wanted(positions, window);
    List<Change> changes = new ArrayList<>();
    changes.add(change(text, positions, tokens, wanted));
    if (unguided != null) {
      int[] unknown = tokens.clone();
      given.stream().filter(i -> i < unknown.length).forEach(i -> unknown[i] = diffusion.mask());
      changes.add(change(unguided, positions, unknown, wanted));
    }
    Matrix found;
    try {
      found = Evaluator.evaluate(changes, cancelled);
    } catch (RuntimeException | Error e) {
      forget();
      throw e;
    }
    for (int lane = 0; lane < rows.length; lane++) {
      for (int i = 0; i < wanted.length; i++) {
        int at = found.at(lane * wanted.length + i);
        rows[lane][positions[wanted[i]]] = Arrays.copyOfRange(found.data(), at, at + width);
      }
    }
    Arrays.stream(wanted).forEach(i -> known.set(positions[i]));
    evaluations++;
    computed += positions.length;
    stored = Math.max(stored, blockOf(window.from()));
  }

  /** Reads what stands before a canvas, as far as it was not read, and evaluates the canvas. */
  private void onCanvas(
      int[] tokens,
      Window window,
      int evaluation,
      BitSet noisy,
      BitSet changed,
      BooleanSupplier cancelled) {
    int from = window.from();
    int end =
        diffusion.block() == 0 ? tokens.length : Math.min(tokens.length, from + diffusion.block());
    var view = new Cache.View(from, window.to(), end, evaluation, text.length(), noisy, changed);
    if (text.length() > from || cache.rows(view).nextSetBit(0) < text.length()) {
      text.forget();
    }
    if (evaluation == 0) {
      expected = null;
    }
    canvasFrom = from;
    canvasEnd = end;
    int before = text.length();
    if (before < from) {
      text.read(Arrays.copyOfRange(tokens, before, from), new int[0], cancelled);
    }
    Matrix found = text.denoise(Arrays.copyOfRange(tokens, from, end), expected, cancelled);
    for (int i = from; i < end; i++) {
      int at = found.at(i - from);
      rows[0][i] = Arrays.copyOfRange(found.data(), at, at + width);
    }
    evaluations++;
    computed += end - before;
    stored = from;
  }

  private static Change change(Evaluator of, int[] positions, int[] tokens, int[] wanted) {
    return new Change(
        of, positions, Arrays.stream(positions).map(i -> tokens[i]).toArray(), wanted);
  }

  /** Of the rows that are computed, those that speak for a position of the window. */
  private int[] wanted(int[] positions, Window window) {
    List<Integer> wanted = new ArrayList<>();
    for (int i = 0; i < positions.length; i++) {
      if (positions[i] >= rowOf(window.from()) && positions[i] <= rowOf(window.to() - 1)) {
        wanted.add(i);
      }
    }
    return wanted.stream().mapToInt(i -> i).toArray();
  }

  @Override
  public List<Proposal> proposals(
      int[] positions, Proposer proposer, int evaluation, int tailFrom, float heat) {
    if (diffusion.conditioning() != null) {
      return conditioned(positions, proposer, evaluation, tailFrom, heat);
    }
    float[][] guides = new float[positions.length][];
    if (unguided != null) {
      int vocabulary = text.model().architecture().vocabulary();
      text.logits(
          gathered(1, positions),
          (i, worker, logits, at) -> {
            cool(logits, at, heat);
            guides[i] = Arrays.copyOfRange(logits, at, at + vocabulary);
          });
    }
    Proposal[] proposals = new Proposal[positions.length];
    text.logits(
        gathered(0, positions),
        (i, worker, logits, at) -> {
          cool(logits, at, heat);
          boolean mayEnd = positions[i] >= tailFrom;
          proposals[i] =
              proposer.propose(
                  positions[i], evaluation, worker, logits, at, guides[i], guidance, mayEnd);
        });
    return List.of(proposals);
  }

  /** The same where the model learns what it made of the whole canvas. */
  private List<Proposal> conditioned(
      int[] positions, Proposer proposer, int evaluation, int tailFrom, float heat) {
    int[] all = IntStream.range(canvasFrom, canvasEnd).toArray();
    Matrix means = Matrix.zeros(all.length, text.model().architecture().width());
    Proposal[] proposals = new Proposal[positions.length];
    text.logits(
        gathered(0, all),
        (i, worker, logits, at) -> {
          cool(logits, at, heat);
          text.expect(worker, logits, at, means.data(), means.at(i));
          int asked = Arrays.binarySearch(positions, all[i]);
          if (asked >= 0) {
            boolean mayEnd = all[i] >= tailFrom;
            proposals[asked] =
                proposer.propose(all[i], evaluation, worker, logits, at, null, guidance, mayEnd);
          }
        });
    expected = means;
    return List.of(proposals);
  }

  private void cool(float[] logits, int at, float heat) {
    int vocabulary = text.model().architecture().vocabulary();
    for (int i = at; heat != 1 && i < at + vocabulary; i++) {
      logits[i] /= heat;
    }
  }

  private Matrix gathered(int lane, int[] positions) {
    Matrix matrix = Matrix.zeros(positions.length, width);
    for (int i = 0; i < positions.length; i++) {
      System.arraycopy(rows[lane][rowOf(positions[i])], 0, matrix.data(), matrix.at(i), width);
    }
    return matrix;
  }

  @Override
  public void close() {
    text.close();
    if (unguided != null) {
      unguided.close();
    }
  }
}
