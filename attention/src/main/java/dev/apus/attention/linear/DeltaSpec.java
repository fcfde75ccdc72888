package dev.apus.attention.linear;

import dev.apus.core.config.Config;
import dev.apus.kernels.activation.Activation;
import dev.apus.kernels.memory.MatrixMemory;
import dev.apus.kernels.memory.MatrixMemory.Decay;
import dev.apus.kernels.memory.MatrixMemory.Write;

/**
 * The settings of a {@link GatedDeltaNet}.
 *
 * @param keyHeads heads of queries and keys
 * @param turns whether value heads share queries and keys in turn, not as neighbours
 * @param steps how often a token writes
 * @param taps length of the short convolution; 0 for none
 * @param decay for a head, for each of its keys, or none
 * @param decayLatent values that the decays come out of; 0 for those of the row itself
 * @param decayBound the logarithm of the least decay; 0 for none
 * @param feedback whether a token corrects what the memory gave before it decayed, for a key of its
 *     own
 * @param innerDecay whether that key is shrunk before it is brought to unit length
 * @param correction whether a share of that key is taken from the query
 * @param channelGates whether erasing has a strength for each key, and writing one for each value,
 *     in place of one for both
 * @param beta whether each token has a strength of its own; otherwise it is 1
 * @param betaScale 2 where the memory may have negative eigenvalues, otherwise 1
 * @param gate the function of the output gate; null for none
 * @param gateLatent values that the output gate comes out of; 0 for those of the row itself
 * @param gateBiased whether the output gate has a bias
 */
record DeltaSpec(
    int keyHeads,
    int valueHeads,
    boolean turns,
    int keyDim,
    int valueDim,
    int steps,
    int taps,
    Decay decay,
    int decayLatent,
    float decayBound,
    boolean feedback,
    boolean innerDecay,
    boolean correction,
    boolean channelGates,
    boolean beta,
    float betaScale,
    Activation gate,
    int gateLatent,
    boolean gateBiased,
    float epsilon) {

  static DeltaSpec read(Config c) {
    int keyHeads = c.positive("keyHeads");
    int valueHeads = c.positive("valueHeads", keyHeads);
    if (valueHeads % keyHeads != 0) {
      throw c.error("valueHeads=%d is not divisible by keyHeads=%d", valueHeads, keyHeads);
    }
    int keyDim = c.positive("keyDim");
    int valueDim = c.positive("valueDim");
    int steps = c.positive("steps", 1);
    double keys = (double) keyHeads * keyDim;
    double channels = keys + steps * (keys + (double) valueHeads * valueDim);
    if (channels > Integer.MAX_VALUE) {
      throw c.error("queries, keys and values are more than 2^31 − 1 values a row");
    }
    int taps = c.count("taps");
    checkState(c, valueHeads, keyDim, valueDim, taps, (int) channels);
    boolean feedback = c.flag("feedback", false);
    if (feedback && steps > 1) {
      throw c.errorAt("feedback", "feedback=true needs steps=1, found steps=%d", steps);
    }
    boolean channelGates = c.flag("channelGates", false);
    if (channelGates && (feedback || steps > 1 || valueHeads != keyHeads)) {
      throw c.errorAt(
          "channelGates",
          "channelGates=true needs feedback=false, steps=1 and as many valueHeads as keyHeads;"
              + " found feedback=%s, steps=%d, valueHeads=%d, keyHeads=%d",
          feedback,
          steps,
          valueHeads,
          keyHeads);
    }
    float bound = c.real("decayBound", 0);
    if (bound > 0) {
      throw c.errorAt(
          "decayBound", "decayBound=%s must not be positive: a decay is at most 1", bound);
    }
    return new DeltaSpec(
        keyHeads,
        valueHeads,
        c.choice("sharing", "neighbours", "neighbours", "turns").equals("turns"),
        keyDim,
        valueDim,
        steps,
        taps,
        decay(c),
        c.count("decayLatent", 0),
        bound,
        feedback,
        feedback && c.flag("innerDecay", true),
        feedback && c.flag("correction", true),
        channelGates,
        channelGates || c.flag("beta", true),
        c.real("betaScale", 1),
        gate(c),
        c.count("gateLatent", 0),
        c.flag("gateBiased", false),
        c.real("epsilon", 1e-6f));
  }

  private static Decay decay(Config c) {
    return switch (c.choice("decay", "head", "head", "key", "none")) {
      case "head" -> Decay.SCALAR;
      case "key" -> Decay.PER_KEY;
      default -> Decay.NONE;
    };
  }

  private static Activation gate(Config c) {
    return switch (c.choice("gate", "silu", "silu", "sigmoid", "none")) {
      case "silu" -> Activation.SILU;
      case "sigmoid" -> Activation.SIGMOID;
      default -> null;
    };
  }

  /** What a sequence remembers must fit into arrays, in which it is copied. */
  private static void checkState(
      Config c, int valueHeads, int keyDim, int valueDim, int taps, int channels) {
    if ((double) valueHeads * keyDim * valueDim > Integer.MAX_VALUE) {
      throw c.error(
          "valueHeads=%d of keyDim=%d by valueDim=%d are more than 2^31 − 1 values",
          valueHeads, keyDim, valueDim);
    }
    if ((long) taps * channels > Integer.MAX_VALUE) {
      throw c.error(
          "taps=%d of %d queries, keys and values are more than 2^31 − 1 values", taps, channels);
    }
  }

  int keyCols() {
    return keyHeads * keyDim;
  }

  int valueCols() {
    return valueHeads * valueDim;
  }

  /** Queries, then keys of each step, then values of each step. */
  int channels() {
    return firstValue() + steps * valueCols();
  }

  /** What is projected for the strengths of a token. */
  int strengths() {
    return channelGates ? keyCols() : steps * valueHeads;
  }

  /** The channel of the first value. */
  int firstValue() {
    return (1 + steps) * keyCols();
  }

  /** The head whose queries and keys a value head has. */
  int keyHead(int valueHead) {
    return turns ? valueHead % keyHeads : valueHead / (valueHeads / keyHeads);
  }

  /** Decays of a head. */
  int decays() {
    return switch (decay) {
      case NONE -> 0;
      case SCALAR -> 1;
      case PER_KEY -> keyDim;
      case PER_VALUE -> valueDim;
    };
  }

  MatrixMemory.Shape memory() {
    return new MatrixMemory.Shape(
        keyDim, valueDim, decay, feedback || channelGates ? Write.FEEDBACK : Write.DELTA);
  }
}
