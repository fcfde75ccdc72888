package dev.apus.core.model;

import dev.apus.core.compute.Pass;
import dev.apus.core.model.Architecture.Head;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.RowTable;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;

/**
 * The layers of a model, made to run. Immutable: what it remembers of a sequence is in a {@link
 * SequenceState}, what a pass works with in a {@link Pass}.
 */
public final class Network {

  /**
   * A branch whose part has been built; exactly one of {@code mixer} and {@code channel} is there.
   */
  record BuiltBranch(
      SequenceMixer<MixerState> mixer,
      int state,
      ChannelMixer channel,
      Normalization before,
      Normalization after,
      float scale) {}

  /** A step whose branches have been built. */
  record BuiltStep(List<BuiltBranch> branches, Normalization residual, float keep) {}

  private final Architecture architecture;
  private final RowTable embedding;
  private final RowTable positions;
  private final Normalization embeddingNorm;
  private final List<BuiltStep> steps;
  private final Normalization norm;
  private final Projection head;

  Network(
      Architecture architecture,
      RowTable embedding,
      RowTable positions,
      Normalization embeddingNorm,
      List<BuiltStep> steps,
      Normalization norm,
      Projection head) {
    this.architecture = architecture;
    this.embedding = embedding;
    this.positions = positions;
    this.embeddingNorm = embeddingNorm;
    this.steps = steps;
    this.norm = norm;
    this.head = head;
  }

  public Architecture architecture() {
    return architecture;
  }

  /** The memory of a sequence that has not begun and will have at most {@code limit} tokens. */
  public SequenceState newState(int limit) {
    List<MixerState> states = new ArrayList<>();
    mixers().forEach(mixer -> states.add(mixer.newState(limit)));
    return new SequenceState(states, limit, 0);
  }

  private Stream<SequenceMixer<MixerState>> mixers() {
    return steps.stream()
        .flatMap(step -> step.branches().stream())
        .map(BuiltBranch::mixer)
        .filter(Objects::nonNull);
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
    return mixers().mapToInt(mixer -> mixer.variant(limit)).reduce(0, (a, b) -> 31 * a + b);
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
    int width = architecture.width();
    pass.begin();
    try (Pass.Frame frame = pass.frame()) {
      Matrix x = frame.matrix(tokens.length, width);
      embed(pass, batch, tokens, x);
      for (BuiltStep step : steps) {
        if (cancelled.getAsBoolean()) {
          throw new CancellationException("cancelled");
        }
        advance(pass, batch, step, x);
      }
      batch.runs().forEach(run -> run.state().advance(run.length()));
      if (wanted.length > 0) {
        Matrix last = frame.matrix(wanted.length, width);
        for (int i = 0; i < wanted.length; i++) {
          System.arraycopy(x.data(), x.at(wanted[i]), last.data(), last.at(i), width);
        }
        logits(pass, last, logits);
      }
    }
  }

  private void embed(Pass pass, Batch<SequenceState> batch, int[] tokens, Matrix x) {
    float scale = architecture.embedding().scale();
    for (int row = 0; row < tokens.length; row++) {
      embedding.read(tokens[row], x.data(), x.at(row));
      for (int i = x.at(row); scale != 1 && i < x.at(row) + x.cols(); i++) {
        x.data()[i] *= scale;
      }
    }
    if (positions != null) {
      addPositions(pass, batch, x);
    }
    if (embeddingNorm != null) {
      embeddingNorm.rows(pass, x, x);
    }
  }

  private void addPositions(Pass pass, Batch<SequenceState> batch, Matrix x) {
    try (Pass.Frame frame = pass.frame()) {
      float[] position = frame.floats(x.cols());
      for (Run<SequenceState> run : batch.runs()) {
        for (int row = run.from(); row < run.to(); row++) {
          positions.read(run.position() + row - run.from(), position, 0);
          pass.kernels().activations().addScaled(1, position, 0, x.data(), x.at(row), x.cols());
        }
      }
    }
  }

  /** All branches read the same rows; what they give is added in their order. */
  private static void advance(Pass pass, Batch<SequenceState> batch, BuiltStep step, Matrix x) {
    try (Pass.Frame frame = pass.frame()) {
      List<Matrix> outputs = new ArrayList<>(step.branches().size());
      for (BuiltBranch branch : step.branches()) {
        Matrix read = x;
        if (branch.before() != null) {
          read = frame.matrix(x.rows(), x.cols());
          branch.before().rows(pass, x, read);
        }
        Matrix y = frame.matrix(x.rows(), x.cols());
        if (branch.mixer() != null) {
          branch.mixer().forward(pass, batch.map(s -> s.mixer(branch.state())), read, y);
        } else {
          branch.channel().forward(pass, read, y);
        }
        if (branch.after() != null) {
          branch.after().rows(pass, y, y);
        }
        outputs.add(y);
      }
      if (step.residual() != null) {
        step.residual().rows(pass, x, x);
      }
      if (step.keep() != 1) {
        scale(pass, step.keep(), x);
      }
      for (int i = 0; i < outputs.size(); i++) {
        add(pass, step.branches().get(i).scale(), outputs.get(i), x);
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

  private static void add(Pass pass, float scale, Matrix y, Matrix x) {
    int cols = x.cols();
    pass.eachRow(
        x.rows(),
        cols,
        (from, to, worker) ->
            pass.kernels()
                .activations()
                .addScaled(
                    scale, y.data(), from * cols, x.data(), from * cols, (to - from) * cols));
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
