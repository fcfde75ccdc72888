package dev.apus.benchmarks;

import dev.apus.core.compute.Pass;
import dev.apus.core.compute.Workers;
import dev.apus.core.config.Config;
import dev.apus.core.model.ChannelMixer;
import dev.apus.core.model.ChannelType;
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
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.TearDown;

/**
 * A layer of many small experts, in the shape of OLMoE, for one token and for a prompt, on all
 * processors.
 */
public class MixtureOfExpertsBenchmark extends SeededBenchmark {

  @Param("Q8_0")
  WeightFormat format;

  @Param("64")
  int experts;

  @Param("8")
  int top;

  @Param("2048")
  int width;

  @Param("1024")
  int inner;

  @Param({"1", "512"})
  int tokens;

  private Workers workers;
  private Arena arena;
  private Pass pass;
  private ChannelMixer mixture;
  private Matrix x;
  private Matrix y;

  public MixtureOfExpertsBenchmark() {}

  @Override
  void prepare(Kernels kernels) {
    workers = Workers.of(Runtime.getRuntime().availableProcessors());
    arena = Arena.ofShared();
    pass = new Pass(workers, kernels);
    var weights = new Weights(new RandomWeights(1, format), kernels, workers, arena);
    var settings = Map.<String, Object>of("experts", experts, "top", top, "inner", inner);
    Site site = new Site(width, 0, tokens, kernels, CacheFormat.F32, weights.root());
    mixture = type("moe").build(Config.of("benchmark", settings), site);
    x = new Matrix(values(tokens * width), tokens, width);
    y = Matrix.zeros(tokens, width);
  }

  private static ChannelType type(String name) {
    return ServiceLoader.load(ChannelType.class).stream()
        .map(ServiceLoader.Provider::get)
        .filter(type -> type.name().equals(name))
        .findFirst()
        .orElseThrow();
  }

  @TearDown(Level.Trial)
  public void close() {
    workers.close();
    arena.close();
  }

  @Benchmark
  public float[] forward() {
    mixture.forward(pass, x, y);
    return y.data();
  }
}
