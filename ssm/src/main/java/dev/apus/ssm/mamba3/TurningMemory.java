package dev.apus.ssm.mamba3;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.apus.core.compute.Pass;
import dev.apus.core.model.Batch;
import dev.apus.core.model.RecurrentState;
import dev.apus.core.model.Run;
import dev.apus.core.tensor.Matrix;
import dev.apus.kernels.memory.MatrixMemory.Inputs;
import dev.apus.kernels.memory.MatrixMemory.Rows;
import dev.apus.kernels.rope.Rotary;
import java.lang.foreign.MemorySegment;

/** The memories of {@link Mamba3}'s heads: turns keys and queries, writes one token late, reads. */
final class TurningMemory {

  /** The regions of a state: the memories, and what each head keeps of its last token. */
  private static final int MEMORY = 0;

  private static final int LAST = 1;

  private final Mamba3Spec spec;
  private final float[] keyBias;
  private final float[] queryBias;
  private final float[] skip;

  TurningMemory(Mamba3Spec spec, float[] keyBias, float[] queryBias, float[] skip) {
    this.spec = spec;
    this.keyBias = keyBias;
    this.queryBias = queryBias;
    this.skip = skip;
  }

  /**
   * What the rows say.
   *
   * @param k normalised keys of each group; likewise {@code q}
   * @param v values of each head
   * @param step Δ of each head
   * @param decay α of each head
   * @param weight λ of each head
   * @param rate by how much the angles turn for each unit of Δ
   */
  record Tokens(
      Matrix k, Matrix q, Matrix v, Matrix step, Matrix decay, Matrix weight, Matrix rate) {}

  /**
   * The same for heads of their own, and shifted: a run's first row holds the last token before it,
   * so that row {@code i + 1} of the run is token i.
   *
   * @param own γ (k · q) + D of each token
   */
  private record Shifted(Matrix k, Matrix v, Matrix q, Matrix own, Matrix cos, Matrix sin) {}

  /** Takes every head of every run past its tokens and writes {@code Sᵀ q + D v}. */
  void advance(Pass pass, Batch<RecurrentState> batch, Tokens tokens, Matrix o) {
    int heads = spec.heads();
    int runs = batch.runs().size();
    int rows = o.rows();
    try (Pass.Frame frame = pass.frame()) {
      Shifted shifted =
          new Shifted(
              frame.matrix(rows + runs, heads * spec.stateSize()),
              frame.matrix(rows + runs, spec.inner()),
              frame.matrix(rows, heads * spec.stateSize()),
              frame.matrix(rows, heads),
              frame.matrix(runs, heads * spec.angles()),
              frame.matrix(runs, heads * spec.angles()));
      pass.workers()
          .run(
              runs * heads,
              (part, worker) -> {
                int number = part / heads;
                Run<RecurrentState> run = batch.runs().get(number);
                advance(pass, worker, run, number, part % heads, tokens, shifted, o);
              });
    }
  }

  private void advance(
      Pass pass,
      int worker,
      Run<RecurrentState> run,
      int number,
      int head,
      Tokens tokens,
      Shifted shifted,
      Matrix o) {
    run.state().keep(LAST, head);
    prepare(pass.kernels().rotary(), run, number, head, tokens, shifted);
    int first = run.from() + number;
    int heads = spec.heads();
    int keyAt = head * spec.stateSize();
    int valueAt = head * spec.headDim();
    var in =
        new Inputs(
            shifted.q.from(run.from(), keyAt),
            shifted.k.from(first, keyAt),
            shifted.v.from(first, valueAt),
            new Rows(tokens.decay.data(), tokens.decay.at(run.from()) + head, heads),
            null);
    Rows read = o.from(run.from(), valueAt);
    run.state().remember(pass, worker, MEMORY, head, run.length(), in, read);
    var activations = pass.kernels().activations();
    for (int row = run.from(); row < run.to(); row++) {
      activations.addScaled(
          shifted.own.data()[shifted.own.at(row) + head],
          tokens.v.data(),
          tokens.v.at(row) + valueAt,
          o.data(),
          o.at(row) + valueAt,
          spec.headDim());
    }
  }

