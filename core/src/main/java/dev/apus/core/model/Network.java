package dev.apus.core.model;

import dev.apus.core.compute.Pass;
import dev.apus.core.model.Architecture.Head;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.RowTable;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * The layers of a model, made to run. Immutable: what it remembers of a sequence is in a {@link
 * SequenceState}, what a pass works with in a {@link Pass}.
 */
public final class Network {

  /**
   * What makes rows of tokens.
   *
   * @param positions rows to add by position, or null
   * @param meta rows that come before the first token, or null
   */
  record BuiltEmbedding(RowTable tokens, RowTable positions, RowTable meta, Normalization norm) {}

  /**
   * A step whose branches have been built.
   *
   * @param residual norm of the residual stream before anything is added to it, or null
   * @param keep factor on what the stream is then
   */
  record BuiltStep(List<BuiltBranch> branches, Normalization residual, float keep) {}

  private final Architecture architecture;
  private final BuiltEmbedding embedding;
  private final List<BuiltStep> steps;
  private final int[] widths;
  private final Normalization norm;
  private final Projection head;

  /**
   * @param widths of the streams; 0 for those that nobody reads
   */
  Network(
      Architecture architecture,
      BuiltEmbedding embedding,
      List<BuiltStep> steps,
      int[] widths,
      Normalization norm,
      Projection head) {
    this.architecture = architecture;
    this.embedding = embedding;
    this.steps = steps;
    this.widths = widths;
    this.norm = norm;
    this.head = head;
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

  /** Bytes that one more token adds to a sequence's state. */
  public long stateBytesPerToken() {
    return mixers().mapToLong(SequenceMixer::bytesPerToken).sum();
  }

  /**
   * Runs may be cut at multiples of so many tokens, counted from their beginning, with the same
   * bits; 1 if any cut keeps the bits.
   */
  public int grain() {
    return mixers().mapToInt(SequenceMixer::grain).reduce(1, Network::leastCommonMultiple);
  }

  private static int leastCommonMultiple(int a, int b) {
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
    advance(pass, rows, x -> embed(pass, rows, tokens, x), wanted, logits, cancelled);
    batch.runs().forEach(run -> run.state().advance(run.length()));
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
      runs.add(new Run<>(run.state(), run.from(), run.to(), run.position() + count));
    }
    if (!beginning.isEmpty()) {
      advance(
          pass,
          new Batch<>(beginning),
          x -> {
            for (int row = 0; row < x.rows(); row++) {
              embedding.meta().read(row % count, x.data(), x.at(row));
            }
          },
          new int[0],
          null,
          cancelled);
    }
    return new Batch<>(runs);
  }

  private void advance(
      Pass pass,
      Batch<SequenceState> batch,
      Consumer<Matrix> embed,
      int[] wanted,
      Matrix logits,
      BooleanSupplier cancelled) {
    pass.begin();
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
      for (BuiltStep step : steps) {
        if (cancelled.getAsBoolean()) {
          throw new CancellationException("cancelled");
        }
        advance(pass, batch, step, streams);
      }
      if (wanted.length > 0) {
        Matrix last = frame.matrix(wanted.length, x.cols());
        for (int i = 0; i < wanted.length; i++) {
          System.arraycopy(x.data(), x.at(wanted[i]), last.data(), last.at(i), x.cols());
        }
        logits(pass, last, logits);
      }
    }
  }

  private void embed(Pass pass, Batch<SequenceState> batch, int[] tokens, Matrix x) {
    float scale = architecture.embedding().scale();
    for (int row = 0; row < tokens.length; row++) {
      embedding.tokens().read(tokens[row], x.data(), x.at(row));
      for (int i = x.at(row); scale != 1 && i < x.at(row) + x.cols(); i++) {
        x.data()[i] *= scale;
      }
    }
    if (embedding.positions() != null) {
      addPositions(pass, batch, x);
    }
  }

  private void addPositions(Pass pass, Batch<SequenceState> batch, Matrix x) {
    try (Pass.Frame frame = pass.frame()) {
      float[] position = frame.floats(x.cols());
      for (Run<SequenceState> run : batch.runs()) {
        for (int row = run.from(); row < run.to(); row++) {
          embedding.positions().read(run.position() + row - run.from(), position, 0);
          pass.kernels().activations().addScaled(1, position, 0, x.data(), x.at(row), x.cols());
        }
      }
    }
  }

  /** All branches read before any of them writes; what they give is added in their order. */
  private static void advance(
      Pass pass, Batch<SequenceState> batch, BuiltStep step, Matrix[] streams) {
    try (Pass.Frame frame = pass.frame()) {
      List<Matrix> outputs = new ArrayList<>(step.branches().size());
      for (BuiltBranch branch : step.branches()) {
        outputs.add(branch.forward(pass, frame, batch, streams));
      }
      Matrix x = streams[Streams.RESIDUAL];
      if (step.residual() != null) {
        step.residual().rows(pass, x, x);
      }
      if (step.keep() != 1) {
        scale(pass, step.keep(), x);
      }
      for (int i = 0; i < outputs.size(); i++) {
        step.branches().get(i).write(pass, outputs.get(i), streams);
      }
    }
  }

  private static void scale(Pass pass, float factor, Matrix x) {
    pass.eachRow(
        x.rows(),
        x.cols(),
        (from, to, worker) -> {
          for (int i = x.at(from); i < x.at(to); i++) {
            x.data()[i] *= factor;
          }
        });
  }

  private void logits(Pass pass, Matrix x, Matrix logits) {
    if (norm != null) {
      norm.rows(pass, x, x);
    }
    head.apply(pass, x, logits);
    Head spec = architecture.head();
    if (spec.scale() != 1 || spec.softcap() != 0) {
      int cols = logits.cols();
      pass.eachRow(logits.rows(), cols, (from, to, worker) -> bend(pass, spec, logits, from, to));
    }
  }

  private static void bend(Pass pass, Head head, Matrix logits, int from, int to) {
    int cols = logits.cols();
    if (head.scale() != 1) {
      for (int i = from * cols; i < to * cols; i++) {
        logits.data()[i] *= head.scale();
      }
    }
    if (head.softcap() != 0) {
      pass.kernels()
          .activations()
          .softcap(head.softcap(), logits.data(), from * cols, (to - from) * cols);
    }
  }
}
