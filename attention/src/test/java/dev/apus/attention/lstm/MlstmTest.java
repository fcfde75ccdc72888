package dev.apus.attention.lstm;

import static dev.apus.testing.MixerBench.matrix;
import static dev.apus.testing.MixerBench.sigmoid;
import static dev.apus.testing.MixerBench.times;
import static dev.apus.testing.MixerBench.vector;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.apus.core.config.ConfigException;
import dev.apus.core.model.MixerType;
import dev.apus.core.model.NormSpec;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.testing.MixerBench;
import dev.apus.testing.MixerLaws;
import java.io.IOException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Both layers of mLSTM against the definition of their cell, and the laws of their states. */
class MlstmTest {

  private static final int WIDTH = 11;
  private static final int TOKENS = 41;
  private static final double EPSILON = 1e-5;

  /**
   * A layer, and the inputs of its cell.
   *
   * @param blockSize of the block's projections; 0 for the layer without an up-projection
   */
  record Layer(MatrixCell cell, int blockSize, int taps, boolean projected) {

    MixerType type() {
      return blockSize == 0 ? new Mlstm.Type() : new MlstmBlock.Type();
    }

    int inner() {
      return cell.heads() * cell.valueDim();
    }

    Map<String, Object> settings() {
      Map<String, Object> settings = new LinkedHashMap<>();
      settings.put("heads", cell.heads());
      settings.put("cap", cell.cap());
      settings.put("epsilon", cell.epsilon());
      settings.put("norm", NormSpec.layer(EPSILON, false).toMap());
      if (blockSize == 0) {
        settings.put("keyDim", cell.keyDim());
        settings.put("valueDim", cell.valueDim());
        settings.put("projected", projected);
      } else {
        settings.put("inner", inner());
        settings.put("blockSize", blockSize);
        settings.put("taps", taps);
      }
      return settings;
    }

    MixerLaws laws() {
      return new MixerLaws(type(), settings(), WIDTH);
    }
  }

  static Stream<Layer> layers() {
    return Stream.of(
        new Layer(new MatrixCell(2, 6, 12, 15, 1e-6f), 0, 0, true),
        new Layer(new MatrixCell(3, 5, 7, 0, 1e-2f), 0, 0, true),
        new Layer(new MatrixCell(1, 33, WIDTH, 0.5f, 1e-6f), 0, 0, false),
        new Layer(new MatrixCell(2, 12, 12, 0, 1e-6f), 4, 4, true),
        new Layer(new MatrixCell(3, 5, 5, 2, 1e-3f), 3, 2, true));
  }

  private static double[][] exact(Layer layer, double[][] x) {
    return layer.blockSize == 0 ? plain(layer, x) : block(layer, x);
  }

  private static double[][] each(double[][] x, String name, int outputs, boolean biased) {
    double[][] y = new double[x.length][];
    Arrays.setAll(
        y,
        t ->
            biased
                ? ExactLstm.biased(name, outputs, x[t])
                : times(matrix(name, outputs, x[t].length), x[t]));
    return y;
  }

  private static double[][] plain(Layer layer, double[][] x) {
    MatrixCell cell = layer.cell;
    int keys = cell.heads() * cell.keyDim();
    var inputs =
        new ExactLstm.Inputs(
            each(x, "q", keys, false),
            each(x, "k", keys, false),
            each(x, "v", layer.inner(), false),
            each(x, "i", cell.heads(), true),
            each(x, "f", cell.heads(), true));
    double[][] h = ExactLstm.cell(cell, inputs);
    double[][] y = new double[x.length][];
    for (int t = 0; t < x.length; t++) {
      double[] o = ExactLstm.normed(h[t], cell.heads(), EPSILON);
      double[] gate = times(matrix("gate", o.length, WIDTH), x[t]);
      Arrays.setAll(o, c -> o[c] * sigmoid(gate[c]));
      y[t] = layer.projected ? times(matrix("o", WIDTH, o.length), o) : o;
    }
    return y;
  }

  private static double[][] block(Layer layer, double[][] x) {
    MatrixCell cell = layer.cell;
    int inner = layer.inner();
    double[][] u = each(x, "x", inner, false);
    double[][] c = new double[x.length][];
    Arrays.setAll(c, t -> ExactLstm.convolved(u, t, layer.taps));
    double[][][] qkv = new double[3][x.length][];
    double[][] joined = new double[x.length][3 * inner];
    for (int part = 0; part < 3; part++) {
      String name = "qkv".substring(part, part + 1);
      for (int t = 0; t < x.length; t++) {
        qkv[part][t] = ExactLstm.blocks(name, layer.blockSize, part < 2 ? c[t] : u[t]);
        System.arraycopy(qkv[part][t], 0, joined[t], part * inner, inner);
      }
    }
    var inputs =
        new ExactLstm.Inputs(
            qkv[0],
            qkv[1],
            qkv[2],
            each(joined, "i", cell.heads(), true),
            each(joined, "f", cell.heads(), true));
    double[][] h = ExactLstm.cell(cell, inputs);
    double[] skip = vector("skip", inner, Typical.NORM);
    double[][] y = new double[x.length][];
    for (int t = 0; t < x.length; t++) {
      double[] o = ExactLstm.normed(h[t], cell.heads(), EPSILON);
      double[] z = times(matrix("gate", inner, WIDTH), x[t]);
      double[] skipped = c[t];
      Arrays.setAll(o, i -> (o[i] + skip[i] * skipped[i]) * z[i] * sigmoid(z[i]));
      y[t] = times(matrix("o", WIDTH, inner), o);
    }
    return y;
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("layers")
  void aSequenceIsWhatTheDefinitionSays(Layer layer) {
    try (var bench = new MixerBench<>(layer.type(), layer.settings(), WIDTH)) {
      double[][] x = bench.tokens(TOKENS, 5);
      layer.laws().aSequenceIs(exact(layer, x), x, 2e-5);
    }
  }

  /** Input gates up to e²⁰⁰ would overflow, and forget gates down to e⁻²⁰⁰ be lost. */
  @Test
  void gatesOfAnySizeAreStable() {
    Layer layer = new Layer(new MatrixCell(2, 6, 12, 0, 1e-6f), 0, 0, true);
    try (var bench = new MixerBench<>(layer.type(), layer.settings(), WIDTH)) {
      double[][] x = bench.tokens(TOKENS, 5);
      for (double[] row : x) {
        Arrays.setAll(row, i -> (float) (100 * row[i]));
      }
      double[][] expected = exact(layer, x);
      layer.laws().aSequenceIs(expected, x, 2e-4);
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("layers")
  void theLawsOfMixersHold(Layer layer) throws IOException {
    layer.laws().hold();
  }

  @Test
  void settingsThatCannotRunAreRefused() {
    Layer plain = new Layer(new MatrixCell(2, 6, 12, -1, 1e-6f), 0, 0, true);
    assertRefused(plain, "mlstm: cap=-1.0 must not be negative; 0 is none");
    Layer uneven = new Layer(new MatrixCell(2, 6, 6, 0, 1e-6f), 5, 4, true);
    assertRefused(uneven, "mlstm-block: inner=12 is not divisible by blockSize=5");
    Layer narrow = new Layer(new MatrixCell(2, 6, 12, 0, 1e-6f), 0, 0, false);
    assertRefused(
        narrow, "layer 0: projected=false gives rows of 24 values, needed are rows of 11");
  }

  private static void assertRefused(Layer layer, String message) {
    var e =
        assertThrows(
            ConfigException.class,
            () -> new MixerBench<>(layer.type(), layer.settings(), WIDTH).close());
    assertEquals(message, e.getMessage());
  }
}
