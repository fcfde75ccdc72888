package dev.apus.attention.linear;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.apus.core.config.Config;
import dev.apus.core.config.ConfigException;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.testing.MixerBench;
import dev.apus.testing.MixerLaws;
import java.io.IOException;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Learned angles, as a sum over all tokens before of products that depend on the distance. */
class LearnedTurnsTest {

  private static final int WIDTH = 11;
  private static final int HEADS = 3;
  private static final int DIM = 5;

  private static final Map<String, Object> SETTINGS =
      Map.of("heads", HEADS, "keyDim", DIM, "features", Map.of("map", "lrpe"), "gate", "identity");

  private static final MixerLaws LAWS = new MixerLaws(new LinearAttention.Type(), SETTINGS, WIDTH);

  private static double[][] exact(double[][] x) {
    double[] theta = MixerBench.vector("features.theta", HEADS * DIM, new Typical(0.5f, 0.5f));
    double[][] q = ExactHeads.projected("q", HEADS * DIM, x);
    double[][] k = ExactHeads.projected("k", HEADS * DIM, x);
    double[][] v = ExactHeads.projected("v", HEADS * DIM, x);
    double[][] o = new double[x.length][HEADS * DIM];
    for (int t = 0; t < x.length; t++) {
      for (int s = 0; s <= t; s++) {
        for (int head = 0; head < HEADS; head++) {
          double weight = 0;
          for (int i = head * DIM; i < (head + 1) * DIM; i++) {
            weight += q[t][i] * k[s][i] * Math.cos((t - s) * theta[i]);
          }
          for (int j = head * DIM; j < (head + 1) * DIM; j++) {
            o[t][j] += weight * v[s][j];
          }
        }
      }
    }
    LinearSpec spec = LinearSpec.read(Config.of("exact", SETTINGS), MixerBench.LIMIT);
    return ExactHeads.readOut(spec.readout(), DIM, o, x);
  }

  @Test
  void productsDependOnTheDistance() {
    try (var bench = new MixerBench<>(new LinearAttention.Type(), SETTINGS, WIDTH)) {
      double[][] x = bench.tokens(41, 5);
      LAWS.aSequenceIs(exact(x), x, 1e-4);
    }
  }

  @Test
  void theLawsOfMixersHold() throws IOException {
    LAWS.hold();
  }

  @Test
  void headsOfQueriesAndKeysHaveTheSameAngles() {
    Config config =
        Config.of(
            "layer 0",
            Map.of("heads", 4, "kvHeads", 2, "keyDim", 5, "features", Map.of("map", "lrpe")));
    var e = assertThrows(ConfigException.class, () -> LinearSpec.read(config, 100));
    assertEquals(
        "layer 0: tied=true needs as many heads of keys as of queries, found kvHeads=2 for heads=4",
        e.getMessage());
  }
}
