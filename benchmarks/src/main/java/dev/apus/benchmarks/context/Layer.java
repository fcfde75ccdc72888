package dev.apus.benchmarks.context;

import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.Batch;
import dev.apus.core.model.MixerState;
import dev.apus.core.model.MixerType;
import dev.apus.core.model.Part;
import dev.apus.core.model.SequenceMixer;
import dev.apus.core.model.Site;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.RandomWeights;
import dev.apus.core.weight.WeightScope;
import dev.apus.core.weight.Weights;
import dev.apus.kernels.attention.CacheFormat;
import dev.apus.kernels.block.WeightFormat;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.ServiceLoader;
import java.util.SplittableRandom;

/** One layer, or the layers of a hybrid, and a text of random rows that it reads ever more of. */
final class Layer implements AutoCloseable {

  static final int WIDTH = 512;

  /** Rows of a block of a prompt; texts are read in such blocks. */
  static final int BLOCK = 512;

  /** Tokens that are read one after another to be timed, and then forgotten. */
  private static final int TOKENS = 16;

  /**
   * What one mixer has read.
   *
   * @param filler writes the same state as the mixer, and attends to less
   */
  private record Reader<S extends MixerState>(
      SequenceMixer<S> mixer, SequenceMixer<S> filler, S state) {

    void read(Pass pass, boolean fills, int position, Matrix x, Matrix y) {
      (fills ? filler : mixer).forward(pass, Batch.of(state, x.rows(), position), x, y);
    }
  }

  private final LayerKind kind;
  private final Pass pass;
  private final Arena arena = Arena.ofShared();
  private final List<Reader<MixerState>> readers = new ArrayList<>();
  private final SplittableRandom random = new SplittableRandom(1);
  private final List<Long> tokenTimes = new ArrayList<>();
  private final List<Long> blockTimes = new ArrayList<>();
  private int length;
  private long stateBytes;

  /**
   * @param longest the longest context after which anything is measured
   */
  Layer(LayerKind kind, int longest, Pass pass) {
    this.kind = kind;
    this.pass = pass;
    int limit = longest + BLOCK;
    var source = new RandomWeights(1, WeightFormat.BF16);
    var weights = new Weights(source, pass.kernels(), pass.workers(), arena).root();
    for (Part part : kind.mixers()) {
      SequenceMixer<MixerState> mixer = build(part, limit, weights);
      Part filler = LayerKind.filler(part);
      readers.add(
          new Reader<>(
              mixer,
              filler.equals(part) ? mixer : build(filler, limit, weights),
              mixer.newState(limit)));
    }
  }

  @SuppressWarnings("unchecked")
  private SequenceMixer<MixerState> build(Part part, int limit, WeightScope weights) {
    var site = new Site(WIDTH, 0, limit, pass.kernels(), CacheFormat.F32, weights);
    MixerType type =
        ServiceLoader.load(MixerType.class).stream()
            .map(ServiceLoader.Provider::get)
            .filter(found -> found.name().equals(part.type()))
            .findFirst()
            .orElseThrow(() -> new IllegalStateException(part.type() + " is not on the path"));
    return (SequenceMixer<MixerState>) type.build(Config.of(kind.title(), part.settings()), site);
  }

  LayerKind kind() {
    return kind;
  }

  /** Reads on until the text is so long. */
  void advance(int until) {
    tokenTimes.clear();
    blockTimes.clear();
    while (length < until) {
      Matrix x = rows(Math.min(BLOCK, until - length));
      read(true, length, x);
      length += x.rows();
      stateBytes = readers.stream().mapToLong(reader -> reader.state.bytes()).sum();
    }
  }

  private Matrix rows(int count) {
    float spread = (float) Math.sqrt(12);
    Matrix x = Matrix.zeros(count, WIDTH);
    for (int i = 0; i < x.data().length; i++) {
      x.data()[i] = spread * ((random.nextInt(1 << 20) + 0.5f) / (1 << 20) - 0.5f);
    }
    return x;
  }

  /** Reads rows and returns how long that took. */
  private long read(boolean fills, int position, Matrix x) {
    Matrix y = Matrix.zeros(x.rows(), WIDTH);
    long start = System.nanoTime();
    for (Reader<MixerState> reader : readers) {
      pass.begin();
      reader.read(pass, fills, position, x, y);
    }
    return System.nanoTime() - start;
  }

  /** Times tokens, and perhaps blocks, for about so long without remembering the times. */
  void warmUp(long nanos, boolean blocks) {
    measureTokens(nanos);
    if (blocks) {
      measureBlocks(nanos);
    }
    tokenTimes.clear();
    blockTimes.clear();
  }

  /** Times single tokens after the text for about so long; the text stays as long as it is. */
  void measureTokens(long nanos) {
    measure(nanos, tokenTimes, 1, TOKENS);
  }

  /** Times blocks of a prompt after the text. */
  void measureBlocks(long nanos) {
    measure(nanos, blockTimes, BLOCK, 1);
  }

  private void measure(long nanos, List<Long> times, int rows, int count) {
    long end = System.nanoTime() + nanos;
    List<MixerState.Mark> marks = new ArrayList<>();
    do {
      readers.forEach(reader -> marks.add(reader.state.mark(null)));
      for (int i = 0; i < count; i++) {
        Matrix x = rows(rows);
        long time = read(false, length + i * rows, x);
        // The first token after a mark also keeps what the mark remembers.
        if (i > 0 || count == 1) {
          times.add(time / rows);
        }
      }
      marks.forEach(MixerState.Mark::rewind);
      marks.forEach(MixerState.Mark::close);
      marks.clear();
    } while (System.nanoTime() < end);
  }

  /** The middle of the times of a token since the text became longer. */
  double tokenNanos() {
    return median(tokenTimes);
  }

  /** The middle of the times of a block, for each of its rows. */
  double blockRowNanos() {
    return median(blockTimes);
  }

  private double median(List<Long> times) {
    return times.stream().sorted().skip(times.size() / 2).findFirst().orElseThrow()
        / (double) readers.size();
  }

  /** Memory that the text's state took before any token was timed, which may make it larger. */
  long stateBytes() {
    return stateBytes / readers.size();
  }

  @Override
  public void close() {
    readers.forEach(reader -> reader.state.close());
    arena.close();
  }
}
