package dev.apus.core.model;

import dev.apus.core.config.Config;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What a diffusion language model learned to undo: how tokens were replaced by noise, and what the
 * tokens of a noisy text see of each other.
 *
 * @param noise what takes the place of a token
 * @param mask the token that absorbing noise leaves behind; −1 with other noise
 * @param block tokens of a block, which sees itself and the text before it; 0 if a token sees the
 *     text as a whole. The blocks of a text begin at its first token.
 * @param shifted whether the logits of a row are those of the token after it, as in the
 *     autoregressive models that some diffusion models were made of
 * @param output what the logits of a row are
 * @param levels how much noise there is at a time
 * @param modulation how the model is told how noisy a text is; null if it is not
 * @param conditioning how noisy rows learn what the model last made of them; null if they do not
 * @param gaussian noise in the vectors of tokens, whose levels are learned; null if there is none
 */
public record Diffusion(
    Noise noise,
    int mask,
    int block,
    boolean shifted,
    Output output,
    NoiseLevels levels,
    LevelSpec modulation,
    Conditioning conditioning,
    GaussianSpec gaussian) {

  /**
   * What takes the place of a token.
   *
   * @see <a href="https://arxiv.org/abs/2107.03006">D3PM</a>
   */
  public enum Noise {
    /** A token that stands for nothing else. */
    ABSORBING,
    /** Any token of the vocabulary. */
    UNIFORM,
    /**
     * No token: the vector of each has normal noise added to it.
     *
     * @see <a href="https://arxiv.org/abs/2305.18619">Plaid</a>
     */
    GAUSSIAN
  }

  /**
   * Self-conditioning: the embedding of a noisy row is {@code sum(x + channel(norm(e)))}, where
   * {@code e} is the mean of the embeddings of all tokens by the probabilities that the last
   * evaluation gave them; 0 at the first.
   *
   * @param channel a channel mixer
   * @param sum applied to the sum, or null
   * @see <a href="https://arxiv.org/abs/2208.04202">Analog Bits</a>
   */
  public record Conditioning(Part channel, NormSpec norm, NormSpec sum) {

    Map<String, Object> toMap() {
      Map<String, Object> map = new LinkedHashMap<>();
      Map<String, Object> part = new LinkedHashMap<>();
      part.put("type", channel.type());
      part.putAll(channel.settings());
      map.put("norm", norm.toMap());
      map.put("channel", part);
      if (sum != null) {
        map.put("sum", sum.toMap());
      }
      return map;
    }

    static Conditioning read(Config c) {
      Config part = c.section("channel");
      Map<String, Object> settings = new LinkedHashMap<>(part.asMap());
      String type = part.word("type");
      settings.remove("type");
      part.ignore(settings.keySet().toArray(String[]::new));
      return new Conditioning(
          new Part(type, settings),
          NormSpec.read(c.section("norm")),
          c.has("sum") ? NormSpec.read(c.section("sum")) : null);
    }
  }

  /** What the logits of a row are. */
  public enum Output {
    /** Those of every token without noise, of which the mask is one among others. */
    TOKENS,
    /** Those of every token without noise, of which the mask is none. */
    UNMASKED,
    /**
     * Logarithms of {@code p(y) / p(x)}: how much likelier the text would be, at its level of
     * noise, with y in the place of the token x that stands there.
     *
     * @see <a href="https://arxiv.org/abs/2310.16834">SEDD</a>
     */
    SCORES,
    /** Scores with {@code ln((e^σ − 1)(n − 1))} added, for a vocabulary of n tokens. */
    SCALED_SCORES;

    /** Whether they are ratios of probabilities at a level of noise. */
    public boolean isScore() {
      return this == SCORES || this == SCALED_SCORES;
    }
  }

  public Diffusion(Noise noise, int mask, int block, boolean shifted) {
    this(noise, mask, block, shifted, Output.TOKENS, NoiseLevels.STANDARD, null, null, null);
  }

  public Diffusion {
    if (output == Output.UNMASKED && mask < 0) {
      throw new IllegalArgumentException("a model without a mask gives logits of all tokens");
    }
    if (output == Output.SCALED_SCORES && noise != Noise.ABSORBING) {
      throw new IllegalArgumentException("scores are scaled by the noise where it leaves masks");
    }
    if (output.isScore() && shifted) {
      throw new IllegalArgumentException("scores are of the token that stands in their row");
    }
    if (block < 0 || (noise == Noise.ABSORBING) != (mask >= 0)) {
      throw new IllegalArgumentException(
          noise + " noise with the mask " + mask + " in blocks of " + block);
    }
    boolean plain =
        block == 0
            && !shifted
            && output == Output.TOKENS
            && levels.equals(NoiseLevels.STANDARD)
            && modulation == null
            && conditioning == null;
    if ((noise == Noise.GAUSSIAN) != (gaussian != null) || (gaussian != null && !plain)) {
      throw new IllegalArgumentException(
          "gaussian noise has settings of its own (gaussian), and no block, shifted, output,"
              + " levels, modulation or conditioning; found "
              + noise);
    }
  }

  /** Noise that leaves masks behind in a text that is seen as a whole. */
  public static Diffusion masked(int mask) {
    return new Diffusion(Noise.ABSORBING, mask, 0, false);
  }

  /** Noise of any tokens in a text that is seen as a whole. */
  public static Diffusion uniform() {
    return new Diffusion(Noise.UNIFORM, -1, 0, false);
  }

  /** Noise in the vectors of tokens, in a text that is seen as a whole. */
  public static Diffusion ofVectors(GaussianSpec how) {
    return new Diffusion(
        Noise.GAUSSIAN, -1, 0, false, Output.TOKENS, NoiseLevels.STANDARD, null, null, how);
  }

  /** The same noise in blocks of so many tokens. */
  public Diffusion inBlocks(int tokens) {
    return new Diffusion(
        noise, mask, tokens, shifted, output, levels, modulation, conditioning, gaussian);
  }

  /** The same where a row's logits are those of the token after it. */
  public Diffusion shiftedBy1() {
    return new Diffusion(
        noise, mask, block, true, output, levels, modulation, conditioning, gaussian);
  }

  /** The same where the logits are something else. */
  public Diffusion giving(Output other) {
    return new Diffusion(
        noise, mask, block, shifted, other, levels, modulation, conditioning, gaussian);
  }

  /** The same with other levels of noise. */
  public Diffusion withLevels(NoiseLevels others) {
    return new Diffusion(
        noise, mask, block, shifted, output, others, modulation, conditioning, gaussian);
  }

  /** The same where the model is told the level. */
  public Diffusion modulated(LevelSpec how) {
    return new Diffusion(noise, mask, block, shifted, output, levels, how, conditioning, gaussian);
  }

  /** The same where noisy rows learn what the model last made of them. */
  public Diffusion conditioned(Conditioning how) {
    return new Diffusion(noise, mask, block, shifted, output, levels, modulation, how, gaussian);
  }

  /** Whether the level of the noise changes what the model says. */
  public boolean isTold() {
    return gaussian != null || (modulation != null && modulation.told());
  }

  Map<String, Object> toMap() {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("noise", noise.name().toLowerCase(Locale.ROOT));
    if (noise == Noise.ABSORBING) {
      map.put("mask", mask);
    }
    if (gaussian == null) {
      map.put("block", block);
      map.put("shifted", shifted);
    }
    if (output != Output.TOKENS) {
      map.put("output", spelled(output));
    }
    if (!levels.equals(NoiseLevels.STANDARD)) {
      map.put("levels", levels.toMap());
    }
    if (modulation != null) {
      map.put("modulation", modulation.toMap());
    }
    if (conditioning != null) {
      map.put("conditioning", conditioning.toMap());
    }
    if (gaussian != null) {
      map.put("gaussian", gaussian.toMap());
    }
    return map;
  }

  static Diffusion read(Config c, int vocabulary) {
    Noise noise =
        Noise.valueOf(
            c.choice("noise", "absorbing", "absorbing", "uniform", "gaussian")
                .toUpperCase(Locale.ROOT));
    int mask = noise == Noise.ABSORBING ? c.count("mask") : -1;
    if (mask >= vocabulary) {
      throw c.errorAt("mask", "mask=%d is not in the vocabulary of %d", mask, vocabulary);
    }
    String[] outputs =
        Arrays.stream(Output.values()).map(Diffusion::spelled).toArray(String[]::new);
    String output = c.choice("output", outputs[0], outputs);
    try {
      return new Diffusion(
          noise,
          mask,
          c.count("block", 0),
          c.flag("shifted", false),
          Output.values()[List.of(outputs).indexOf(output)],
          c.has("levels") ? NoiseLevels.read(c.section("levels")) : NoiseLevels.STANDARD,
          c.has("modulation") ? LevelSpec.read(c.section("modulation")) : null,
          c.has("conditioning") ? Conditioning.read(c.section("conditioning")) : null,
          c.has("gaussian") ? GaussianSpec.read(c.section("gaussian")) : null);
    } catch (IllegalArgumentException e) {
      throw c.error("%s", e.getMessage());
    }
  }

  private static String spelled(Output output) {
    return output.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
