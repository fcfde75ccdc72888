package dev.apus.ssm;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.apus.core.compute.Pass;
import dev.apus.core.model.RecurrentState;
import dev.apus.core.model.RecurrentState.Region;
import dev.apus.core.model.RecurrentStates;
import dev.apus.core.model.Run;
import dev.apus.core.tensor.Matrix;
import dev.apus.kernels.levels.LevelMemory;
import dev.apus.kernels.memory.MatrixMemory.Rows;
import java.lang.foreign.MemorySegment;
import java.util.Locale;

/**
 * A memory for each power of two in the length of a head's past, so that what is near is kept more
 * finely than what is far: log-linear attention.
 *
 * <p>The tokens before token t fall into stretches as t is a sum of powers of two, the longest
 * first: level {@code l > 0} holds a stretch of {@code 2^(l − 1)} tokens if t has that bit, and
 * nothing otherwise; level 0 is the token itself. With D(s, t) the product of the decays after s,
 *
 * <pre>
 *   o_t = Σ_s λ_t[level of s] (q_t · k_s) D(s, t) v_s
 * </pre>
 *
 * <p>A token ends the stretches that its number's trailing ones stand for: they and the token
 * become one stretch, of the level above them, as a binary number carries when one is added. So a
 * memory is written once and then read by as many tokens as it holds. What it forgets meanwhile is
 * one factor beside it: {@code S} as it was written, {@code c = D(last token of S, t)}. The tokens
 * of a run that read the same memory read it together, with the bits that they have alone.
 *
 * <p>The state is a part with the inputs of the convolution and the factors, and then a part for
 * each level from 1 on that the sequence has come to.
 *
 * @see <a href="https://arxiv.org/abs/2506.04761">Log-Linear Attention</a>
 */
final class LeveledMemories implements HeadMemories<RecurrentStates> {

  /** The regions of the first part. */
  private static final int FACTORS = 1;

  private final Mamba2Spec spec;
  private final LevelMemory.Shape shape;

  LeveledMemories(Mamba2Spec spec) {
    this.spec = spec;
    this.shape = new LevelMemory.Shape(spec.stateSize(), spec.headDim());
  }

