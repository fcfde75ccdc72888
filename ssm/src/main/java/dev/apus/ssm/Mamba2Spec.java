package dev.apus.ssm;

import dev.apus.core.config.Config;
import dev.apus.core.model.Mlp;
import dev.apus.core.model.NormSpec;
import dev.apus.kernels.activation.Activation;
import dev.apus.kernels.memory.MatrixMemory;
import java.util.List;

/**
 * The settings of a Mamba-2 layer.
 *
 * @param heads how many memories there are
 * @param headDim values of a head
 * @param groups how many pairs of B and C there are, each shared by {@code heads / groups} heads
 * @param stateSize values of B and of C
 * @param taps length of the short convolution
 * @param levels how many levels a head keeps of its past, the token itself among them; 0 for one
 *     memory into which all of it goes
 * @param activation of what comes out of the convolution
 * @param biased whether what is projected from the input has biases
 * @param projected whether there is a projection of the output
 * @param leastStep the least step; 0 for no limit
 * @param mostStep the greatest step; infinite for no limit
 * @param scales factors on z, x, B, C and dt
 * @param norm of the output, or null
 * @param normByGroup whether each group of heads has a mean of its own; otherwise the row has one
 * @param normAfterGate whether the gate comes before the norm
 */
record Mamba2Spec(
    int heads,
    int headDim,
    int groups,
    int stateSize,
    int taps,
    int levels,
    Activation activation,
    boolean biased,
    boolean outBiased,
    boolean convBiased,
    boolean projected,
    float leastStep,
    float mostStep,
    Scales scales,
    NormSpec norm,
    boolean normByGroup,
    boolean normAfterGate) {

  /** Numbers of tokens are ints. */
  private static final int MOST_LEVELS = 31;

  /** Factors on the projections of the input. */
  record Scales(float z, float x, float b, float c, float dt) {

    static final Scales ONE = new Scales(1, 1, 1, 1, 1);

    static Scales read(Config config) {
      if (!config.has("scales")) {
        return ONE;
      }
      List<Double> s = config.numbers("scales");
      if (s.size() != 5 || !s.stream().allMatch(scale -> Float.isFinite(scale.floatValue()))) {
        throw config.errorAt(
            "scales", "scales=%s must be five numbers, for z, x, B, C and dt in this order", s);
      }
      return new Scales(
          s.get(0).floatValue(),
          s.get(1).floatValue(),
          s.get(2).floatValue(),
          s.get(3).floatValue(),
          s.get(4).floatValue());
    }
  }

  static Mamba2Spec read(Config c) {
    int heads = c.positive("heads");
    int groups = c.positive("groups", 1);
    if (heads % groups != 0) {
      throw c.error("heads=%d is not divisible by groups=%d", heads, groups);
    }
    Config norm = c.has("norm") ? c.section("norm") : null;
    float least = c.real("leastStep", 0);
    float most = c.real("mostStep", Float.POSITIVE_INFINITY);
    if (least < 0 || most < least) {
      throw c.error("leastStep=%s and mostStep=%s hold no step above 0", least, most);
    }
    var spec =
        new Mamba2Spec(
            heads,
            c.positive("headDim"),
            groups,
            c.positive("stateSize"),
            c.positive("taps"),
            c.count("levels", 0),
            Mlp.activation(c),
            c.flag("biased", false),
            c.flag("outBiased", false),
            c.flag("convBiased", false),
            c.flag("projected", true),
            least,
            most,
            Scales.read(c),
            norm == null ? null : NormSpec.read(norm),
            norm != null && norm.choice("over", "row", "row", "group").equals("group"),
            norm == null || norm.flag("afterGate", true));
    spec.check(c);
    return spec;
  }

  /** Rows and what a sequence remembers must fit into arrays. */
  private void check(Config c) {
    double values = (double) heads * headDim;
    double channels = values + 2.0 * groups * stateSize;
    if (channels * taps > Integer.MAX_VALUE) {
      throw c.error(
          "taps=%d of heads=%d of headDim=%d and groups=%d of stateSize=%d are more than 2^31 − 1"
              + " values",
          taps, heads, headDim, groups, stateSize);
    }
    if (levels == 1 || levels > MOST_LEVELS) {
      throw c.errorAt("levels", "levels=%d must be 0, or from 2 to %d", levels, MOST_LEVELS);
    }
    if ((double) heads * levels > Integer.MAX_VALUE) {
      throw c.error("heads=%d of levels=%d are more than 2^31 − 1 values", heads, levels);
    }
    if (values * stateSize > Integer.MAX_VALUE) {
      throw c.error(
          "heads=%d of stateSize=%d by headDim=%d are more than 2^31 − 1 values",
          heads, stateSize, headDim);
    }
  }

  /** The longest sequence that its levels hold. */
  int mostTokens() {
    return 1 << (levels - 1);
  }

  /** Where the B of a head begins in what the convolution goes over; its C comes later. */
  int keyColumn(int head) {
    return inner() + head / (heads / groups) * stateSize;
  }

  /** Values of all heads. */
  int inner() {
    return heads * headDim;
  }

  /** Values of B of all groups, and of C. */
  int shared() {
    return groups * stateSize;
  }

  /** What the convolution goes over: x, B and C. */
  int channels() {
    return inner() + 2 * shared();
  }

  MatrixMemory.Shape memory() {
    return new MatrixMemory.Shape(
        stateSize, headDim, MatrixMemory.Decay.SCALAR, MatrixMemory.Write.ADD);
  }
}
