package dev.apus.core.family;

import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Branch;
import dev.apus.core.model.Architecture.Embedding;
import dev.apus.core.model.Architecture.Head;
import dev.apus.core.model.Architecture.Layer;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.model.Wiring;
import dev.apus.core.model.Wiring.Reads;
import dev.apus.core.weight.WeightNames;
import dev.apus.core.weight.WeightNames.Source;

/**
 * What the families of RWKV-7 share: the first layer's values, which all layers mix with their own,
 * are a stream that a branch of the first layer writes.
 */
final class Rwkv7Parts {

  static final String OURS = "rwkv7-time-mix.";

  /** The branch that makes the values of the first layer. */
  private static final String FIRST = "shifted-linear.";

  private static final String STREAM = "firstValues";

  /** What comes out of a few values, by our names and by the letters that files have for them. */
  static final String[][] RANKS = {
    {"decay", "w"}, {"rate", "a"}, {"valueShares", "v"}, {"gate", "g"}
  };

  private Rwkv7Parts() {}

  /**
   * The document of a model.
   *
   * @param first norm of the embeddings, or null
   * @param time the time mix of each layer but for where its values come from
   * @param valueRank what the shares of the first layer's values come out of
   */
  static Architecture architecture(
      Decoder d, NormSpec first, NormSpec norm, Part time, int valueRank, Part channel) {
    int values = (int) time.settings().get("heads") * (int) time.settings().get("valueDim");
    Wiring beside = Wiring.PLAIN.reading(Reads.of(Wiring.RESIDUAL).beside(STREAM));
    Branch given = Branch.mixer(time.with("values", "given"), norm).wired(beside);
    Branch mixed =
        Branch.mixer(time.with("values", "mixed").with("valueRank", valueRank), norm).wired(beside);
    Branch making =
        Branch.mixer(Part.of("shifted-linear"), norm).wired(Wiring.PLAIN.writing(STREAM));
    Branch channels = Branch.mixer(channel, norm).wired(Wiring.PLAIN.named(RwkvParts.CHANNEL));
    return d.architecture(
            "rwkv7",
            new Embedding(1, 0, first),
            i -> i == 0 ? Layer.of(making, given, channels) : Layer.of(mixed, channels),
            norm,
            Head.of(d.c.flag("tie_word_embeddings", false)))
        .withStream(STREAM, values);
  }

  /** A weight of every layer, or of the branch that makes values in the first. */
  static void both(WeightNames names, String weight, Source stored) {
    names.row(OURS + weight, stored);
    if (weight.equals("v") || weight.equals("shares.v")) {
      names.row(FIRST + weight, stored);
    }
  }
}