  /** Fills in the shifted rows of one head and moves what it keeps of its last token on. */
  private void prepare(
      Rotary rotary, Run<RecurrentState> run, int number, int head, Tokens t, Shifted s) {
    int size = spec.stateSize();
    int dim = spec.headDim();
    int angles = spec.angles();
    int at = s.cos.at(number) + head * angles;
    float[] angle = new float[angles];
    MemorySegment memory = run.state().segment();
    long last = run.state().at(LAST, head);
    int keyAt = s.k.at(run.from() + number) + head * size;
    int valueAt = s.v.at(run.from() + number) + head * dim;
    MemorySegment.copy(memory, JAVA_FLOAT, last, s.k.data(), keyAt, size);
    MemorySegment.copy(memory, JAVA_FLOAT, last + 4L * size, s.v.data(), valueAt, dim);
    float gamma = memory.get(JAVA_FLOAT, last + 4L * (size + dim));
    MemorySegment.copy(memory, JAVA_FLOAT, last + 4L * (size + dim + 1), angle, 0, angles);
    for (int row = run.from(); row < run.to(); row++) {
      int scalar = t.step.at(row) + head;
      float step = t.step.data()[scalar];
      float lambda = t.weight.data()[scalar];
      float write = t.decay.data()[scalar] * Math.fma(step, 1 - lambda, gamma);
      for (int i = keyAt; i < keyAt + size; i++) {
        s.k.data()[i] *= write;
      }
      keyAt += s.k.cols();
      valueAt += s.v.cols();
      gamma = step * lambda;
      System.arraycopy(t.v.data(), t.v.at(row) + head * dim, s.v.data(), valueAt, dim);
      int queryAt = s.q.at(row) + head * size;
      int group = t.k.at(row) + head / (spec.heads() / spec.groups()) * size;
      biased(t.k.data(), group, keyBias, head * size, s.k.data(), keyAt);
      biased(t.q.data(), group, queryBias, head * size, s.q.data(), queryAt);
      float[] cos = s.cos.data();
      float[] sin = s.sin.data();
      s.own.data()[s.own.at(row) + head] =
          Math.fma(gamma, dot(s.k.data(), keyAt, s.q.data(), queryAt, size), skip[head]);
      rotary.turn(step, t.rate.data(), t.rate.at(row), angle, 0, angles, cos, sin, at);
      var pairs = Rotary.Layout.INTERLEAVED;
      rotary.rotate(pairs, s.k.data(), keyAt, 1, size, 2 * angles, cos, sin, at);
      rotary.rotate(pairs, s.q.data(), queryAt, 1, size, 2 * angles, cos, sin, at);
    }
    MemorySegment.copy(s.k.data(), keyAt, memory, JAVA_FLOAT, last, size);
    MemorySegment.copy(s.v.data(), valueAt, memory, JAVA_FLOAT, last + 4L * size, dim);
    memory.set(JAVA_FLOAT, last + 4L * (size + dim), gamma);
    MemorySegment.copy(angle, 0, memory, JAVA_FLOAT, last + 4L * (size + dim + 1), angles);
  }

  private void biased(float[] x, int xAt, float[] bias, int biasAt, float[] y, int yAt) {
    for (int i = 0; i < spec.stateSize(); i++) {
      y[yAt + i] = x[xAt + i] + bias[biasAt + i];
    }
  }

  private static float dot(float[] a, int aAt, float[] b, int bAt, int count) {
    float s0 = 0;
    float s1 = 0;
    float s2 = 0;
    float s3 = 0;
    int i = 0;
    for (; i + 4 <= count; i += 4) {
      s0 = Math.fma(a[aAt + i], b[bAt + i], s0);
      s1 = Math.fma(a[aAt + i + 1], b[bAt + i + 1], s1);
      s2 = Math.fma(a[aAt + i + 2], b[bAt + i + 2], s2);
      s3 = Math.fma(a[aAt + i + 3], b[bAt + i + 3], s3);
    }
    for (; i < count; i++) {
      s0 = Math.fma(a[aAt + i], b[bAt + i], s0);
    }
    return s0 + s2 + (s1 + s3);
  }
}
