package dev.apus.kernels.attention;

import static dev.apus.kernels.Guarded.AT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import dev.apus.kernels.Guarded;
import dev.apus.kernels.attention.Attention.Biases;
import dev.apus.kernels.attention.Attention.Levels;
import dev.apus.kernels.attention.Attention.Queries;
import dev.apus.kernels.attention.Attention.Stored;
import dev.apus.kernels.attention.Attention.Traits;
import dev.apus.kernels.attention.Attention.Visited;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.SplittableRandom;

/** Random queries, keys and values of one key–value head, and their answer in double precision. */
final class AttentionProblem {

  /** Head of the slopes and sinks that is the group's first. */
  private static final int HEAD_AT = 2;

  /** Rows are further apart than they are long. */
  private static final int GAP = 3;

  record Case(int headDim, int valueDim, int group, int rows, int position, Visited visited) {}

  final Case shape;
  Traits traits;
  final float[] q;
  final float[] k;
  final float[] v;
  float[] slopes;
  float[] sinks;

  /** The logarithms of what each slot's token keeps, of every head of the group; or null. */
  float[] kept;

  AttentionProblem(Case shape) {
    var random = new SplittableRandom(1000L * shape.headDim() + shape.rows());
    this.shape = shape;
    this.traits = new Traits(shape.headDim(), shape.valueDim(), 0.3f, 0);
    this.q = Guarded.normal(random, shape.rows() * queryStride());
    this.k = Guarded.normal(random, end() * shape.headDim());
    this.v = Guarded.normal(random, end() * shape.valueDim());
  }

  /** Makes keys and values such as a BF16 cache can hold. */
  void round() {
    StoredSpans.round(k);
    StoredSpans.round(v);
  }

  void softcap(float limit) {
    traits = new Traits(shape.headDim(), shape.valueDim(), 0.3f, limit);
  }

  void incline() {
    slopes = perHead(0.1f);
  }

  void forget() {
    int slots = Math.max(end(), lastPosition() + 1);
    var random = new SplittableRandom(slots);
    kept = new float[slots * shape.group()];
    for (int i = 0; i < kept.length; i++) {
      kept[i] = (float) -random.nextDouble(0.1);
    }
  }

  void sink(float value) {
    sinks = perHead(value);
  }

  private float[] perHead(float value) {
    float[] data = new float[HEAD_AT + shape.group()];
    for (int g = 0; g < shape.group(); g++) {
      data[HEAD_AT + g] = value / (1 + g);
    }
    return data;
  }

  /** The slot after the last that is visited. */
  private int end() {
    Visited visited = shape.visited();
    return visited.count() == 0 ? 0 : visited.ranges()[2 * visited.count() - 1];
  }

  private int queryStride() {
    return shape.group() * shape.headDim() + GAP;
  }

  int resultStride() {
    return shape.group() * shape.valueDim() + GAP;
  }

  boolean sees(int row, int slot) {
    Visited visited = shape.visited();
    int position = shape.position() + row;
    boolean seen = false;
    for (int i = 0; i < visited.count(); i++) {
      seen |= visited.ranges()[2 * i] <= slot && slot < visited.ranges()[2 * i + 1];
    }
    seen &= !visited.causal() || slot <= position;
    return seen && (visited.window() == 0 || Math.abs(slot - position) < visited.window());
  }

  float[] run(Attention attention) {
    return run(attention, shape.visited(), shape.rows());
  }

  /** Runs with so many rows a call. */
  float[] run(Attention attention, Visited visited, int rowsPerCall) {
    return run(attention, visited, rowsPerCall, this::attend);
  }

  /** Runs every span by itself. */
  float[] runSpans(Attention attention) {
    return run(attention, shape.visited(), shape.rows(), this::attendSpans);
  }

  /** The scores of some slots, each query's with a gap behind them. */
  float[] runScores(Attention attention, int from, int to) {
    int stride = to - from + GAP;
    float[] scores = Guarded.poisoned(shape.rows() * shape.group() * stride);
    run(
        attention,
        shape.visited(),
        shape.rows(),
        (kernel, q, visited, stored, out, outAt) ->
            kernel.score(traits, q, from, to, stored, scores, AT, stride, scratch(kernel, q)));
    return scores;
  }

  /** Runs calls. Slots that no row sees hold NaN, where none settles. */
  private float[] run(Attention attention, Visited visited, int rowsPerCall, Call call) {
    int spans = Math.ceilDiv(end(), Attention.SPAN);
    float[] out = Guarded.poisoned(shape.rows() * resultStride());
    try (Arena arena = Arena.ofConfined()) {
      Levels[] levels = levels(arena, spans);
      boolean settles = attention.format().settles();
      var where = new StoredSpans(arena, attention, shape.headDim(), shape.valueDim(), spans);
      Stored recent = where.recent(levels);
      for (int slot = 0; slot < (settles ? spans * Attention.SPAN : end()); slot++) {
        // What settles together is all there.
        if (settles || isSeen(slot)) {
          where.store(recent, slot, k, v, slot % end());
        }
      }
      Stored stored = settles ? settled(arena, where, recent) : recent;
      for (int row = 0; row < shape.rows(); row += rowsPerCall) {
        int rows = Math.min(rowsPerCall, shape.rows() - row);
        int at = AT + row * queryStride();
        int position = shape.position() + row;
        call.run(
            attention,
            new Queries(q, at, queryStride(), rows, shape.group(), position),
            visited,
            stored,
            out,
            AT + row * resultStride());
      }
    }
    return out;
  }

