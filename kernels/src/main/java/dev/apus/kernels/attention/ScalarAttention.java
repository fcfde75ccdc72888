package dev.apus.kernels.attention;

import dev.apus.kernels.math.ScalarMath;
import dev.apus.kernels.math.ScalarSums;
import java.util.Arrays;

/** The definition of {@link Attention}: one query after another, one slot at a time. */
public final class ScalarAttention extends SpannedAttention {

  /** Partial sums of the denominator. */
  private static final int PARTIALS = 16;

  /** Scratch: the scores of a span, which become its weights; partial sums; a key or a value. */
  private static final int PARTIALS_AT = SPAN;

  private static final int LOADED_AT = PARTIALS_AT + PARTIALS;

  public ScalarAttention(CacheFormat format) {
    super(format);
  }

  @Override
  int spanFloats(Traits traits, int queries) {
    return LOADED_AT + LANES;
  }

  @Override
  public void attendSpan(
      Traits traits,
      Queries q,
      Visited visited,
      int span,
      Stored stored,
      Biases biases,
      float[] part,
      int partAt,
      float[] scratch) {
    for (int i = 0; i < q.count(); i++) {
      attendSpan(traits, q, i, visited, span, stored, biases, part, partAt, scratch);
    }
  }

  /** Attends for one query; whether it sees anything, and then its weights are in the scratch. */
  private boolean attendSpan(
      Traits traits,
      Queries q,
      int i,
      Visited visited,
      int span,
      Stored stored,
      Biases biases,
      float[] part,
      int partAt,
      float[] scratch) {
    int at = partAt + i * queryFloats(traits);
    Arrays.fill(part, at, at + traits.valueDim(), 0);
    if (!weigh(traits, q, i, visited, span, stored, biases, part, at, scratch)) {
      return false;
    }
    int position = q.position() + i / q.group();
    var seen = new VisitedSlots(visited, position, position, span * SPAN, (span + 1) * SPAN);
    addValues(traits, seen, stored.piece(span), part, at, scratch);
    return true;
  }

  @Override
  public void weighSpan(
      Traits traits,
      Queries q,
      Visited visited,
      int span,
      Stored stored,
      Biases biases,
      float[] part,
      int partAt,
      float[] weights,
      int weightsAt,
      float[] scratch) {
    for (int i = 0; i < q.count(); i++) {
      int to = weightsAt + i * SPAN;
      if (attendSpan(traits, q, i, visited, span, stored, biases, part, partAt, scratch)) {
        System.arraycopy(scratch, 0, weights, to, SPAN);
      } else {
        Arrays.fill(weights, to, to + SPAN, 0);
      }
    }
  }

  @Override
  public void score(
      Traits traits,
      Queries q,
      int from,
      int to,
      Stored stored,
      float[] scores,
      int scoresAt,
      int scoresStride,
      float[] scratch) {
    for (int i = 0; i < q.count(); i++) {
      int queryAt = q.at() + i / q.group() * q.stride() + i % q.group() * traits.headDim();
      for (int slot = from; slot < to; slot++) {
        Piece piece = stored.piece(slot / SPAN);
        scores[scoresAt + i * scoresStride + slot - from] =
            dot(traits.headDim(), q.data(), queryAt, piece, slot, scratch) * traits.scale();
      }
    }
  }