  @Override
  public RecurrentStates newState(Region convolution, int limit) {
    if (limit > spec.mostTokens()) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "a sequence of %d tokens is longer than the %d that %d levels of memory hold",
              limit,
              spec.mostTokens(),
              spec.levels()));
    }
    return RecurrentStates.of(
        1,
        spec.levels(),
        part ->
            part == 0
                ? RecurrentState.of(convolution, new Region(spec.heads(), spec.levels()))
                : RecurrentState.of(new Region(spec.heads(), shape.floats())));
  }

  @Override
  public RecurrentState convolved(RecurrentStates state) {
    return state.part(0);
  }

  /** The level of the stretch that ends with the token before this one. */
  private static int ended(int token) {
    return Integer.numberOfTrailingZeros(token) + 1;
  }

  /** The length of what a memory of this level holds, and of what reads it. */
  private static int stretch(int level) {
    return 1 << (level - 1);
  }

  @Override
  public void prepare(Run<RecurrentStates> run) {
    int tokens = run.position() + run.length();
    int highest = Integer.SIZE - Integer.numberOfLeadingZeros(tokens);
    run.state().grow(Math.min(spec.levels(), highest + 1));
  }

  @Override
  public void changed(Run<RecurrentStates> run) {
    run.state().part(0).changed();
    int before = run.position();
    int after = before + run.length();
    for (int level = 1; level < run.state().count(); level++) {
      // Stretches of a level end at odd multiples of their length.
      int length = stretch(level);
      if ((after / length + 1) / 2 > (before / length + 1) / 2) {
        run.state().part(level).changed();
      }
    }
  }

  @Override
  public void advance(
      Pass pass, int worker, Run<RecurrentStates> run, int head, Tokens t, Matrix read) {
    RecurrentState first = run.state().part(0);
    first.keep(FACTORS, head);
    MemorySegment factors = first.segment();
    long factorsAt = first.at(FACTORS, head);
    int levels = spec.levels();
    float[] scratch = pass.scratch(worker, levels + run.length());
    MemorySegment.copy(factors, JAVA_FLOAT, factorsAt, scratch, 0, levels);
    var one = new Head(pass.kernels().levels(), run, head, t, read, scratch);
    one.meet();
    int end = run.position() + run.length();
    for (int token = run.position(); token < end; token++) {
      for (int level = levels - 1; level > 0; level--) {
        int length = stretch(level);
        boolean begins = token == run.position() || token % length == 0;
        if ((token & length) != 0 && begins) {
          one.read(level, token, Math.min(end, (token | (length - 1)) + 1));
        }
      }
      one.carry(token);
    }
    MemorySegment.copy(scratch, 0, factors, JAVA_FLOAT, factorsAt, levels);
  }

  /** One head of a run; the factors of its levels come first in the scratch, then weights. */
  private final class Head {

    private final LevelMemory kernel;
    private final Run<RecurrentStates> run;
    private final int head;
    private final Tokens tokens;
    private final Matrix read;
    private final float[] scratch;
    private final int key;
    private final int value;

    Head(
        LevelMemory kernel,
        Run<RecurrentStates> run,
        int head,
        Tokens tokens,
        Matrix read,
        float[] scratch) {
      this.kernel = kernel;
      this.run = run;
      this.head = head;
      this.tokens = tokens;
      this.read = read;
      this.scratch = scratch;
      this.key = spec.keyColumn(head);
      this.value = head * spec.headDim();
    }

    private int row(int token) {
      return run.from() + token - run.position();
    }

    private Rows queries(int row) {
      return Tokens.rows(tokens.mixed(), row, key + spec.shared());
    }

    /** Every token reads itself. */
    void meet() {
      int row = run.from();
      kernel.meet(
          shape,
          run.length(),
          queries(row),
          Tokens.rows(tokens.mixed(), row, key),
          Tokens.rows(tokens.values(), row, value),
          Tokens.rows(tokens.levels(), row, head * spec.levels()),
          Tokens.rows(read, row, value));
    }

    /** Tokens {@code [from, to)} read a level, which fades meanwhile. */
    void read(int level, int from, int to) {
      float factor = scratch[level];
      for (int token = from; token < to; token++) {
        int row = row(token);
        Matrix levels = tokens.levels();
        factor *= tokens.decays().data()[tokens.decays().at(row) + head];
        scratch[spec.levels() + token - from] =
            factor * levels.data()[levels.at(row) + head * spec.levels() + level];
      }
      scratch[level] = factor;
      RecurrentState memory = run.state().part(level);
      kernel.read(
          shape,
          to - from,
          queries(row(from)),
          new Rows(scratch, spec.levels(), 1),
          memory.segment(),
          memory.at(0, head),
          Tokens.rows(read, row(from), value));
    }

    /** The stretches that end with a token become one with it. */
    void carry(int token) {
      int level = ended(token + 1);
      if (level >= spec.levels()) {
        return; // Of the longest sequence, whose last token nothing follows.
      }
      RecurrentState whole = run.state().part(level);
      whole.keep(0, head);
      long at = whole.at(0, head);
      int row = row(token);
      Matrix mixed = tokens.mixed();
      Matrix values = tokens.values();
      kernel.write(
          shape,
          mixed.data(),
          mixed.at(row) + key,
          values.data(),
          values.at(row) + value,
          whole.segment(),
          at);
      for (int lower = 1; lower < level; lower++) {
        RecurrentState part = run.state().part(lower);
        kernel.merge(shape, scratch[lower], part.segment(), part.at(0, head), whole.segment(), at);
      }
      scratch[level] = 1;
    }
  }
}
