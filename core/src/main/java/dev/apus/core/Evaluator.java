package dev.apus.core;

import dev.apus.core.compute.Pass;
import dev.apus.core.generate.Exponential;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Batch;
import dev.apus.core.model.Diffusion;
import dev.apus.core.model.NoisyRows;
import dev.apus.core.model.Run;
import dev.apus.core.model.SequenceState;
import dev.apus.core.model.Visibility;
import dev.apus.core.tensor.Matrix;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;

/**
 * One noisy text as a diffusion model sees it while its tokens change. Rows are computed at any
 * positions, as often as wanted: each sees the others of its call and what is kept of the text
 * besides, and is kept in its turn; in a model that sees text in blocks, it sees those of its block
 * and of the blocks before it. What is not computed again is not read again either, even if its
 * tokens have changed; who denoises decides what may be left as it was.
 *
 * <p>Belongs to one thread at a time. A call that fails or is cancelled keeps nothing of the texts
 * it was for: their {@link #length()} is 0 then, and they are to be computed anew.
 */
public final class Evaluator implements AutoCloseable {

  private final Model model;
  private final int limit;
  private final Pass pass;

  /** What each worker makes of logits. */
  private final double[][] weights;

  private SequenceState state;
  private double level;

  private Evaluator(Model model, int limit) {
    this.model = model;
    this.limit = limit;
    this.pass = model.newPass();
    this.weights = new double[model.threads()][];
    this.state = model.network().newState(limit);
  }

  /**
   * What computes a text of at most {@code limit} tokens.
   *
   * @throws IllegalArgumentException if the model is no diffusion model, or has no texts of so many
   *     tokens
   * @throws IllegalStateException if the model is closed
   */
  public static Evaluator of(Model model, int limit) {
    Architecture architecture = model.architecture();
    if (architecture.diffusion() == null) {
      throw new IllegalArgumentException(
          architecture.family()
              + (architecture.isEncoder()
                  ? " is an encoder: it reads whole texts (Model.newEncoder, apus embed)"
                  : " continues texts, in sessions")
              + "; it is no diffusion model, which fills texts in");
    }
    Sequence.requireRoom(architecture, limit);
    model.lifetime().requireOpen();
    return new Evaluator(model, limit);
  }

  /**
   * Rows of a text to compute.
   *
   * @param positions ascending: those of rows that are kept, or that go on from their end
   * @param tokens one for each position
   * @param wanted which of these rows are needed, ascending
   */
  public record Change(Evaluator text, int[] positions, int[] tokens, int[] wanted) {

    public Change {
      if (positions.length == 0 || positions.length != tokens.length) {
        throw new IllegalArgumentException(
            positions.length + " positions and " + tokens.length + " tokens");
      }
    }
  }

  /** Takes the logits of one row, on any thread. */
  @FunctionalInterface
  public interface LogitsReader {

    /**
     * @param row the row's number
     * @param worker the thread's number, below {@link Model#threads()}
     * @param logits one for each id of the vocabulary, from {@code at} on; valid during the call
     */
    void read(int row, int worker, float[] logits, int at);
  }

  public Model model() {
    return model;
  }

  /** The most tokens of the text. */
  public int limit() {
    return limit;
  }

  /** How many rows are kept. */
  public int length() {
    return state.length();
  }

  /** Memory that what is kept takes. */
  public long bytes() {
    return state.bytes();
  }

  /** Says how much noise the text has from here on, to a model that is to be told. */
  public void setLevel(double noise) {
    level = noise;
  }

  /** Keeps nothing of the text any more. */
  public void forget() {
    if (state.length() > 0) {
      state.close();
      state = model.network().newState(limit);
    }
  }

  /**
   * Computes rows of text without noise, which go on from the end of what is kept: in blocks, if
   * the model sees text so, of which none has been begun.
   *
   * @param wanted which of the rows are needed, ascending
   * @param cancelled asked at every step of every layer
   * @return the needed rows, normalised, for {@link #logits}
   * @throws java.util.concurrent.CancellationException if it was cancelled
   * @throws dev.apus.core.generate.GenerationException if the model is closed meanwhile
   */
  public Matrix read(int[] tokens, int[] wanted, BooleanSupplier cancelled) {
    int block = diffusion().block();
    requireVectors(false);
    Visibility visibility = model.architecture().visibility();
    List<Run<SequenceState>> runs = new ArrayList<>();
    int end = Math.addExact(length(), tokens.length);
    requireFit(end);
    if (block > 0 && visibility == Visibility.BIDIRECTIONAL && length() % block != 0) {
      throw new IllegalArgumentException(
          "text is read in blocks of " + block + ", and " + length() + " rows are kept");
    }
    for (int from = 0, to; from < tokens.length; from = to) {
      boolean whole = block == 0 || visibility == Visibility.CAUSAL;
      to = whole ? tokens.length : Math.min(tokens.length, from + block);
      runs.add(new Run<>(state, from, to, length() + from, visibility).atLevel(level));
    }
    Matrix rows = Matrix.zeros(wanted.length, model.architecture().endWidth());
    Sequence.checkTokens(tokens, model.architecture().vocabulary());
    compute(List.of(this), runs, ofTokens(tokens, null), wanted, rows, cancelled);
    return rows;
  }

