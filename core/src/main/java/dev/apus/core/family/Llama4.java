package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.Conversion;
import dev.apus.core.weight.WeightNames;
import dev.apus.core.weight.WeightNames.Source;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * The language model of Llama 4: chunks that do not see each other in most layers, and in every
 * fourth one the whole text without positions, with queries that grow with it; experts that are
 * asked weighed rows, and a shared one, in each layer or in every other.
 */
final class Llama4 implements ModelFamily {

  private static final String BLOCK = Names.LAYER + "feed_forward.";

  @Override
  public List<String> names() {
    return List.of("Llama4ForCausalLM", "llama4_text", "Llama4ForConditionalGeneration", "llama4");
  }

  @Override
  public Architecture describe(Config config) {
    Config c = TextConfig.of(config);
    if (c != config) {
      config.ignore("boi_token_index", "eoi_token_index", "image_token_index");
    }
    c.ignore("for_llm_compressor");
    Decoder d = new Decoder(c, 131_072);
    NormSpec norm = d.rms(1e-5);
    List<Integer> rotated = NoPositions.rotated(d);
    List<String> types =
        d.layerTypes(i -> rotated.get(i) != 0 ? "chunked_attention" : "full_attention");
    List<Integer> routed = routed(d);
    Part plain = d.biased(d.attention());
    Part turned = turned(d, plain, norm);
    Part still = still(c, plain);
    Part moe = experts(c);
    Part dense = d.gatedMlp(c.positive("intermediate_size_mlp", 16384));
    return d.architecture(
        "llama4",
        i ->
            Decoder.preNorm(
                norm,
                chunked(c, types.get(i), rotated.get(i) != 0 ? turned : still),
                routed.contains(i) ? moe : dense),
        norm);
  }

  private static Part turned(Decoder d, Part plain, NormSpec norm) {
    Part turned = RopeSettings.read(d.c, 500_000, 1, d.headDim, d.context).interleaved().on(plain);
    return d.c.flag("use_qk_norm", true)
        ? Decoder.normed(turned, norm.unweighted(), "head", true)
        : turned;
  }

  /** Without positions, and with what makes up for it in long texts; some configs count it. */
  private static Part still(Config c, Part plain) {
    boolean counted = c.raw("attn_temperature_tuning") instanceof Number;
    int floor = c.positive("floor_scale", 8192);
    float scale = c.real("attn_scale", 0.1f);
    boolean grows =
        counted ? c.count("attn_temperature_tuning") > 0 : c.flag("attn_temperature_tuning", true);
    return grows ? plain.with("temperature", pair("floor", floor, "scale", scale)) : plain;
  }

  /** Two settings in this order. */
  private static Map<String, Object> pair(String first, Object one, String second, Object other) {
    Map<String, Object> settings = new LinkedHashMap<>();
    settings.put(first, one);
    settings.put(second, other);
    return settings;
  }

  private static Part chunked(Config c, String type, Part attention) {
    return switch (type) {
      case "full_attention" -> attention;
      case "chunked_attention" -> {
        if (c.isNull("attention_chunk_size")) {
          throw c.errorAt(
              "attention_chunk_size",
              "attention_chunk_size=null, and layer_types holds chunked_attention");
        }
        int size = c.positive("attention_chunk_size", 8192);
        yield attention.with("select", pair("kind", "chunks", "size", size));
      }
      default ->
          throw c.errorAt(
              "layer_types",
              "layer_types holds \"%s\"; this family has chunked_attention and full_attention",
              type);
    };
  }

  private static List<Integer> routed(Decoder d) {
    int step = d.c.positive("interleave_moe_layer_step", 1);
    return d.c.has("moe_layers")
        ? d.c.integers("moe_layers")
        : IntStream.range(0, d.layers).filter(i -> (i + 1) % step == 0).boxed().toList();
  }

  private static Part experts(Config c) {
    int inner = c.positive("intermediate_size", 8192);
    return Part.of("moe")
        .with("experts", c.positive("num_local_experts", 16))
        .with("top", c.positive("num_experts_per_tok", 1))
        .with("score", "sigmoid")
        .with("normalized", false)
        .with("asksWeighed", true)
        .with("inner", inner)
        .with("activation", Activations.of(c))
        .with("sharedInner", inner);
  }

  @Override
  public WeightNames weights(Config config) {
    Config c = TextConfig.of(config);
    int width = c.positive("hidden_size");
    int inner = c.positive("intermediate_size", 8192);
    String gateUp = BLOCK + "experts.gate_up_proj";
    WeightNames names =
        Names.llama()
            .prefix("model.", "language_model.model.")
            .prefix("lm_head.", "language_model.lm_head.")
            .ignore("(vision_model|multi_modal_projector)\\..*")
            .row("moe.router", BLOCK + "router.weight")
            .row("moe.expert.gate", columns(gateUp, width, 2 * inner, 0, inner))
            .row("moe.expert.up", columns(gateUp, width, 2 * inner, inner, inner))
            .row("moe.expert.down", columns(BLOCK + "experts.down_proj", inner, width, 0, width));
    Names.gatedMlp(names, "gated-mlp.", BLOCK);
    return Names.gatedMlp(names, "moe.shared.", BLOCK + "shared_expert.");
  }

  /** Columns of each expert's matrix, which are rows of a weight. */
  private static Source columns(String name, int inputs, int cols, int from, int count) {
    return WeightNames.from(name)
        .ofExpert(inputs, 0, inputs)
        .as(Conversion.transposed(inputs, cols))
        .as(Conversion.rows(from, count));
  }
}
