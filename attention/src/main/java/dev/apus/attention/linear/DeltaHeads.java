package dev.apus.attention.linear;

import dev.apus.core.compute.Divisible;
import dev.apus.core.compute.Pass;
import dev.apus.core.model.Batch;
import dev.apus.core.model.CausalConvolution;
import dev.apus.core.model.RecurrentState;
import dev.apus.core.model.RecurrentState.Region;
import dev.apus.core.model.Run;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.WeightScope;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.activation.Activation;
import dev.apus.kernels.memory.MatrixMemory;
import dev.apus.kernels.memory.MatrixMemory.Inputs;
import dev.apus.kernels.memory.MatrixMemory.Rows;
import dev.apus.kernels.memory.MatrixMemory.Write;
import java.util.Arrays;

/** What a {@link GatedDeltaNet} does between its projections, which other mixers project apart. */
final class DeltaHeads {

  /** Keeps a query or key of zeros from being divided by zero. */
  private static final float UNIT_EPSILON = 1e-6f;

  /** The regions of a state. */
  private static final int CONVOLUTION = 0;

  private static final int MEMORY = 1;

  private final DeltaSpec spec;
  private final MatrixMemory.Shape memory;
  private final Kernels kernels;
  private final CausalConvolution convolution;
  private final float[] decay;
  private final float[] dtBias;
  private final float[] norm;
  private final Feedback feedback;

  DeltaHeads(DeltaSpec spec, WeightScope weights, Kernels kernels) {
    int decays = spec.valueHeads() * spec.decays();
    this.spec = spec;
    this.memory = spec.memory();
    this.kernels = kernels;
    this.convolution =
        spec.taps() == 0
            ? null
            : CausalConvolution.read(weights, "conv", spec.channels(), spec.taps(), false);
    this.decay =
        decays == 0 ? null : weights.vector("decay", spec.valueHeads(), new Typical(-4, 3.9f));
    this.dtBias = decays == 0 ? null : weights.vector("dtBias", decays, new Typical(-3, 1));
    this.norm = weights.vector("norm", spec.valueDim(), Typical.NORM);
    this.feedback = spec.feedback() ? Feedback.read(spec, kernels, weights) : null;
  }

  /** The memories of all heads, and the last inputs of the convolution. */
  RecurrentState newState() {
    return RecurrentState.of(
        convolution == null ? new Region(1, 0) : convolution.region(),
        Region.of(spec.valueHeads(), spec.memory()));
  }

  /**
   * What is projected from the rows, and is overwritten by what becomes of it.
   *
   * @param mixed queries, keys and values of all heads
   * @param alpha what decays come out of; null for none
   * @param beta what strengths come out of; anything where they are 1
   * @param write what strengths of each value come out of; null for none
   */
  record Tokens(Matrix mixed, Matrix alpha, Matrix beta, Matrix write) {}

  /**
   * The work of projecting rows to {@code mixed} from a column on, as {@link #advance} needs them.
   */
  Divisible mixed(
      Projection projection,
      Pass pass,
      Batch<RecurrentState> batch,
      Matrix x,
      Matrix mixed,
      int column) {
    if (convolution != null) {
      return convolution.after(
          projection, pass, batch, CONVOLUTION, x, mixed, column, Activation.SILU);
    }
    return projection.task(
        pass,
        x,
        0,
        mixed,
        column,
        Pass.cost(Activation.SILU),
        (from, to, worker) -> pass.activate(Activation.SILU, mixed, column + from, column + to));
  }

  /** Makes rows that were projected otherwise into those that {@link #advance} needs. */
  void mix(Pass pass, Batch<RecurrentState> batch, Matrix mixed) {
    if (convolution != null) {
      convolution.apply(pass, batch, CONVOLUTION, mixed, 0);
    }
    Elementwise.apply(pass, Activation.SILU, mixed);
  }

  /**
   * Takes the memories past the tokens.
   *
   * @param o receives what is read
   */
  void advance(Pass pass, Batch<RecurrentState> batch, Tokens tokens, Matrix o) {
    try (Pass.Frame frame = pass.frame()) {
      boolean seeks = memory.write() == Write.FEEDBACK;
      Matrix p = seeks ? frame.matrix(o.rows(), spec.keyCols()) : null;
      unitLength(pass, tokens.mixed, p);
      if (tokens.alpha != null) {
        decays(pass, tokens.alpha);
      }
      Matrix beta = tokens.beta;
      if (spec.channelGates()) {
        beta = frame.matrix(o.rows(), spec.valueHeads());
        new ChannelGates(spec).apply(pass, tokens, p, beta);
      } else {
        betas(pass, beta);
      }
      MemorySteps steps = MemorySteps.of(spec, pass, frame, tokens.mixed, p, tokens.alpha, beta, o);
      batch.eachPart(
          pass, spec.valueHeads(), (run, head, worker) -> remember(pass, worker, run, head, steps));
      batch.runs().forEach(run -> run.state().changed());
      steps.read(pass, o);
    }
  }