  /**
   * Computes the rows of a canvas behind what is kept, which stays as it is.
   *
   * @param tokens as many as a block has at most
   * @param expected a row for each token, as {@link #expect} writes it; null for nothing
   * @param cancelled asked at every step of every layer
   * @return a row for each token, normalised, for {@link #logits}
   * @throws IllegalStateException if the model has no canvases
   * @throws java.util.concurrent.CancellationException if it was cancelled
   * @throws dev.apus.core.generate.GenerationException if the model is closed meanwhile
   */
  public Matrix denoise(int[] tokens, Matrix expected, BooleanSupplier cancelled) {
    requireCanvases(true);
    int block = diffusion().block();
    if (tokens.length == 0 || (block > 0 && tokens.length > block)) {
      throw new IllegalArgumentException(
          "a canvas of " + tokens.length + " tokens; the model's have 1 to " + block);
    }
    requireFit(Math.addExact(length(), tokens.length));
    Sequence.checkTokens(tokens, model.architecture().vocabulary());
    Matrix rows = Matrix.zeros(tokens.length, model.architecture().endWidth());
    int[] all = IntStream.range(0, tokens.length).toArray();
    try (SequenceState.Mark mark = state.mark(null)) {
      var run = new Run<>(state, 0, tokens.length, length(), Visibility.TOGETHER).atLevel(level);
      compute(List.of(this), List.of(run), ofTokens(tokens, expected), all, rows, cancelled);
      mark.rewind();
    }
    return rows;
  }

