package dev.apus.testing;

import dev.apus.core.compute.Pass;
import dev.apus.core.compute.Workers;
import dev.apus.core.config.Config;
import dev.apus.core.model.Batch;
import dev.apus.core.model.MixerState;
import dev.apus.core.model.MixerType;
import dev.apus.core.model.Run;
import dev.apus.core.model.SequenceMixer;
import dev.apus.core.model.Site;
import dev.apus.core.model.Visibility;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.RandomWeights;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.core.weight.WeightSource.Key;
import dev.apus.core.weight.Weights;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.attention.CacheFormat;
import dev.apus.kernels.block.WeightFormat;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/** One mixer with random weights, what runs it, and its weights in double precision. */
public final class MixerBench<S extends MixerState> implements AutoCloseable {

  public static final int LIMIT = 200;

  private static final RandomWeights SOURCE = new RandomWeights(21, WeightFormat.F32);

  private final int inputs;
  private final int outputs;
  private final SequenceMixer<S> mixer;
  private final Workers workers;
  private final Pass pass;
  private final Arena arena = Arena.ofShared();
  private Visibility visibility;

  /** A mixer that reads rows of another width than it writes. */
  @SuppressWarnings("unchecked")
  public MixerBench(
      MixerType type,
      Map<String, ?> settings,
      int inputs,
      int outputs,
      Kernels kernels,
      CacheFormat cache,
      int threads) {
    this.inputs = inputs;
    this.outputs = outputs;
    this.workers = Workers.of(threads);
    this.pass = new Pass(workers, kernels);
    var weights = new Weights(SOURCE, kernels, workers, arena);
    Site site = new Site(inputs, outputs, 0, LIMIT, kernels, cache, weights.root());
    this.mixer = (SequenceMixer<S>) type.build(Config.of(type.name(), settings), site);
    boolean causal = mixer.visibilities().contains(Visibility.CAUSAL);
    this.visibility = causal ? Visibility.CAUSAL : Visibility.BIDIRECTIONAL;
  }

  public MixerBench(
      MixerType type,
      Map<String, ?> settings,
      int width,
      Kernels kernels,
      CacheFormat cache,
      int threads) {
    this(type, settings, width, width, kernels, cache, threads);
  }

  public MixerBench(
      MixerType type, Map<String, ?> settings, int width, Kernels kernels, int threads) {
    this(type, settings, width, kernels, CacheFormat.F32, threads);
  }

  public MixerBench(MixerType type, Map<String, ?> settings, int width) {
    this(type, settings, width, Kernels.chosen(), 2);
  }

  /** This bench, whose runs see so; without it, they are causal if the mixer can be. */
  public MixerBench<S> seeing(Visibility other) {
    visibility = other;
    return this;
  }

  public S state() {
    return state(LIMIT);
  }

  public S state(int limit) {
    return mixer.newState(limit);
  }

  /** Tells the mixer that all tokens were given. */
  public void rest(S state) {
    mixer.rest(pass, state);
  }

  public int grain() {
    return mixer.grain();
  }

  public long bytesPerToken() {
    return mixer.bytesPerToken();
  }

  public long windowBytes() {
    return mixer.windowBytes();
  }

  /** Inputs of {@code count} tokens. */
  public double[][] tokens(int count, long seed) {
    var random = new SplittableRandom(seed);
    double[][] x = new double[count][inputs];
    for (double[] row : x) {
      Arrays.setAll(row, i -> (float) random.nextGaussian());
    }
    return x;
  }

  /** What one run after {@code position} tokens gives. */
  public float[][] run(S state, double[][] x, int position) {
    return run(List.of(state), List.<double[][]>of(x), position).getFirst();
  }

  /** What several sequences of {@code position} tokens each give in one call. */
  public List<float[][]> run(List<S> states, List<double[][]> x, int position) {
    List<Run<S>> runs = new ArrayList<>();
    List<double[]> rows = new ArrayList<>();
    for (int i = 0; i < states.size(); i++) {
      int to = rows.size() + x.get(i).length;
      runs.add(new Run<>(states.get(i), rows.size(), to, position, visibility));
      rows.addAll(Arrays.asList(x.get(i)));
    }
    Matrix in = poisoned(rows.size(), inputs);
    Matrix out = poisoned(rows.size(), outputs);
    for (int row = 0; row < rows.size(); row++) {
      for (int i = 0; i < inputs; i++) {
        in.data()[in.at(row) + i] = (float) rows.get(row)[i];
      }
    }
    mixer.forward(pass, new Batch<>(runs), in, out);
    if (!Float.isNaN(out.data()[out.at(rows.size())])) {
      throw new AssertionError("wrote past the last row");
    }
    List<float[][]> results = new ArrayList<>();
    for (Run<S> run : runs) {
      float[][] y = new float[run.length()][];
      Arrays.setAll(
          y,
          i -> Arrays.copyOfRange(out.data(), out.at(run.from() + i), out.at(run.from() + i + 1)));
      results.add(y);
    }
    return results;
  }

  private static Matrix poisoned(int rows, int cols) {
    float[] data = new float[rows * cols + 3];
    Arrays.fill(data, Float.NaN);
    return new Matrix(data, rows, cols);
  }

  /** A weight matrix. */
  public static double[][] matrix(String name, int outputs, int inputs) {
    return rows(name, outputs, inputs, null);
  }

  /** A weight vector. */
  public static double[] vector(String name, int length, Typical typical) {
    return rows(name, 1, length, typical)[0];
  }

  /** A weight as rows of doubles. */
  public static double[][] rows(String name, int rows, int cols, Typical typical) {
    return rows(name, -1, rows, cols, typical);
  }

  /** A weight of expert {@code index} as rows of doubles. */
  public static double[][] rows(String name, int index, int rows, int cols, Typical typical) {
    float[] values = SOURCE.find(new Key(name, -1, index), rows, cols, typical).decode();
    double[][] result = new double[rows][cols];
    for (int row = 0; row < rows; row++) {
      for (int col = 0; col < cols; col++) {
        result[row][col] = values[row * cols + col];
      }
    }
    return result;
  }

  /** {@code W x}. */
  public static double[] times(double[][] w, double[] x) {
    double[] y = new double[w.length];
    for (int i = 0; i < w.length; i++) {
      for (int j = 0; j < x.length; j++) {
        y[i] += w[i][j] * x[j];
      }
    }
    return y;
  }

  public static double sigmoid(double x) {
    return 1 / (1 + Math.exp(-x));
  }

  @Override
  public void close() {
    workers.close();
    arena.close();
  }
}
