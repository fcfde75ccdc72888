package dev.apus.core.model;

import dev.apus.core.compute.Pass;
import dev.apus.core.tensor.Matrix;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.function.BiConsumer;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * The layers of a model, made to run. Immutable: what it remembers of a sequence is in a {@link
 * SequenceState}, what a pass works with in a {@link Pass}.
 */
public final class Network {

  private final Architecture architecture;
  private final BuiltEmbedding embedding;
  private final BuiltConditioning conditioning;
  private final List<BuiltStep> steps;
  private final int[] widths;
  private final HyperConnection end;
  private final BuiltBranch ends;
  private final BuiltEnd last;
  private final Set<Visibility> visibilities = EnumSet.allOf(Visibility.class);

  /**
   * @param conditioning of noisy rows, or null
   * @param widths of the streams; 0 for those that nobody reads
   * @param end what makes one row of several residual streams, or null where there is one
   * @param ends what brings together what the norm and the head read
   */
  Network(
      Architecture architecture,
      BuiltEmbedding embedding,
      BuiltConditioning conditioning,
      List<BuiltStep> steps,
      int[] widths,
      HyperConnection end,
      BuiltBranch ends,
      BuiltEnd last) {
    this.architecture = architecture;
    this.embedding = embedding;
    this.conditioning = conditioning;
    this.steps = steps;
    this.widths = widths;
    this.end = end;
    this.ends = ends;
    this.last = last;
    for (BuiltStep step : steps) {
      for (BuiltBranch branch : step.branches()) {
        if (branch.mixer() != null) {
          visibilities.retainAll(branch.mixer().visibilities());
        }
      }
    }
  }

  public Architecture architecture() {
    return architecture;
  }

  /** The memory of a sequence that has not begun and will have at most {@code limit} tokens. */
  public SequenceState newState(int limit) {
    int rows = architecture.rows(limit);
    List<MixerState> states = new ArrayList<>();
    mixers().forEach(mixer -> states.add(mixer.newState(rows)));
    return new SequenceState(states, limit, 0);
  }

  /** The mixers that have states, in the order of the states. */
  private Stream<SequenceMixer<MixerState>> mixers() {
    return steps.stream()
        .flatMap(step -> step.branches().stream())
        .filter(BuiltBranch::owner)
        .map(BuiltBranch::mixer);
  }

  /** Whether any mixer knows global tokens. */
  public boolean seesGlobalTokens() {
    return mixers().anyMatch(SequenceMixer::seesGlobalTokens);
  }

  /** Bytes that one more token adds to a sequence's state, however long it is. */
  public long stateBytesPerToken() {
    return mixers().mapToLong(SequenceMixer::bytesPerToken).sum();
  }

  /** Bytes that a sequence's state takes at most, between passes, where it forgets old tokens. */
  public long windowBytes() {
    return mixers().mapToLong(SequenceMixer::windowBytes).sum();
  }

  /**
   * Runs may be cut at multiples of so many tokens, counted from their beginning, with the same
   * bits; 1 if any cut keeps the bits.
   */
  public int grain() {
    return mixers().mapToInt(SequenceMixer::grain).reduce(1, Network::leastCommonMultiple);
  }

  /** Whether any mixer {@linkplain SequenceMixer#endsShow shows} where logits were asked for. */
  public boolean endsShow() {
    return mixers().anyMatch(SequenceMixer::endsShow);
  }

  /** All tokens that a sequence was given have been taken, and logits are wanted. */
  public void rest(Pass pass, SequenceState sequence) {
    for (BuiltStep step : steps) {
      for (BuiltBranch branch : step.branches()) {
        if (branch.owner()) {
          branch.mixer().rest(pass, sequence.mixer(branch.state()));
        }
      }
    }
  }

  /** Of a number that stands for a whole run, there is no other multiple. */
  private static int leastCommonMultiple(int a, int b) {
    if (Math.max(a, b) == SequenceMixer.WHOLE) {
      return SequenceMixer.WHOLE;
    }
    int high = a;
    int low = b;
    while (low != 0) {
      int rest = high % low;
      high = low;
      low = rest;
    }
    return Math.multiplyExact(a / high, b);
  }

