package dev.apus.core.compute;

import dev.apus.core.tensor.Matrix;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.activation.Activation;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * What a forward pass works with besides weights and states: threads, kernels, and scratch memory
 * that is used again by the next pass. A pass belongs to one caller at a time.
 *
 * <p>Scratch comes in frames:
 *
 * <pre>{@code
 * try (Pass.Frame frame = pass.frame()) {
 *   Matrix q = frame.matrix(rows, heads * headDim);   // holds anything until it is written
 *   …
 * }                                                   // q must not be used from here on
 * }</pre>
 */
public final class Pass {

  /** Handing a part to another thread costs about as much as computing this many values. */
  private static final int SHARED_VALUES = 8192;

  /** Or as making this many multiply-adds. */
  private static final long SHARED_COST = 1 << 16;

  /**
   * The last parts of a job are not shorter, if it is long enough: two panels of a narrow matrix,
   * which a thread reads in some microseconds.
   */
  private static final long SHORT_COST = 1 << 18;

  /** The last parts of a job are not shorter than it by more than this for each thread. */
  private static final int FINEST = 16;

  /** Parts of rows for each thread, so that whoever is late holds up only a small part. */
  private static final int FINE = 4;

  private static final int ACTIVATION_COST = 8;

  /** Of vectors and lines of a cache. */
  private static final long MEMORY_ALIGNMENT = 64;

  private final Workers workers;
  private final Kernels kernels;
  private final float[][] scratch;
  private final MemorySegment[] memory;

  /** Arrays of each {@link ScratchSize}; the one that was used last comes last. */
  private final List<List<float[]>> free = new ArrayList<>();

  private final Map<Object, Object> made = new HashMap<>();
  private final SharedInputs rounded = new SharedInputs();
  private int[] tokens;

  private RowRoutes routes;

  public Pass(Workers workers, Kernels kernels) {
    this.workers = workers;
    this.kernels = kernels;
    this.scratch = new float[workers.threads()][0];
    this.memory = new MemorySegment[workers.threads()];
    for (int size = 0; size < ScratchSize.COUNT; size++) {
      free.add(new ArrayList<>());
    }
  }

  public Workers workers() {
    return workers;
  }

  public Kernels kernels() {
    return kernels;
  }

  /** Who is to be told where rows go, or null. */
  public RowRoutes routes() {
    return routes;
  }

  public void tellRoutes(RowRoutes listener) {
    routes = listener;
  }

  /** A new frame of scratch matrices. */
  public Frame frame() {
    return new Frame();
  }

  /**
   * At least {@code floats} values for one worker's kernel calls, good until that worker asks
   * again.
   */
  public float[] scratch(int worker, int floats) {
    if (scratch[worker].length < floats) {
      scratch[worker] = new float[floats];
    }
    return scratch[worker];
  }

  /**
   * At least so many bytes outside the heap, for what one worker's kernels read as they read state;
   * good until that worker asks again.
   */
  public MemorySegment memory(int worker, long bytes) {
    if (memory[worker] == null || memory[worker].byteSize() < bytes) {
      memory[worker] = Arena.ofAuto().allocate(bytes, MEMORY_ALIGNMENT);
    }
    return memory[worker];
  }

  /**
   * What the key stands for: made by the first layer that asks, and the same for those after it.
   *
   * @param key equal for equal things, whoever makes them
   */
  @SuppressWarnings("unchecked")
  public <T> T once(Object key, Supplier<T> maker) {
    Object known = made.get(key);
    if (known == null) {
      known = maker.get();
      made.put(key, known);
    }
    return (T) known;
  }

  /** Lets go of what the layers shared, because other rows come, which are no tokens. */
  public void begin() {
    begin(null);
  }

  /**
   * The same for the rows of tokens.
   *
   * @param tokens the number of each row's token
   */
  public void begin(int[] tokens) {
    made.clear();
    this.tokens = tokens;
  }

  /**
   * The number of each row's token.
   *
   * @throws IllegalStateException if the rows are no tokens, such as those before every text
   */
  public int[] tokens() {
    if (tokens == null) {
      throw new IllegalStateException(
          "a part asks for the numbers of the tokens, and these rows are none");
    }
    return tokens;
  }

  /**
   * Shares rows out to the workers, or does them here if there is too little work to be worth it.
   *
   * @param valuesPerRow about how many values are computed for a row
   */
  public void eachRow(int rows, int valuesPerRow, Divisible.RangeWork work) {
    long values = (long) rows * valuesPerRow;
    int parts =
        (int) Math.min(Math.min(rows, (long) FINE * workers.threads()), values / SHARED_VALUES);
    if (parts < 2) {
      work.run(0, rows, 0);
      return;
    }
    workers.run(
        parts,
        (part, worker) ->
            work.run(
                Workers.rangeStart(rows, parts, part),
                Workers.rangeStart(rows, parts, part + 1),
                worker));
  }

  /** About what a function of a value costs, as {@link Divisible} counts it. */
  public static int cost(Activation f) {
    return f == Activation.IDENTITY ? 0 : ACTIVATION_COST;
  }

