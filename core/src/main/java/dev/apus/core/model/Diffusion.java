package dev.apus.core.model;

import dev.apus.core.config.Config;
import java.util.LinkedHashMap;
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
 */
public record Diffusion(Noise noise, int mask, int block, boolean shifted) {

  /**
   * What takes the place of a token.
   *
   * @see <a href="https://arxiv.org/abs/2107.03006">D3PM</a>
   */
  public enum Noise {
    /** A token that stands for nothing else. */
    ABSORBING,
    /** Any token of the vocabulary. */
    UNIFORM
  }

  public Diffusion {
    if (block < 0 || (noise == Noise.ABSORBING) != (mask >= 0)) {
      throw new IllegalArgumentException(
          noise + " noise with the mask " + mask + " in blocks of " + block);
    }
  }

  /** Noise that leaves masks behind in a text that is seen as a whole. */
  public static Diffusion masked(int mask) {
    return new Diffusion(Noise.ABSORBING, mask, 0, false);
  }

  /** The same noise in blocks of so many tokens. */
  public Diffusion inBlocks(int tokens) {
    return new Diffusion(noise, mask, tokens, shifted);
  }

  /** The same where a row's logits are those of the token after it. */
  public Diffusion shiftedBy1() {
    return new Diffusion(noise, mask, block, true);
  }

  Map<String, Object> toMap() {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("noise", noise.name().toLowerCase(Locale.ROOT));
    if (noise == Noise.ABSORBING) {
      map.put("mask", mask);
    }
    map.put("block", block);
    map.put("shifted", shifted);
    return map;
  }

  static Diffusion read(Config c, int vocabulary) {
    boolean absorbing = c.choice("noise", "absorbing", "absorbing", "uniform").equals("absorbing");
    int mask = absorbing ? c.count("mask") : -1;
    if (mask >= vocabulary) {
      throw c.errorAt("mask", "mask=%d is not in the vocabulary of %d", mask, vocabulary);
    }
    return new Diffusion(
        absorbing ? Noise.ABSORBING : Noise.UNIFORM,
        mask,
        c.count("block", 0),
        c.flag("shifted", false));
  }
}
