package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Models of flash-linear-attention whose queries choose blocks of keys: mixtures of block attention
 * (MoBA), and native sparse attention.
 */
final class FlaSparse implements ModelFamily {

  /** Of norms whose epsilon no config states: of heads' outputs, and of queries and keys. */
  private static final double OUT_EPSILON = 1e-6;

  private static final double HEAD_EPSILON = 1e-5;

  @Override
  public List<String> names() {
    return List.of("MoBAForCausalLM", "moba", "NSAForCausalLM", "nsa");
  }

  @Override
  public Architecture describe(Config c) {
    FlaDecoder d = new FlaDecoder(c);
    return d.architecture(c.word("model_type"), isMoba(c) ? moba(d) : nsa(d));
  }

  private static boolean isMoba(Config c) {
    return c.word("model_type").equals("moba");
  }

  private static Part moba(FlaDecoder d) {
    Config c = d.c;
    if (c.has("window_size")) {
      throw c.errorAt(
          "window_size",
          "window_size=%s is not supported: the reference computes prompts without the window;"
              + " supported: null",
          c.raw("window_size"));
    }
    // A fused kernel of the reference.
    c.ignore("use_flash_moba");
    Part part =
        d.turned(c, d.heads(c))
            .with("biased", c.flag("qkv_bias", false))
            .with("outNorm", NormSpec.rms(OUT_EPSILON).toMap());
    if (c.flag("qk_norm", false)) {
      part = Decoder.normed(part, NormSpec.rms(HEAD_EPSILON), "head", false);
    }
    if (c.flag("use_output_gate", false)) {
      part = part.with("gated", true).with("gateRank", part.settings().get("headDim"));
    }
    int block = c.positive("moba_chunk_size", 256);
    int top = c.positive("moba_topk", 4);
    // The reference attends to everything where it has nothing to choose.
    return top == 1 ? part : part.with("select", select(block, top));
  }

  private static Map<String, Object> select(int block, int top) {
    Map<String, Object> select = new LinkedHashMap<>();
    select.put("kind", "moba");
    select.put("block", block);
    select.put("top", top);
    return select;
  }

  private static Part nsa(FlaDecoder d) {
    Config c = d.c;
    int headDim = c.positive("head_dim", 32);
    Part part =
        Part.of("native-sparse-attention")
            .with("heads", c.positive("num_heads"))
            .with("kvHeads", Decoder.kvHeads(c, "num_heads", "num_kv_heads"))
            .with("headDim", headDim)
            .with("block", c.positive("block_size", 64))
            .with("top", powerOfTwo(c.positive("block_counts", 16)))
            .with("biased", c.flag("qkv_bias", false));
    return d.turned(c, part);
  }

  /** The reference keeps as many blocks as its sorting has places. */
  private static int powerOfTwo(int count) {
    return count == 1 ? 1 : Integer.highestOneBit(count - 1) << 1;
  }

  @Override
  public WeightNames weights(Config c) {
    WeightNames names = FlaNames.outer();
    if (!isMoba(c)) {
      return FlaNames.projections(names, "native-sparse-attention.")
          .row("native-sparse-attention.gate", FlaNames.MIXER + "g_proj.weight");
    }
    return FlaNames.lowRank(names, "attention.gate", FlaNames.MIXER + "g_proj.")
        .row("attention.o.norm", FlaNames.MIXER + "o_norm.weight")
        .row("attention.q.norm", FlaNames.MIXER + "q_norm.weight")
        .row("attention.k.norm", FlaNames.MIXER + "k_norm.weight");
  }
}