  /** Activates columns {@code [from, to)} of all rows, on the thread that calls it. */
  public void activate(Activation f, Matrix x, int from, int to) {
    for (int row = 0; row < x.rows() && f != Activation.IDENTITY; row++) {
      kernels.activations().apply(f, x.data(), x.at(row) + from, to - from);
    }
  }

  /**
   * Shares units out that cost about the same, and enough for threads to take turns: stretches of
   * units next to each other, the last ones single units.
   */
  public void eachUnit(int units, Divisible.RangeWork work) {
    if (units == 0) {
      return;
    }
    long[] starts = stretches(units, 1);
    workers.run(
        starts.length - 1,
        (part, worker) -> work.run((int) starts[part], (int) starts[part + 1], worker));
  }

  /**
   * Does all of this as one job. Its parts are stretches of the whole cost, whatever they come
   * from: many small works share out as evenly as a large one, and wait for each other once. Inputs
   * that they read rounded are rounded before, once.
   */
  public void run(Divisible... works) {
    try {
      Divisible[] rounding = rounded.of(works);
      if (rounding.length > 0) {
        share(rounding);
      }
      share(works);
    } finally {
      rounded.forget();
    }
  }

  /**
   * The rows as the job that runs has rounded them.
   *
   * @return where in {@link #roundedInputs} they begin; below zero if it has not
   */
  public int roundedAt(RoundedRows rows) {
    return rounded.place(rows);
  }

  /** What the job that runs has rounded. */
  public float[] roundedInputs() {
    return rounded.values();
  }

  private void share(Divisible... works) {
    long total = 0;
    long groups = 0;
    for (Divisible work : works) {
      total = Math.addExact(total, work.total());
      groups += work.groups();
    }
    long[] starts = starts(total, groups);
    workers.run(
        starts.length - 1,
        (part, worker) -> runPart(works, starts[part], starts[part + 1], worker));
  }

  /**
   * Where the parts of a job begin, and where the last one ends. Each part is a share of what is
   * left: long streams to begin with, and short ones when there is little to wait for.
   */
  private long[] starts(long cost, long groups) {
    if (groups < 2 || cost < 2 * SHARED_COST) {
      return new long[] {0, cost};
    }
    int threads = workers.threads();
    long least = Math.max(Math.min(SHORT_COST, cost / threads), cost / ((long) FINEST * threads));
    least = Math.max(least, Math.max(SHARED_COST, cost / groups));
    return stretches(cost, least);
  }

  /** Shares of what is left, of a least size; for a single thread there is one. */
  private long[] stretches(long total, long least) {
    int threads = workers.threads();
    if (threads == 1) {
      return new long[] {0, total};
    }
    long[] starts = new long[2 + (int) (total / least)];
    int parts = 0;
    for (long at = 0; at < total; parts++) {
      long left = total - at;
      long share = Math.max(least, left / (2L * threads));
      at = left - share < least / 2 ? total : at + share;
      starts[parts + 1] = at;
    }
    return Arrays.copyOf(starts, parts + 1);
  }

  private static void runPart(Divisible[] works, long start, long end, int worker) {
    long from = start;
    long to = end;
    for (Divisible work : works) {
      int first = work.unitAt(from);
      int last = work.unitAt(to);
      if (first < last) {
        work.work().run(first, last, worker);
      }
      from -= work.total();
      to -= work.total();
    }
  }

  /**
   * An array of a size, or of up to twice as much if it is there. A new one takes the place of one
   * that was a little too small, so that texts of many lengths do not leave as many arrays behind.
   */
  private float[] take(int size) {
    float[] ready = first(size, Math.min(ScratchSize.COUNT, size + ScratchSize.STEPS), 1);
    if (ready != null) {
      return ready;
    }
    first(size - 1, Math.max(-1, size - ScratchSize.STEPS), -1);
    return new float[ScratchSize.floats(size)];
  }

  /** Takes an array of the first of these sizes that has one; null if none has. */
  private float[] first(int from, int to, int step) {
    for (int size = from; size != to; size += step) {
      if (!free.get(size).isEmpty()) {
        return free.get(size).removeLast();
      }
    }
    return null;
  }

  /** Matrices that live until the frame is closed. */
  public final class Frame implements AutoCloseable {

    private final List<float[]> taken = new ArrayList<>();

    private Frame() {}

    /** A matrix whose values are whatever was there before. */
    public Matrix matrix(int rows, int cols) {
      return new Matrix(floats(Math.multiplyExact(rows, cols)), rows, cols);
    }

    /** At least {@code count} values. */
    public float[] floats(int count) {
      float[] array = take(ScratchSize.of(count));
      assert poisoned(array);
      taken.add(array);
      return array;
    }

    /** Where assertions are on, makes whoever reads before writing compute NaN. */
    private static boolean poisoned(float[] array) {
      Arrays.fill(array, Float.NaN);
      return true;
    }

    @Override
    public void close() {
      while (!taken.isEmpty()) {
        float[] array = taken.removeLast();
        free.get(ScratchSize.of(array.length)).add(array);
      }
    }
  }
}