  /** What settles, beside what it was made of. */
  private Stored settled(Arena arena, StoredSpans where, Stored recent) {
    Levels[] levels = new Levels[Math.max(where.spans(), lastPosition() / Attention.SPAN + 1)];
    for (int span = 0; span < levels.length && kept != null; span++) {
      MemorySegment memory = arena.allocate(Levels.bytes(shape.group(), Attention.SPAN));
      levels[span] = new Levels(memory, 0, shape.group(), Attention.SPAN);
    }
    return where.settled(recent, levels);
  }

  /** Replaces keys and values by what a query at a position sees of them. */
  void settle(Attention attention, int position) {
    try (Arena arena = Arena.ofConfined()) {
      int spans = Math.ceilDiv(end(), Attention.SPAN);
      var where = new StoredSpans(arena, attention, shape.headDim(), shape.valueDim(), spans);
      Stored recent = where.recent(new Levels[spans]);
      for (int slot = 0; slot < spans * Attention.SPAN; slot++) {
        where.store(recent, slot, k, v, slot % end());
      }
      kept = null;
      Stored stored = settled(arena, where, recent);
      where.load(stored, position, end(), k, v);
    }
  }

  /** Those of each span; slots that no row sees and none stands at hold NaN. */
  private Levels[] levels(Arena arena, int spans) {
    Levels[] levels = new Levels[Math.max(spans, lastPosition() / Attention.SPAN + 1)];
    if (kept == null) {
      return levels;
    }
    long bytes = Levels.bytes(shape.group(), Attention.SPAN);
    for (int span = 0; span < levels.length; span++) {
      MemorySegment memory = arena.allocate(bytes + 4).fill((byte) -1);
      levels[span] = new Levels(memory, 4, shape.group(), Attention.SPAN);
      for (int g = 0; g < shape.group(); g++) {
        levels[span].setBase(g, span == 0 ? 0 : level(g, span * Attention.SPAN - 1));
        for (int slot = span * Attention.SPAN; slot < (span + 1) * Attention.SPAN; slot++) {
          boolean stoodAt = slot >= shape.position() && slot <= lastPosition();
          if (stoodAt || isSeen(slot)) {
            levels[span].set(g, slot, (float) (level(g, slot) - levels[span].base(g)));
          }
        }
      }
    }
    return levels;
  }

  private int lastPosition() {
    return shape.position() + shape.rows() - 1;
  }

  /** What a head of the group has forgotten up to a slot. */
  private double level(int g, int slot) {
    double sum = 0;
    for (int i = 0; i <= slot; i++) {
      sum += kept[i * shape.group() + g];
    }
    return sum;
  }

  /** Computes the rows of one call. */
  private interface Call {
    void run(
        Attention attention, Queries q, Visited visited, Stored stored, float[] out, int outAt);
  }

  private void attend(
      Attention attention, Queries q, Visited visited, Stored stored, float[] out, int outAt) {
    float[] scratch = scratch(attention, q);
    attention.attend(traits, q, visited, stored, biases(), out, outAt, resultStride(), scratch);
  }

  /** Span by span, the last first, and then merged. */
  private void attendSpans(
      Attention attention, Queries q, Visited visited, Stored stored, float[] out, int outAt) {
    int spans = Math.max(1, Math.ceilDiv(end(), Attention.SPAN));
    int floats = attention.partFloats(traits, q.rows() * q.group());
    float[] parts = new float[2 + spans * floats];
    Arrays.fill(parts, Float.NaN);
    for (int span = spans - 1; span >= 0; span--) {
      float[] scratch = scratch(attention, q);
      int at = 2 + span * floats;
      attention.attendSpan(traits, q, visited, span, stored, biases(), parts, at, scratch);
    }
    attention.merge(traits, q, biases(), parts, 2, spans, out, outAt, resultStride());
  }