  /** States of sequences may be exchanged if their limits have the same variant. */
  public int variant(int limit) {
    int rows = architecture.rows(limit);
    return mixers().mapToInt(mixer -> mixer.variant(rows)).reduce(0, (a, b) -> 31 * a + b);
  }

  /**
   * Takes every run's sequence forward by its tokens.
   *
   * @param tokens the token of each row
   * @param wanted the rows whose logits are needed, ascending
   * @param logits one row of {@code vocabulary} values for each wanted row
   * @param cancelled asked at every step of every layer
   * @throws CancellationException if the pass was cancelled; states are then anywhere on their way
   * @throws IllegalArgumentException if rows are to see what not every mixer can
   */
  public void forward(
      Pass pass,
      Batch<SequenceState> batch,
      int[] tokens,
      int[] wanted,
      Matrix logits,
      BooleanSupplier cancelled) {
    Batch<SequenceState> placed = batch;
    if (embedding.meta() != null) {
      placed = afterMetaTokens(pass, batch, cancelled);
    }
    Batch<SequenceState> rows = placed;
    advance(
        pass,
        rows,
        tokens,
        x -> embedding.embed(pass, rows, tokens, null, x),
        (frame, x) -> logits(pass, frame, rows, x, wanted, logits),
        cancelled);
    advanced(batch);
  }

  /**
   * Reads whole texts, each a run of its own from its first token on.
   *
   * @param types the kind of each row's token; null if all are of kind 0
   * @param rows receives the normalised row of each token
   * @param cancelled asked at every step of every layer
   * @throws CancellationException if the pass was cancelled
   */
  public void encode(
      Pass pass,
      Batch<SequenceState> batch,
      int[] tokens,
      int[] types,
      Matrix rows,
      BooleanSupplier cancelled) {
    for (Run<SequenceState> run : batch.runs()) {
      if (run.position() != 0) {
        throw new IllegalArgumentException(
            "an encoder reads a text as a whole; a run begins at token " + run.position());
      }
    }
    advance(
        pass,
        batch,
        tokens,
        x -> embedding.embed(pass, batch, tokens, types, x),
        (frame, x) -> {
          System.arraycopy(x.data(), 0, rows.data(), 0, x.rows() * x.cols());
          last.normalize(pass, rows);
        },
        cancelled);
    advanced(batch);
  }

  /**
   * Computes rows anywhere in some sequences.
   *
   * @param in what the rows are made of: vectors where the noise is in these, and tokens otherwise
   * @param wanted the rows that are needed, ascending; all where they are made of vectors
   * @param rows receives these, normalised
   * @param cancelled asked at every step of every layer
   * @throws CancellationException if the pass was cancelled; states are then anywhere on their way
   * @throws IllegalArgumentException if rows are to see what not every mixer can
   */
  public void evaluate(
      Pass pass,
      Batch<SequenceState> batch,
      NoisyRows in,
      int[] wanted,
      Matrix rows,
      BooleanSupplier cancelled) {
    BuiltGaussian gaussian = last.gaussian();
    advance(
        pass,
        batch,
        in.tokens(),
        x -> {
          if (gaussian != null) {
            gaussian.embed(pass, batch, in.vectors(), in.expected(), x);
            return;
          }
          embedding.embed(pass, batch, in.tokens(), null, x);
          if (conditioning != null && batch.isTogether()) {
            conditioning.apply(pass, in.expected(), x);
          }
        },
        (frame, x) -> {
          if (gaussian != null) {
            last.finish(pass, batch, wanted, x);
            gaussian.join(batch, in.vectors(), x, rows);
            return;
          }
          select(x, wanted, rows);
          last.finish(pass, batch, wanted, rows);
        },
        cancelled);
    advanced(batch);
  }

  /**
   * Writes the mean of the embeddings of all tokens by their weights. Those whose share is lost
   * when it is added are left out.
   *
   * @param worker whose scratch memory is used
   * @param weights one for each token, none below 0
   */
  public void expect(Pass pass, int worker, double[] weights, float[] row, int rowAt) {
    embedding.expect(pass, worker, weights, row, rowAt);
  }

  /** Writes the vector of a token, without noise. */
  public void vector(int token, float[] row, int rowAt) {
    embedding.tokens().read(token, row, rowAt);
  }

