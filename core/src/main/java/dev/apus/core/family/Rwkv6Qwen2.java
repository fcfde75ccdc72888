package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/**
 * QRWKV: Qwen 2 whose attention was converted to RWKV-6, with keys and values that heads share,
 * balanced memories and no bonus.
 */
final class Rwkv6Qwen2 implements ModelFamily {

  private static final String OURS = "rwkv-time-mix.";

  /** What logarithms of decays are raised to, in the checkpoints' own code. */
  private static final int LEAST_LOG_DECAY = -5;

  @Override
  public List<String> names() {
    return List.of("RWKV6Qwen2ForCausalLM", "rwkv6qwen2");
  }

  @Override
  public Architecture describe(Config c) {
    Decoder.only(c, "use_rope", false);
    Decoder.only(c, "use_tokenshift", true);
    Decoder.only(c, "use_sliding_window", false);
    if (c.count("gate_rank_type", 1) != 1) {
      throw c.errorAt(
          "gate_rank_type",
          "gate_rank_type=%d is not supported; supported: 1, gates by one matrix",
          c.count("gate_rank_type"));
    }
    c.ignore("rope_theta", "rope_scaling", "rope_parameters", "lora_rank_gate");
    c.ignore("max_window_layers", "sliding_window", "max_position_embeddings", "layer_types");
    Decoder d = decoder(c);
    NormSpec norm = d.rms();
    Part layer = mixer(d);
    return d.architecture("rwkv6-qwen2", i -> Decoder.preNorm(norm, layer, d.gatedMlp()), norm);
  }

  private static Decoder decoder(Config c) {
    int heads = c.positive("num_attention_heads");
    return new Decoder(
        c,
        c.positive("hidden_size"),
        c.positive("num_hidden_layers"),
        heads,
        c.positive("num_key_value_heads", heads),
        Mamba.CONTEXT);
  }

  private static Part mixer(Decoder d) {
    Config c = d.c;
    boolean wide = d.width >= 4096;
    Part part =
        Part.of("rwkv-time-mix")
            .with("heads", d.heads)
            .with("kvHeads", d.kvHeads)
            .with("keyDim", d.headDim)
            .with("order", "rkvwg")
            .with("shareRank", c.positive("lora_rank_tokenshift", wide ? 64 : 32))
            .with("decayRank", c.positive("lora_rank_decay", wide ? 128 : 64))
            .with("leastLogDecay", LEAST_LOG_DECAY)
            .with("bonus", false)
            .with("balanced", c.flag("balance_state", true))
            .with("biased", c.flag("attention_bias", true))
            .with("scale", 1 / Math.sqrt(d.headDim))
            .with("gate", "sigmoid");
    return c.flag("groupnorm_att", false)
        ? part.with("norm", NormSpec.layer(d.headDim * 1e-5, true).toMap())
        : part;
  }

  @Override
  public WeightNames weights(Config c) {
    String stored = Names.LAYER + "self_attn.";
    WeightNames names =
        Names.llama()
            .row(OURS + "r", stored + "q_proj.weight")
            .row(OURS + "k", stored + "k_proj.weight")
            .row(OURS + "v", stored + "v_proj.weight")
            .row(OURS + "g", stored + "gate.weight")
            .row(OURS + "o", stored + "o_proj.weight")
            .row(OURS + "norm", stored + "ln_x.weight");
    Decoder d = decoder(c);
    return RwkvParts.learned(names, d.width, mixer(d).settings(), stored);
  }
}