  /** Makes the weights of query i in scratch, and its m and l; false if it sees nothing. */
  private boolean weigh(
      Traits traits,
      Queries q,
      int i,
      Visited visited,
      int span,
      Stored stored,
      Biases biases,
      float[] part,
      int at,
      float[] scratch) {
    Piece piece = stored.piece(span);
    int position = q.position() + i / q.group();
    int g = i % q.group();
    int queryAt = q.at() + i / q.group() * q.stride() + g * traits.headDim();
    float level = level(stored, piece, g, position);
    float slope = biases.slopes() == null ? 0 : biases.slopes()[biases.headAt() + g];
    var seen = new VisitedSlots(visited, position, position, span * SPAN, (span + 1) * SPAN);
    Arrays.fill(scratch, 0, SPAN, Float.NEGATIVE_INFINITY);
    float max = Float.NEGATIVE_INFINITY;
    for (int slot = seen.next(0); slot >= 0; slot = seen.next(slot + 1)) {
      float score = score(traits, q.data(), queryAt, piece, slot, scratch);
      float distance = (float) (slot / PARTIALS * PARTIALS - position) + slot % PARTIALS;
      score = Math.fma(slope, distance, score);
      if (piece.levels() != null) {
        score += level - piece.levels().sum(g, slot);
      }
      scratch[slot % SPAN] = score;
      max = Math.max(max, score);
    }
    part[at + traits.valueDim()] = max;
    if (max == Float.NEGATIVE_INFINITY) {
      return false;
    }
    part[at + traits.valueDim() + 1] = weigh(max, scratch);
    return true;
  }

  @Override
  public int indexFloats(int heads) {
    return LOADED_AT + 1;
  }

  @Override
  public void index(
      IndexQuery query,
      Piece keys,
      int from,
      int to,
      float[] scores,
      int scoresAt,
      float[] scratch) {
    int dim = query.headDim();
    for (int slot = from; slot < to; slot++) {
      float score = 0;
      for (int h = 0; h < query.heads(); h++) {
        float dot = dot(dim, query.q(), query.at() + h * dim, keys, slot, scratch);
        score = Math.fma(query.weights()[query.weightsAt() + h], Math.max(0, dot), score);
      }
      scores[scoresAt + slot - from] = score;
    }
  }

  private float dot(int dim, float[] q, int queryAt, Piece stored, int slot, float[] scratch) {
    long at = stored.keysAt() + keyPanelAt(slot, dim);
    float dot = 0;
    for (int d = 0; d < dim; d++) {
      long columnAt = at + (long) d * columns.bytes();
      columns.load(stored.keys(), columnAt, slot % LANES, scratch, LOADED_AT, 1);
      dot = Math.fma(scratch[LOADED_AT], q[queryAt + d], dot);
    }
    return dot;
  }

  private float score(
      Traits traits, float[] q, int queryAt, Piece stored, int slot, float[] scratch) {
    float score = dot(traits.headDim(), q, queryAt, stored, slot, scratch) * traits.scale();
    return traits.softcap() == 0
        ? score
        : traits.softcap() * ScalarMath.tanh(score / traits.softcap());
  }

  /** Turns scores into weights and returns their sum. */
  private static float weigh(float max, float[] scratch) {
    Arrays.fill(scratch, PARTIALS_AT, PARTIALS_AT + PARTIALS, 0);
    for (int slot = 0; slot < SPAN; slot++) {
      scratch[slot] = ScalarMath.exp(scratch[slot] - max);
      scratch[PARTIALS_AT + slot % PARTIALS] += scratch[slot];
    }
    return ScalarSums.tree(scratch, PARTIALS_AT);
  }

  private void addValues(
      Traits traits, VisitedSlots seen, Piece stored, float[] sums, int at, float[] scratch) {
    for (int slot = seen.next(0); slot >= 0; slot = seen.next(slot + 1)) {
      for (int from = 0; from < traits.valueDim(); from += LANES) {
        long valueAt = stored.valuesAt() + valueColumnAt(slot, from / LANES, traits.valueDim());
        int count = Math.min(LANES, traits.valueDim() - from);
        columns.load(stored.values(), valueAt, 0, scratch, LOADED_AT, count);
        for (int j = 0; j < count; j++) {
          int sumAt = at + from + j;
          sums[sumAt] = Math.fma(scratch[LOADED_AT + j], scratch[slot % SPAN], sums[sumAt]);
        }
      }
    }
  }
}