  /**
   * Computes the rows of a whole text where the noise is in vectors; nothing is kept.
   *
   * @param vectors a noisy vector for each token
   * @param expected a row for each, as {@link #expect} writes it; null for nothing
   * @param cancelled asked at every step of every layer
   * @return a row for each token, for {@link #logits}
   * @throws IllegalStateException if the model's noise is not in vectors
   * @throws java.util.concurrent.CancellationException if it was cancelled
   * @throws dev.apus.core.generate.GenerationException if the model is closed meanwhile
   */
  public Matrix denoise(Matrix vectors, Matrix expected, BooleanSupplier cancelled) {
    requireVectors(true);
    int width = diffusion().gaussian().width();
    for (Matrix given : expected == null ? List.of(vectors) : List.of(vectors, expected)) {
      if (given.rows() == 0 || given.rows() != vectors.rows() || given.cols() != width) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "vectors are [%d, %d]; needed: one of %d values for each of %d tokens",
                given.rows(),
                given.cols(),
                width,
                vectors.rows()));
      }
    }
    int length = vectors.rows();
    requireFit(length);
    Matrix rows = Matrix.zeros(length, model.architecture().endWidth() + width);
    int[] all = IntStream.range(0, length).toArray();
    try (SequenceState.Mark mark = state.mark(null)) {
      var run = new Run<>(state, 0, length, 0, Visibility.BIDIRECTIONAL).atLevel(level);
      var in = new NoisyRows(null, vectors, expected);
      compute(List.of(this), List.of(run), in, all, rows, cancelled);
      mark.rewind();
    }
    return rows;
  }

  /**
   * Writes the vector of a token, of length 1, where the noise is in vectors.
   *
   * @throws IllegalStateException if it is not
   */
  public void vector(int token, float[] row, int rowAt) {
    requireVectors(true);
    Sequence.checkTokens(new int[] {token}, model.architecture().vocabulary());
    model.network().vector(token, row, rowAt);
  }

  private static NoisyRows ofTokens(int[] tokens, Matrix expected) {
    return new NoisyRows(tokens, null, expected);
  }

  /**
   * Writes what logits expect of a token: the mean of all embeddings by their probabilities. To be
   * called from a {@link LogitsReader}.
   *
   * @param worker the reader's
   * @param logits one for each id of the vocabulary, from {@code at} on
   */
  public void expect(int worker, float[] logits, int at, float[] row, int rowAt) {
    int vocabulary = model.architecture().vocabulary();
    float max = Float.NEGATIVE_INFINITY;
    for (int token = 0; token < vocabulary; token++) {
      max = Math.max(max, logits[at + token]);
    }
    double[] mine = weights[worker];
    mine = mine == null ? new double[vocabulary] : mine;
    weights[worker] = mine;
    for (int token = 0; token < vocabulary; token++) {
      mine[token] = Exponential.of((double) logits[at + token] - max);
    }
    model.network().expect(pass, worker, mine, row, rowAt);
  }

  private void requireCanvases(boolean needed) {
    if (model.architecture().hasCanvases() != needed) {
      throw new IllegalStateException(
          model.architecture().family()
              + (needed
                  ? " has no canvases: rows of its texts are computed anywhere (evaluate)"
                  : " fills in canvases behind a text (read, denoise)"));
    }
  }

  private void requireVectors(boolean needed) {
    if ((diffusion().gaussian() != null) != needed) {
      throw new IllegalStateException(
          model.architecture().family()
              + (needed
                  ? " has noise of tokens: its rows are made of these (read, evaluate)"
                  : " has noise in vectors: its rows are made of these (denoise)"));
    }
  }

  /**
   * Computes rows of some texts of one model together, each with the bits that it gets alone.
   *
   * @param cancelled asked at every step of every layer
   * @return the needed rows of all texts, one after the other, normalised, for {@link #logits}
   * @throws IllegalStateException if the model has canvases, or noise in vectors
   * @throws IllegalArgumentException if positions have a gap before them, or are of a part of a
   *     block that others follow
   * @throws java.util.concurrent.CancellationException if it was cancelled
   * @throws dev.apus.core.generate.GenerationException if the model is closed meanwhile
   */
  public static Matrix evaluate(List<Change> changes, BooleanSupplier cancelled) {
    Model model = changes.getFirst().text().model;
    changes.getFirst().text().requireCanvases(false);
    changes.getFirst().text().requireVectors(false);
    List<Run<SequenceState>> runs = new ArrayList<>();
    List<Evaluator> texts = changes.stream().map(Change::text).toList();
    int rows = 0;
    IntStream.Builder wanted = IntStream.builder();
    for (Change change : changes) {
      Evaluator text = change.text();
      if (text.model != model || texts.indexOf(text) != texts.lastIndexOf(text)) {
        throw new IllegalArgumentException("a text is there twice, or of another model");
      }
      text.addRuns(change, rows, runs);
      for (int row : change.wanted()) {
        wanted.add(rows + row);
      }
      rows += change.tokens().length;
    }
    int[] tokens = changes.stream().flatMapToInt(c -> IntStream.of(c.tokens())).toArray();
    Sequence.checkTokens(tokens, model.architecture().vocabulary());
    int[] needed = wanted.build().toArray();
    Matrix result = Matrix.zeros(needed.length, model.architecture().endWidth());
    texts.getFirst().compute(texts, runs, ofTokens(tokens, null), needed, result, cancelled);
    return result;
  }

  private Diffusion diffusion() {
    return model.architecture().diffusion();
  }

  private void requireFit(int end) {
    if (end > limit) {
      throw new IllegalArgumentException(
          String.format(Locale.ROOT, "a text of %d tokens; this one has at most %d", end, limit));
    }
  }

  private void addRuns(Change change, int row, List<Run<SequenceState>> runs) {
    int[] positions = change.positions();
    int end = Math.max(length(), positions[positions.length - 1] + 1);
    requireFit(end);
    ChangedRuns.add(positions, state, diffusion().block(), end, level, row, runs);
  }

  private void compute(
      List<Evaluator> texts,
      List<Run<SequenceState>> runs,
      NoisyRows in,
      int[] wanted,
      Matrix rows,
      BooleanSupplier cancelled) {
    Lifetime lifetime = model.lifetime();
    lifetime.enter();
    try {
      model
          .network()
          .evaluate(
              pass,
              new Batch<>(runs),
              in,
              wanted,
              rows,
              () -> lifetime.isClosed() || cancelled.getAsBoolean());
    } catch (RuntimeException | Error e) {
      texts.forEach(Evaluator::restart);
      throw Step.explained(model, "a text", e);
    } finally {
      lifetime.leave();
    }
  }

  /** What a pass that failed has left is of no use; its length may say otherwise. */
  private void restart() {
    state.close();
    state = model.network().newState(limit);
  }

  /**
   * Hands the logits of rows to a reader, a few rows at a time and these on all threads at once.
   *
   * @throws dev.apus.core.generate.GenerationException if the model is closed meanwhile
   */
  public void logits(Matrix rows, LogitsReader reader) {
    RowLogits.read(model, pass, rows, reader);
  }

  @Override
  public void close() {
    state.close();
  }
}
