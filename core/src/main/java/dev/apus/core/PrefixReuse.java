package dev.apus.core;

import dev.apus.core.config.ConfigException;
import dev.apus.core.model.Network;
import java.util.Locale;

/**
 * Whether, and how, sessions of a model start from what others have computed.
 *
 * @param bytes the most memory that kept states take; 0 keeps none
 * @param interval a long prompt is kept every so many tokens, apart from its end
 * @param exact whether only states are kept and used from which a prompt goes on with the very bits
 *     that it has without reuse; see {@link PrefixCache}
 */
public record PrefixReuse(long bytes, int interval, boolean exact) {

  /** Nothing is kept. */
  public static final PrefixReuse NONE = new PrefixReuse(0, Computation.CHUNK, false);

  public PrefixReuse {
    if (bytes < 0 || interval < 1) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "bytes=%d and interval=%d; needed: bytes of 0 or more, an interval of 1 or more",
              bytes,
              interval));
    }
  }

  /** Keeps states in at most so much memory, every 512 tokens. */
  public static PrefixReuse of(long bytes) {
    return new PrefixReuse(bytes, Computation.CHUNK, false);
  }

  public PrefixReuse every(int tokens) {
    return new PrefixReuse(bytes, tokens, exact);
  }

  /** Only what gives the bits that there are without reuse. */
  public PrefixReuse exactly() {
    return new PrefixReuse(bytes, interval, true);
  }

  /** Refuses a model whose states are of no use to other texts. */
  void requirePossible(Network network) {
    if (bytes > 0 && network.endsShow()) {
      throw new ConfigException(
          "attention forgets keys at the end of each prompt, so that another text with the same"
              + " beginning cannot go on from there; prefixes must not be reused"
              + " (--prefix-cache 0)");
    }
  }
}
