package dev.apus.benchmarks;

import dev.apus.core.compute.Pass;
import dev.apus.core.compute.Workers;
import dev.apus.core.config.Config;
import dev.apus.core.model.Batch;
import dev.apus.core.model.MixerState;
import dev.apus.core.model.MixerType;
import dev.apus.core.model.Run;
import dev.apus.core.model.SequenceMixer;
import dev.apus.core.model.Site;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.RandomWeights;
import dev.apus.core.weight.Weights;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.attention.CacheFormat;
import dev.apus.kernels.block.WeightFormat;
import java.lang.foreign.Arena;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.TearDown;

/**
 * A layer of attention whose queries choose the keys that they visit, for the tokens that follow a
 * context, on all processors. The rows are narrow, so that projections weigh little.
 */
public class KeySelectionBenchmark extends SeededBenchmark {

  private static final int WIDTH = 64;

  /** Tokens of a call on the way to the context. */
  private static final int STEP = 512;

  @Param({"full", "moba", "nsa"})
  String rule;

  @Param({"8192", "32768"})
  int context;

  /** Tokens of a call. */
  @Param({"1", "512"})
  int rows;

  @Param("16")
  int heads;

  @Param("1")
  int kvHeads;

  @Param("64")
  int headDim;

  private Workers workers;
  private Arena arena;
  private Pass pass;
  private SequenceMixer<MixerState> mixer;

  /** What goes through the context: keys do not depend on who visits them. */
  private SequenceMixer<MixerState> filler;

  private MixerState state;
  private MixerState.Mark mark;
  private Matrix x;
  private Matrix y;

  public KeySelectionBenchmark() {}

  @Override
  void prepare(Kernels kernels) {
    workers = Workers.of(Runtime.getRuntime().availableProcessors());
    arena = Arena.ofShared();
    pass = new Pass(workers, kernels);
    var weights = new Weights(new RandomWeights(1, WeightFormat.F32), kernels, workers, arena);
    int limit = context + STEP;
    Site site = new Site(WIDTH, 0, limit, kernels, CacheFormat.F32, weights.root());
    mixer = mixer(rule, site);
    filler = rule.equals("full") ? mixer("near", site) : mixer;
    state = mixer.newState(limit);
    for (int position = 0; position < context; position += STEP) {
      prepareRows(STEP);
      run(filler, position);
    }
    mark = state.mark(null);
    prepareRows(rows);
  }

  private void prepareRows(int count) {
    x = new Matrix(values(count * WIDTH), count, WIDTH);
    y = Matrix.zeros(count, WIDTH);
  }

  @SuppressWarnings("unchecked")
  private SequenceMixer<MixerState> mixer(String rule, Site site) {
    Map<String, Object> settings = new LinkedHashMap<>();
    settings.put("heads", heads);
    settings.put("kvHeads", kvHeads);
    settings.put("headDim", headDim);
    String type = "attention";
    switch (rule) {
      case "full" -> {}
      case "near" -> settings.put("window", 64);
      case "moba" -> settings.put("select", Map.of("kind", "moba", "block", 256, "top", 4));
      case "nsa" -> {
        type = "native-sparse-attention";
        settings.putAll(Map.of("block", 64, "top", 16, "window", 512));
      }
      default -> throw new IllegalArgumentException("rule=" + rule + " is not measured");
    }
    String name = type;
    return (SequenceMixer<MixerState>)
        ServiceLoader.load(MixerType.class).stream()
            .map(ServiceLoader.Provider::get)
            .filter(found -> found.name().equals(name))
            .findFirst()
            .orElseThrow()
            .build(Config.of("benchmark", settings), site);
  }

  private void run(SequenceMixer<MixerState> layer, int position) {
    pass.begin();
    layer.forward(pass, new Batch<>(List.of(new Run<>(state, 0, x.rows(), position))), x, y);
  }

  @TearDown(Level.Trial)
  public void close() {
    mark.close();
    state.close();
    workers.close();
    arena.close();
  }

  @Benchmark
  public float[] forward() {
    mark.rewind();
    run(mixer, context);
    return y.data();
  }
}