  private void unitLength(Pass pass, Matrix mixed, Matrix p) {
    float queryScale = (float) (1 / Math.sqrt(spec.keyDim()));
    int heads = spec.keyHeads();
    int dim = spec.keyDim();
    pass.eachRow(
        mixed.rows(),
        4 * mixed.cols(),
        (from, to, worker) -> {
          float[] data = mixed.data();
          for (int row = from; row < to; row++) {
            int qAt = mixed.at(row);
            int kAt = qAt + spec.keyCols();
            if (feedback != null) {
              feedback.apply(kernels, data, qAt, kAt, p.data(), p.at(row), UNIT_EPSILON);
            }
            kernels.norms().l2(data, qAt, heads, dim, queryScale, UNIT_EPSILON, data, qAt);
            int keys = spec.steps() * heads;
            kernels.norms().l2(data, kAt, keys, dim, 1, UNIT_EPSILON, data, kAt);
          }
        });
  }

  private void decays(Pass pass, Matrix alpha) {
    float bound = spec.decayBound();
    var activations = kernels.activations();
    pass.eachRow(
        alpha.rows(),
        16 * alpha.cols(),
        (from, to, worker) -> {
          float[] values = alpha.data();
          int at = alpha.at(from);
          int count = alpha.at(to) - at;
          for (int row = from; row < to; row++) {
            for (int i = 0; i < dtBias.length; i++) {
              values[alpha.at(row) + i] += dtBias[i];
            }
          }
          if (bound == 0) {
            activations.apply(Activation.SOFTPLUS, values, at, count);
            scale(alpha, from, to, 1);
          } else {
            scale(alpha, from, to, -1);
            activations.apply(Activation.SIGMOID, values, at, count);
            for (int i = at; i < at + count; i++) {
              values[i] *= bound;
            }
          }
          activations.apply(Activation.EXP, values, at, count);
        });
  }

  /** Multiplies what each head's decays are made of by its rate. */
  private void scale(Matrix alpha, int fromRow, int toRow, int sign) {
    int decays = spec.decays();
    for (int row = fromRow; row < toRow; row++) {
      for (int head = 0; head < decay.length; head++) {
        int at = alpha.at(row) + head * decays;
        float rate = sign * decay[head];
        for (int i = at; i < at + decays; i++) {
          alpha.data()[i] *= rate;
        }
      }
    }
  }

  private void betas(Pass pass, Matrix beta) {
    pass.eachRow(
        beta.rows(),
        8 * beta.cols(),
        (from, to, worker) -> {
          int at = beta.at(from);
          int end = beta.at(to);
          if (!spec.beta()) {
            Arrays.fill(beta.data(), at, end, 1);
          } else {
            kernels.activations().apply(Activation.SIGMOID, beta.data(), at, end - at);
          }
          for (int i = at; i < end; i++) {
            beta.data()[i] *= spec.betaScale();
          }
        });
  }

  private void remember(
      Pass pass, int worker, Run<RecurrentState> run, int head, MemorySteps steps) {
    int from = run.from() * spec.steps();
    int count = run.length() * spec.steps();
    int key = spec.keyHead(head) * spec.keyDim();
    int value = head * spec.valueDim();
    var in =
        new Inputs(
            rows(steps.q(), from, key),
            rows(steps.k(), from, steps.firstKey() + key),
            rows(steps.v(), from, steps.firstValue() + value),
            rows(steps.alpha(), from, head * spec.decays()),
            rows(steps.beta(), from, head));
    run.state()
        .remember(
            pass,
            worker,
            MEMORY,
            head,
            count,
            in.erasing(rows(steps.p(), from, key), null),
            rows(steps.o(), from, value));
  }

  private static Rows rows(Matrix x, int from, int column) {
    return x == null ? null : x.from(from, column);
  }

  /** Normalises what each head has read, and gates it. */
  void normalize(Pass pass, Matrix gate, Matrix o) {
    int heads = spec.valueHeads();
    int cols = o.cols();
    pass.eachRow(
        o.rows(),
        4 * cols,
        (from, to, worker) -> {
          for (int row = from; row < to; row++) {
            int at = o.at(row);
            kernels
                .norms()
                .rms(o.data(), at, heads, spec.valueDim(), norm, 0, spec.epsilon(), o.data(), at);
            if (gate != null) {
              kernels.activations().gate(spec.gate(), gate.data(), at, o.data(), at, cols);
            }
          }
        });
  }
}
