package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Embedding;
import dev.apus.core.model.Architecture.Head;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.Conversion;
import dev.apus.core.weight.WeightNames;
import dev.apus.core.weight.WeightNames.Source;
import java.util.List;

/**
 * RecurrentGemma, which is Griffin: two recurrent blocks to one of attention with a window, and
 * Gemma's scaled embedding and norms.
 */
final class RecurrentGemma implements ModelFamily {

  /** What it was trained on; configs do not say. */
  private static final int CONTEXT = 8192;

  @Override
  public List<String> names() {
    return List.of("RecurrentGemmaForCausalLM", "recurrent_gemma");
  }

  @Override
  public Architecture describe(Config c) {
    c.ignore("w_init_variance_scale", "final_w_init_variance_scale");
    Decoder.only(c, "embeddings_scale_by_sqrt_dim", true);
    Decoder d = new Decoder(c, CONTEXT);
    if (d.heads * d.headDim != d.width) {
      throw c.errorAt(
          "head_dim",
          "num_attention_heads=%d of head_dim=%d are not hidden_size=%d",
          d.heads,
          d.headDim,
          d.width);
    }
    NormSpec norm = d.rms();
    RopeSettings rope = RopeSettings.read(c, 10_000, 0.5, d.headDim, d.context);
    Part attention =
        rope.on(d.biased(d.attention()).with("outBiased", true))
            .with("window", c.positive("attention_window_size", 2048));
    Part recurrent =
        Part.of("rg-lru")
            .with("inner", c.positive("lru_width", d.width))
            .with("heads", d.heads)
            .with("taps", c.positive("conv1d_width", 4))
            .with("activation", Activations.of(c));
    Part mlp = d.gatedMlp(c.positive("intermediate_size") / 2).with("biased", true);
    List<String> types = blockTypes(c);
    return d.architecture(
        "recurrent-gemma",
        new Embedding(halfPrecision(Math.sqrt(d.width)), 0, null),
        i -> {
          boolean attends = types.get(i % types.size()).equals("attention");
          return Decoder.preNorm(norm, attends ? attention : recurrent, mlp);
        },
        norm,
        new Head(c.flag("tie_word_embeddings", true), false, 1, c.real("logits_soft_cap", 30)));
  }

  /** The types that layers take by turns. */
  private static List<String> blockTypes(Config c) {
    String key = Decoder.spelled(c, "block_types", "_block_types");
    List<String> types = c.has(key) ? c.words(key) : List.of("recurrent", "recurrent", "attention");
    for (String type : types) {
      if (!List.of("recurrent", "attention").contains(type)) {
        throw c.errorAt(key, "%s holds \"%s\"; this family has recurrent and attention", key, type);
      }
    }
    if (types.isEmpty()) {
      throw c.errorAt(key, "%s is empty; it must name the type of at least one layer", key);
    }
    return types;
  }

  /** The factor as BF16 holds it, which the reference rounds it to in any precision. */
  private static float halfPrecision(double factor) {
    int bits = Float.floatToIntBits((float) factor);
    return Float.intBitsToFloat(bits + 0x7FFF + (bits >>> 16 & 1) & 0xFFFF0000);
  }

  @Override
  public WeightNames weights(Config c) {
    String block = Names.LAYER + "temporal_block.";
    String unit = block + "rg_lru.";
    int size =
        c.positive("lru_width", c.positive("hidden_size")) / c.positive("num_attention_heads");
    WeightNames names =
        Names.withoutNorms()
            .row("norm", plusOne("model.final_norm.weight"))
            .row("mixer.norm", plusOne(Names.LAYER + "temporal_pre_norm.weight"))
            .row("channel.norm", plusOne(Names.LAYER + "channel_pre_norm.weight"))
            .row("rg-lru.x", block + "linear_x.weight")
            .row("rg-lru.gate", block + "linear_y.weight")
            .row("rg-lru.o", block + "linear_out.weight")
            .row("rg-lru.conv", block + "conv_1d.weight")
            .row("rg-lru.lambda", unit + "recurrent_param");
    gate(names, "rg-lru.inputGate", unit + "input_gate_", size);
    gate(names, "rg-lru.recurrenceGate", unit + "recurrent_gate_", size);
    for (String p : new String[] {"q", "k", "v", "o"}) {
      names.row("attention." + p, block + p + "_proj.weight");
    }
    return Names.gatedMlp(names, "gated-mlp.", Names.LAYER + "mlp_block.");
  }

  private static Source plusOne(String name) {
    return WeightNames.from(name).as(Conversion.PLUS_ONE);
  }

  private static void gate(WeightNames names, String ours, String theirs, int size) {
    names
        .row(
            ours,
            WeightNames.from(theirs + "weight")
                .as(Conversion.transposed(size, size))
                .ofExpert(size, 0, size))
        .row(ours + ".bias", WeightNames.from(theirs + "bias").ofExpert(size, 0, size));
  }
}
