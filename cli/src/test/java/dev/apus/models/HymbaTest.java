package dev.apus.models;

import static dev.apus.models.Exact.sum;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Branch;
import dev.apus.core.model.Architecture.Layer;
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
import dev.apus.models.TinyModels.Tiny;
import java.util.Arrays;
import java.util.List;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Test;

/** A layer of Hymba, put together of its two mixers by hand. */
class HymbaTest {

  private static final RandomWeights RANDOM = new RandomWeights(7, WeightFormat.F32);
  private static final Exact EXACT = new Exact(RANDOM);
  private static final int[] TOKENS = TinyModels.tokens(30, 4);

  /** {@code y = x + W ½ (β₁ RMS(attention) + β₂ RMS(mamba))}, then the block, then the head. */
  @Test
  void theHeadsAreNormalisedAveragedAndProjectedTogether() {
    Architecture hymba = TinyModels.architecture("hymba");
    Layer layer = hymba.layers().getFirst();
    var one =
        new Architecture(
            "one layer",
            hymba.vocabulary(),
            hymba.width(),
            hymba.context(),
            hymba.embedding(),
            hymba.streams(),
            List.of(layer),
            hymba.norm(),
            hymba.head());
    int width = hymba.width();
    int meta = hymba.embedding().metaTokens();
    double[][] x = new double[meta + TOKENS.length][];
    double[][] embedding = EXACT.matrix("embedding", -1, hymba.vocabulary(), width);
    double[][] first = EXACT.matrix("meta", -1, meta, width);
    Arrays.setAll(x, i -> i < meta ? first[i] : embedding[TOKENS[i - meta]]);
    try (Tiny tiny = TinyModels.of(one, Kernels.chosen(), 2)) {
      float[][] logits = tiny.run(tiny.state(), TOKENS, 0, TOKENS.length);
      List<Branch> mixers = layer.steps().getFirst().branches();
      double[][] attention = given(tiny, mixers.get(0), x);
      double[][] mamba = given(tiny, mixers.get(1), x);
      for (int i = 0; i < TOKENS.length; i++) {
        double[] expected = end(one, x[meta + i], attention[meta + i], mamba[meta + i]);
        for (int token = 0; token < expected.length; token++) {
          assertEquals(expected[token], logits[i][token], 5e-5, "logits of token " + i);
        }
      }
    }
  }

  /** What a mixer alone gives for rows, after its norm. */
  @SuppressWarnings("unchecked")
  private static double[][] given(Tiny tiny, Branch branch, double[][] x) {
    String name = branch.wiring().name();
    String type = branch.part().type();
    MixerType mixers =
        ServiceLoader.load(MixerType.class).stream()
            .map(ServiceLoader.Provider::get)
            .filter(t -> t.name().equals(type))
            .findFirst()
            .orElseThrow();
    Weights weights = new Weights(RANDOM, Kernels.chosen(), tiny.workers(), tiny.arena());
    int inner = 48;
    Site site =
        new Site(
            x[0].length,
            inner,
            0,
            1000,
            Kernels.chosen(),
            CacheFormat.F32,
            weights.layer(0).scope(name).scope(type));
    var mixer =
        (SequenceMixer<MixerState>) mixers.build(Config.of(type, branch.part().settings()), site);
    Matrix in = Matrix.zeros(x.length, x[0].length);
    for (int row = 0; row < x.length; row++) {
      double[] normed = EXACT.rms(name + ".mixer.norm", 0, x[row]);
      for (int i = 0; i < normed.length; i++) {
        in.data()[in.at(row) + i] = (float) normed[i];
      }
    }
    Matrix out = Matrix.zeros(x.length, inner);
    try (MixerState state = mixer.newState(x.length)) {
      mixer.forward(tiny.pass(), Batch.of(state, x.length, 0), in, out);
    }
    double[][] given = new double[x.length][inner];
    for (int row = 0; row < x.length; row++) {
      for (int i = 0; i < inner; i++) {
        given[row][i] = out.data()[out.at(row) + i];
      }
      given[row] = EXACT.rms(name + ".mixer.after", 0, given[row]);
    }
    return given;
  }

  private static double[] end(Architecture one, double[] x, double[] attention, double[] mamba) {
    double[] fused = sum(attention, mamba);
    Arrays.setAll(fused, i -> fused[i] / 2);
    double[] y = sum(x, EXACT.times("linear.w", 0, one.width(), fused));
    double[] read = EXACT.rms("channel.norm", 0, y);
    double[] gate = EXACT.times("gated-mlp.gate", 0, 80, read);
    double[] up = EXACT.times("gated-mlp.up", 0, 80, read);
    Arrays.setAll(up, i -> up[i] * gate[i] / (1 + Math.exp(-gate[i])));
    double[] z = sum(y, EXACT.times("gated-mlp.down", 0, one.width(), up));
    return EXACT.times("embedding", -1, one.vocabulary(), EXACT.rms("norm", -1, z));
  }
}
