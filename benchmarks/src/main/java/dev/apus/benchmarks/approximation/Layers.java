package dev.apus.benchmarks.approximation;

import dev.apus.core.compute.Pass;
import dev.apus.core.compute.Workers;
import dev.apus.core.config.Config;
import dev.apus.core.model.Batch;
import dev.apus.core.model.MixerState;
import dev.apus.core.model.MixerType;
import dev.apus.core.model.SequenceMixer;
import dev.apus.core.model.Site;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.RandomWeights;
import dev.apus.core.weight.Weights;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.attention.CacheFormat;
import dev.apus.kernels.block.WeightFormat;
import java.lang.foreign.Arena;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.SplittableRandom;

/** Layers of the same random weights that read the same random tokens. */
final class Layers implements AutoCloseable {

  static final int HEADS = 2;
  static final int HEAD_DIM = 64;
  static final int TOKENS = 256;

  private static final int WIDTH = HEADS * HEAD_DIM;

  private final Workers workers;
  private final Arena arena = Arena.ofShared();
  private final Kernels kernels = Kernels.chosen();
  private final Pass pass;
  private final Weights weights;
  private final Matrix x = Matrix.zeros(TOKENS, WIDTH);

  Layers(int threads) {
    workers = Workers.of(threads);
    pass = new Pass(workers, kernels);
    weights = new Weights(new RandomWeights(1, WeightFormat.F32), kernels, workers, arena);
    var random = new SplittableRandom(1);
    float spread = (float) Math.sqrt(3);
    for (int i = 0; i < x.data().length; i++) {
      x.data()[i] = spread * (2 * random.nextInt(1 << 20) + 1 - (1 << 20)) / (1 << 20);
    }
  }

  /**
   * The length of the difference between an estimate and what it estimates, over the length of
   * that, all tokens together; the root of the mean square over seeds 0, 1, ….
   */
  double error(Estimate estimate, int features, int seeds) {
    Matrix exact = run("attention", estimate.exact(HEADS, HEAD_DIM));
    double error = 0;
    double all = 0;
    for (int seed = 0; seed < seeds; seed++) {
      Map<String, Object> settings = estimate.estimated(HEADS, HEAD_DIM, features, seed);
      Matrix estimated = run("linear-attention", settings);
      for (int i = 0; i < exact.data().length; i++) {
        double difference = estimated.data()[i] - exact.data()[i];
        error += difference * difference;
        all += (double) exact.data()[i] * exact.data()[i];
      }
    }
    return Math.sqrt(error / all);
  }

  private Matrix run(String type, Map<String, Object> settings) {
    var site = new Site(WIDTH, 0, TOKENS, kernels, CacheFormat.F32, weights.root());
    return run(type(type).build(Config.of(type, settings), site));
  }

  private <S extends MixerState> Matrix run(SequenceMixer<S> mixer) {
    Matrix y = Matrix.zeros(TOKENS, WIDTH);
    try (S state = mixer.newState(TOKENS)) {
      mixer.forward(pass, Batch.of(state, TOKENS, 0), x, y);
    }
    return y;
  }

  private static MixerType type(String name) {
    return ServiceLoader.load(MixerType.class).stream()
        .map(ServiceLoader.Provider::get)
        .filter(type -> type.name().equals(name))
        .findFirst()
        .orElseThrow();
  }

  @Override
  public void close() {
    workers.close();
    arena.close();
  }
}