  /** How noise grows with time: as the architecture says, or as the model has learned. */
  public NoiseSchedule noiseSchedule() {
    return last.gaussian() == null ? architecture.diffusion().levels() : last.gaussian().schedule();
  }

  private static void select(Matrix x, int[] wanted, Matrix rows) {
    for (int i = 0; i < wanted.length; i++) {
      System.arraycopy(x.data(), x.at(wanted[i]), rows.data(), rows.at(i), x.cols());
    }
  }

  /**
   * Computes the logits of rows that {@link #encode} or {@link #evaluate} gave.
   *
   * @throws IllegalStateException if the model has no head
   */
  public void predict(Pass pass, Matrix rows, Matrix logits) {
    last.predict(pass, rows, logits);
  }

  /**
   * Takes the sequences that begin past the learned rows before their first token. These rows are a
   * call of their own, so that a sequence is the same however its tokens are cut.
   *
   * @return the batch with positions that count these rows
   */
  private Batch<SequenceState> afterMetaTokens(
      Pass pass, Batch<SequenceState> batch, BooleanSupplier cancelled) {
    int count = architecture.embedding().metaTokens();
    List<Run<SequenceState>> beginning = new ArrayList<>();
    List<Run<SequenceState>> runs = new ArrayList<>();
    for (Run<SequenceState> run : batch.runs()) {
      if (run.position() == 0) {
        int from = beginning.size() * count;
        beginning.add(new Run<>(run.state(), from, from + count, 0));
      }
      int position = run.position() + count;
      runs.add(
          new Run<>(run.state(), run.from(), run.to(), position, run.visibility())
              .atLevel(run.level()));
    }
    if (!beginning.isEmpty()) {
      advance(
          pass,
          new Batch<>(beginning),
          null,
          x -> {
            for (int row = 0; row < x.rows(); row++) {
              embedding.meta().read(row % count, x.data(), x.at(row));
            }
          },
          (frame, x) -> {},
          cancelled);
    }
    return new Batch<>(runs);
  }

  private void advance(
      Pass pass,
      Batch<SequenceState> batch,
      int[] tokens,
      Consumer<Matrix> embed,
      BiConsumer<Pass.Frame, Matrix> read,
      BooleanSupplier cancelled) {
    for (Run<SequenceState> run : batch.runs()) {
      if (!visibilities.contains(run.visibility())) {
        throw new IllegalArgumentException(
            "a run is " + run.visibility() + "; all mixers of the model can be " + visibilities);
      }
    }
    pass.begin(tokens);
    try (Pass.Frame frame = pass.frame()) {
      Matrix[] streams = new Matrix[widths.length];
      for (int i = 0; i < streams.length; i++) {
        streams[i] = widths[i] == 0 ? null : frame.matrix(batch.rows(), widths[i]);
      }
      Matrix x = streams[Streams.RESIDUAL];
      embed.accept(x);
      if (embedding.norm() != null) {
        embedding.norm().rows(pass, x, x);
      }
      if (streams[Streams.EMBEDDING] != null) {
        System.arraycopy(x.data(), 0, streams[Streams.EMBEDDING].data(), 0, x.rows() * x.cols());
      }
      Matrix residuals = end == null ? null : frame.matrix(x.rows(), end.values(x.cols()));
      if (end != null) {
        HyperConnection.begin(pass, x, residuals);
      }
      for (BuiltStep step : steps) {
        if (cancelled.getAsBoolean()) {
          throw new CancellationException("cancelled");
        }
        step.advance(pass, batch, streams, residuals);
      }
      if (end != null) {
        end.read(pass, residuals, frame.matrix(x.rows(), end.cols()), x);
      }
      read.accept(frame, ends.read(pass, frame, streams));
    }
  }

  private static void advanced(Batch<SequenceState> batch) {
    for (Run<SequenceState> run : batch.runs()) {
      run.state().advance(run);
    }
  }

  private void logits(
      Pass pass,
      Pass.Frame frame,
      Batch<SequenceState> batch,
      Matrix x,
      int[] wanted,
      Matrix logits) {
    if (wanted.length == 0) {
      return;
    }
    Matrix rows = frame.matrix(wanted.length, x.cols());
    select(x, wanted, rows);
    last.finish(pass, batch, wanted, rows);
    last.predict(pass, rows, logits);
  }
}
