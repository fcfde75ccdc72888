package dev.apus.core.generate;

import java.nio.IntBuffer;

/** Reads or changes the logits of each step before the sampler does anything with them. */
@FunctionalInterface
public interface LogitsProcessor {

  /**
   * Called once for each token, on the generating thread.
   *
   * @param tokens the prompt of this generation and the tokens chosen since; read-only and valid
   *     during the call
   * @param logits one for each id of the vocabulary, free to change: negative infinity bans a
   *     token, NaN and positive infinity are errors. Valid during the call.
   */
  void process(IntBuffer tokens, float[] logits);
}
