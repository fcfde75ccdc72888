package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Branch;
import dev.apus.core.model.Architecture.Embedding;
import dev.apus.core.model.Architecture.Head;
import dev.apus.core.model.Architecture.Layer;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.model.Wiring;
import dev.apus.core.weight.Conversion;
import dev.apus.core.weight.WeightNames;
import dev.apus.core.weight.WeightNames.Source;
import java.util.Map;
import java.util.function.IntFunction;

/** What the families of RWKV share. */
final class RwkvParts {

  /** What the channel mix of a layer is called, whose time mix is a mixer as well. */
  static final String CHANNEL = "channel";

  static final String CHANNEL_WEIGHTS = CHANNEL + ".rwkv-channel-mix.";

  private static final String LAYER = "rwkv.blocks.{i}.";

  static final String TIME_MIX = LAYER + "attention.";

  static final String CHANNEL_MIX = LAYER + "feed_forward.";

  private RwkvParts() {}

  /** No layer looks at positions, so a context in the config is one of training. */
  static Decoder decoder(Config c) {
    c.ignore("context_length", "max_position_embeddings");
    return new Decoder(
        c, c.positive("hidden_size"), c.positive("num_hidden_layers"), 1, Mamba.CONTEXT);
  }

  static Part channelMix(int inner) {
    return Part.of("rwkv-channel-mix").with("inner", inner).with("activation", "relu-squared");
  }

  /**
   * A model whose embeddings are normalised and whose layers mix time and then channels, each
   * normalised before.
   *
   * @param norms the norm of each layer, and that of the head
   */
  static Architecture architecture(
      Decoder d,
      String family,
      Part time,
      Part channel,
      NormSpec first,
      IntFunction<NormSpec> norms) {
    return d.architecture(
        family,
        new Embedding(1, 0, first),
        i -> layer(time, channel, norms.apply(i)),
        norms.apply(d.layers),
        Head.of(d.c.flag("tie_word_embeddings", false)));
  }

  static Layer layer(Part time, Part channel, NormSpec norm) {
    return Layer.of(
        Branch.mixer(time, norm), Branch.mixer(channel, norm).wired(Wiring.PLAIN.named(CHANNEL)));
  }

  /** The names that checkpoints of RWKV's own have in common. */
  static WeightNames names() {
    return new WeightNames()
        .row("embedding", "rwkv.embeddings.weight")
        .row("embedding.norm", "rwkv.blocks.0.pre_ln.weight")
        .row("mixer.norm", LAYER + "ln1.weight")
        .row(CHANNEL + ".mixer.norm", LAYER + "ln2.weight")
        .row("norm", "rwkv.ln_out.weight")
        .row("head", "head.weight")
        .row(CHANNEL_WEIGHTS + "k", CHANNEL_MIX + "key.weight")
        .row(CHANNEL_WEIGHTS + "v", CHANNEL_MIX + "value.weight")
        .row(CHANNEL_WEIGHTS + "r", CHANNEL_MIX + "receptance.weight");
  }

  /** The projections of a time mix. */
  static WeightNames timeMix(WeightNames names, String ours) {
    return names
        .row(ours + "r", TIME_MIX + "receptance.weight")
        .row(ours + "k", TIME_MIX + "key.weight")
        .row(ours + "v", TIME_MIX + "value.weight")
        .row(ours + "o", TIME_MIX + "output.weight");
  }

  /**
   * Shares that are stored as what is left of a row itself: {@code x ⊙ μ + before ⊙ (1 − μ)}.
   *
   * @param of what they are for, by the file's words, of which we take the first letters
   */
  static WeightNames kept(WeightNames names, int width, String ours, String prefix, String... of) {
    for (String word : of) {
      String stored = prefix + "time_mix_" + word;
      names
          .row(ours + "shares." + word.charAt(0), WeightNames.from(stored).as(Conversion.FROM_ONE))
          .shaped(stored, 1, 1, width);
    }
    return names;
  }

  /** Shares of the row before. */
  static WeightNames shares(
      WeightNames names, int width, String ours, String prefix, String... of) {
    for (String letter : of) {
      String stored = prefix + "time_maa_" + letter;
      names.row(ours + "shares." + letter, stored).shaped(stored, 1, 1, width);
    }
    return names;
  }

  /** A matrix that is stored turned. */
  static Source turned(String stored) {
    return WeightNames.from(stored).as(Conversion.TRANSPOSED);
  }

  /**
   * Shares and decays of a time mix that follow from the data, whose matrices are stored turned.
   *
   * @param part the settings of the time mix
   */
  static WeightNames learned(
      WeightNames names, int width, Map<String, Object> part, String stored) {
    String ours = "rwkv-time-mix.";
    String order = (String) part.get("order");
    int keys = (int) part.get("heads") * (int) part.get("keyDim");
    return shares(names, width, ours, stored, order.split(""))
        .row(ours + "shares.x", stored + "time_maa_x")
        .row(ours + "shares.latent", turned(stored + "time_maa_w1"))
        .row(ours + "shares.up", turned(stored + "time_maa_w2"))
        .row(ours + "decay.latent", turned(stored + "time_decay_w1"))
        .row(ours + "decay", turned(stored + "time_decay_w2"))
        .row(ours + "decay.bias", stored + "time_decay")
        .shaped(stored + "time_maa_x", 1, 1, width)
        .shaped(stored + "time_maa_w2", order.length(), (int) part.get("shareRank"), width)
        .shaped(stored + "time_decay", 1, 1, keys);
  }
}
