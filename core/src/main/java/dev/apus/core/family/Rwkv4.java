package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.Conversion;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/** RWKV-4: averages that fade, between shifted rows. */
final class Rwkv4 implements ModelFamily {

  private static final String OURS = "rwkv4-time-mix.";

  /** The epsilon of the last norm, which no config changes. */
  private static final double LAST_EPSILON = 1e-5;

  @Override
  public List<String> names() {
    return List.of("RwkvForCausalLM", "rwkv");
  }

  @Override
  public Architecture describe(Config c) {
    Decoder d = RwkvParts.decoder(c);
    double epsilon = Decoder.epsilon(c, "layer_norm_epsilon", 1e-5);
    Part time =
        Part.of("rwkv4-time-mix").with("inner", c.positive("attention_hidden_size", d.width));
    Part channel = RwkvParts.channelMix(c.positive("intermediate_size", 4 * d.width));
    return RwkvParts.architecture(
        d,
        "rwkv4",
        time,
        channel,
        NormSpec.layer(epsilon, true),
        i -> norm(d, i < d.layers ? epsilon : LAST_EPSILON, i));
  }

  /**
   * The norm after so many layers. At inference the reference halves the rows once every few layers
   * and what layers add to them from there on; that shows in nothing but the epsilons, which are as
   * if they were larger for rows that are not halved.
   */
  private static NormSpec norm(Decoder d, double epsilon, int layer) {
    long every = d.c.integer("rescale_every", 6);
    int halvings = every > 0 ? (int) (layer / every) : 0;
    double raised = Math.scalb(epsilon, 2 * halvings);
    if (raised >= 1) {
      throw d.c.errorAt(
          "rescale_every",
          "rescale_every=%d halves rows %d times, so that an epsilon of %s is as one of %s",
          every,
          halvings,
          epsilon,
          raised);
    }
    return NormSpec.layer(raised, true);
  }

  @Override
  public WeightNames weights(Config c) {
    int width = c.positive("hidden_size");
    WeightNames names = RwkvParts.timeMix(RwkvParts.names(), OURS);
    RwkvParts.kept(names, width, OURS, RwkvParts.TIME_MIX, "receptance", "key", "value");
    RwkvParts.kept(
        names, width, RwkvParts.CHANNEL_WEIGHTS, RwkvParts.CHANNEL_MIX, "key", "receptance");
    return names
        .row(
            OURS + "decay",
            WeightNames.from(RwkvParts.TIME_MIX + "time_decay").as(Conversion.MINUS_EXP))
        .row(OURS + "bonus", RwkvParts.TIME_MIX + "time_first");
  }
}