  /**
   * The weights of every span, for each query of each row, one behind the other; what becomes of
   * the values must be what it is without asking for weights.
   */
  float[] runWeights(Attention attention) {
    int spans = Math.max(1, Math.ceilDiv(end(), Attention.SPAN));
    float[] weights = Guarded.poisoned(spans * shape.rows() * shape.group() * Attention.SPAN);
    Call call =
        (kernel, q, visited, stored, out, outAt) -> {
          int floats = kernel.partFloats(traits, q.count());
          float[] parts = new float[2 + spans * floats];
          Arrays.fill(parts, Float.NaN);
          for (int span = 0; span < spans; span++) {
            float[] scratch = scratch(kernel, q);
            int at = 2 + span * floats;
            int to = AT + span * q.count() * Attention.SPAN;
            kernel.weighSpan(
                traits, q, visited, span, stored, biases(), parts, at, weights, to, scratch);
          }
          kernel.normalize(traits, q, biases(), parts, 2, spans, weights, AT);
          kernel.merge(traits, q, biases(), parts, 2, spans, out, outAt, resultStride());
        };
    assertArrayEquals(run(attention), run(attention, shape.visited(), shape.rows(), call));
    return weights;
  }

  /** The weights of one query in every slot. */
  double[] exactWeights(int row, int g) {
    double[] weights = new double[end()];
    double max = sinks == null ? Double.NEGATIVE_INFINITY : sinks[HEAD_AT + g];
    for (int slot = 0; slot < end(); slot++) {
      max = sees(row, slot) ? Math.max(max, score(row, g, slot)) : max;
    }
    double sum = sinks == null ? 0 : Math.exp(sinks[HEAD_AT + g] - max);
    for (int slot = 0; slot < end(); slot++) {
      weights[slot] = sees(row, slot) ? Math.exp(score(row, g, slot) - max) : 0;
      sum += weights[slot];
    }
    for (int slot = 0; slot < end() && sum > 0; slot++) {
      weights[slot] /= sum;
    }
    return weights;
  }

  private Biases biases() {
    return new Biases(slopes, sinks, HEAD_AT);
  }

  private float[] scratch(Attention attention, Queries q) {
    float[] scratch = new float[attention.scratchFloats(traits, q.rows() * q.group())];
    Arrays.fill(scratch, Float.NaN);
    return scratch;
  }

  private boolean isSeen(int slot) {
    for (int row = 0; row < shape.rows(); row++) {
      if (sees(row, slot)) {
        return true;
      }
    }
    return false;
  }

  double score(int row, int g, int slot) {
    double sum = 0;
    for (int d = 0; d < shape.headDim(); d++) {
      sum += (double) q[queryAt(row, g) + d] * k[AT + slot * shape.headDim() + d];
    }
    sum *= traits.scale();
    if (traits.softcap() != 0) {
      sum = traits.softcap() * Math.tanh(sum / traits.softcap());
    }
    if (kept != null) {
      sum += level(g, shape.position() + row) - level(g, slot);
    }
    return slopes == null ? sum : sum + slopes[HEAD_AT + g] * (slot - shape.position() - row);
  }

  /** The sizes of what a score adds up. */
  double reach(int row, int g, int slot) {
    double sum = 0;
    for (int d = 0; d < shape.headDim(); d++) {
      sum += Math.abs((double) q[queryAt(row, g) + d] * k[AT + slot * shape.headDim() + d]);
    }
    sum *= traits.scale();
    if (kept != null) {
      sum += 2 * Math.abs(level(g, shape.position() + row)) + 2 * Math.abs(level(g, slot));
    }
    return slopes == null
        ? sum
        : sum + slopes[HEAD_AT + g] * Math.abs(slot - shape.position() - row);
  }

  private int queryAt(int row, int g) {
    return AT + row * queryStride() + g * shape.headDim();
  }

  /** The answer of one query, all of its columns, from scores that were computed one by one. */
  double[] exact(int row, int g) {
    double max = sinks == null ? Double.NEGATIVE_INFINITY : sinks[HEAD_AT + g];
    for (int slot = 0; slot < end(); slot++) {
      if (sees(row, slot)) {
        max = Math.max(max, score(row, g, slot));
      }
    }
    double sum = sinks == null ? 0 : Math.exp(sinks[HEAD_AT + g] - max);
    double[] out = new double[shape.valueDim()];
    for (int slot = 0; slot < end(); slot++) {
      if (sees(row, slot)) {
        double weight = Math.exp(score(row, g, slot) - max);
        sum += weight;
        for (int j = 0; j < out.length; j++) {
          out[j] += weight * v[AT + slot * shape.valueDim() + j];
        }
      }
    }
    for (int j = 0; j < out.length; j++) {
      out[j] = sum == 0 ? 0 : out[j] / sum;
    }
    return out;
  }

  /**
   * How far a float answer may be from the exact one, relative to the greatest value: each weight
   * is wrong by its score's error twice (in it and in the sum), each sum by a rounding a term.
   */
  double tolerance(int row, int g) {
    double reach = 1;
    double greatest = 0;
    for (int slot = 0; slot < end(); slot++) {
      if (sees(row, slot)) {
        reach = Math.max(reach, reach(row, g, slot));
        for (int j = 0; j < shape.valueDim(); j++) {
          greatest = Math.max(greatest, Math.abs(v[AT + slot * shape.valueDim() + j]));
        }
      }
    }
    double score = (shape.headDim() + 4) * 0x1p-23 * reach;
    return (2 * score + (end() + 16) * 0x1p-23) * greatest;
  }
}
