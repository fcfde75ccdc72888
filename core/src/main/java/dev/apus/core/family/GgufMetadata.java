package dev.apus.core.family;

import dev.apus.core.file.GgufWriter;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Branch;
import dev.apus.core.model.Architecture.Layer;
import dev.apus.core.model.Architecture.Role;
import dev.apus.core.model.Architecture.Step;
import dev.apus.core.model.Part;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The metadata of a GGUF file, made of an architecture: {@link GgufSettings} the other way. Layers
 * are described by the first of each kind, and the rotation by the last, which is the first kind
 * that has no window where there are two. Keys are named without the architecture they begin with.
 */
public final class GgufMetadata {

  private static final String SCALING = "rope.scaling.";
  private static final String ATTENTION = "attention";
  private static final String MAMBA = "mamba";
  private static final String MAMBA2 = "mamba2";

  /** The type of a part that a layer does not have. */
  private static final String NOTHING = "nothing";

  private final Architecture model;
  private final String prefix;
  private final GgufWriter gguf;
  private final Part first;
  private final Part channel;
  private final Map<String, Object> rope;

  GgufMetadata(Architecture model, String architecture, GgufWriter gguf) {
    this.model = model;
    this.prefix = architecture + ".";
    this.gguf = gguf;
    this.first = firstOf(model, ATTENTION);
    this.channel = part(model, 0, Role.CHANNEL);
    this.rope =
        parts(model)
            .filter(part -> part.type().equals(ATTENTION))
            .filter(part -> !part.settings().containsKey("window"))
            .findFirst()
            .map(GgufMetadata::rope)
            .orElse(rope(first));
  }

  /** Whether all layers are of kinds that files of this format have. */
  static boolean fits(Architecture model) {
    return !model.layers().isEmpty()
        && IntStream.range(0, model.layers().size())
            .allMatch(
                layer ->
                    List.of(ATTENTION, "gated-convolution", MAMBA, MAMBA2)
                            .contains(mixer(model, layer).type())
                        && List.of("gated-mlp", "moe", NOTHING)
                            .contains(part(model, layer, Role.CHANNEL).type()));
  }

  static Part mixer(Architecture model, int layer) {
    return part(model, layer, Role.MIXER);
  }

  static Part channel(Architecture model, int layer) {
    return part(model, layer, Role.CHANNEL);
  }

  private static Part part(Architecture model, int layer, Role role) {
    return model.layers().get(layer).steps().stream()
        .map(Step::branches)
        .flatMap(List::stream)
        .filter(branch -> branch.role() == role)
        .map(Branch::part)
        .findFirst()
        .orElse(Part.of(NOTHING));
  }

  private static Stream<Part> parts(Layer layer) {
    return layer.steps().stream().flatMap(step -> step.branches().stream()).map(Branch::part);
  }

  private static Stream<Part> parts(Architecture model) {
    return model.layers().stream().flatMap(GgufMetadata::parts);
  }

  /** The first part of a type, or one without settings. */
  static Part firstOf(Architecture model, String type) {
    return firstOf(parts(model), type);
  }

  private static Part firstOf(Stream<Part> parts, String type) {
    return parts.filter(part -> part.type().equals(type)).findFirst().orElse(Part.of(NOTHING));
  }

  @SuppressWarnings("unchecked")
  private static Map<String, Object> rope(Part attention) {
    return attention.settings().get("rope") instanceof Map<?, ?> rope
        ? (Map<String, Object>) rope
        : Map.of();
  }

  /** A setting of the first layer that attends, or null. */
  Object mixer(String setting) {
    return first.settings().get(setting);
  }

  /** A setting of the first layer's channel mixer, or null. */
  Object channel(String setting) {
    return channel.settings().get(setting);
  }

  /** Whether any layer has a part of a type. */
  boolean has(String type) {
    return firstOf(model, type).type().equals(type);
  }

  /** A setting of the first part of a type, or null. */
  Object part(String type, String setting) {
    return firstOf(model, type).settings().get(setting);
  }

  /** How many layers there are before the first with a channel mixer of this type. */
  int layersBefore(String type) {
    int layer = 0;
    while (layer < model.layers().size() && !part(model, layer, Role.CHANNEL).type().equals(type)) {
      layer++;
    }
    return layer;
  }

  /** The rows that all decoders share. */
  GgufMetadata decoder() {
    gguf.text("general.architecture", prefix.substring(0, prefix.length() - 1))
        .text("general.type", "model")
        .u32("general.quantization_version", 2);
    return u32("block_count", model.layers().size())
        .u32("context_length", model.context())
        .u32("embedding_length", model.width())
        .u32("vocab_size", model.vocabulary())
        .attention()
        .f32("attention.layer_norm_rms_epsilon", model.norm().epsilon())
        .u32("rope.dimension_count", rope.get("dims"))
        .f32("rope.freq_base", rope.get("theta"))
        .scaling();
  }

  /** Layers without attention have no key–value heads. */
  private GgufMetadata attention() {
    if (!has(ATTENTION)) {
      return none("attention.head_count");
    }
    return u32("attention.head_count", mixer("heads"))
        .u32("attention.key_length", mixer("headDim"))
        .u32("attention.value_length", mixer("headDim"))
        .counts("attention.head_count_kv", ATTENTION, "kvHeads");
  }

  private GgufMetadata scaling() {
    if (rope.get("type") instanceof String type && List.of("linear", "yarn").contains(type)) {
      gguf.text(prefix + SCALING + "type", type);
      f32(SCALING + "factor", rope.get("factor"));
      u32(SCALING + "original_context_length", rope.get("original"));
    }
    return this;
  }

  /** The base of the rotation in layers with a window, where that is another one. */
  GgufMetadata swa() {
    Object theta = rope(first).get("theta");
    return theta == null || theta.equals(rope.get("theta"))
        ? this
        : f32("rope.freq_base_swa", theta);
  }

  /** The rows of Mamba-2 layers, which there must be. */
  GgufMetadata mamba2() {
    int heads = (Integer) part(MAMBA2, "heads");
    return u32("ssm.conv_kernel", part(MAMBA2, "taps"))
        .u32("ssm.state_size", part(MAMBA2, "stateSize"))
        .u32("ssm.group_count", part(MAMBA2, "groups"))
        .u32("ssm.time_step_rank", heads)
        .u32("ssm.inner_size", (long) heads * (Integer) part(MAMBA2, "headDim"));
  }

  /** A whole number, if there is one. */
  GgufMetadata u32(String key, Object value) {
    if (value instanceof Number number && number.longValue() > 0) {
      gguf.u32(prefix + key, number.longValue());
    }
    return this;
  }

  /** Zeros for what the model has none of, which readers ask for. */
  GgufMetadata none(String... keys) {
    for (String key : keys) {
      gguf.u32(prefix + key, 0);
    }
    return this;
  }

  /** A whole number for each layer, 0 where there is none; one for all where all have the same. */
  private GgufMetadata counts(String key, String type, String setting) {
    int[] counts =
        model.layers().stream()
            .map(layer -> firstOf(parts(layer), type).settings().get(setting))
            .mapToInt(count -> count == null ? 0 : (Integer) count)
            .toArray();
    if (IntStream.of(counts).distinct().count() == 1) {
      return u32(key, counts[0]);
    }
    gguf.i32s(prefix + key, counts);
    return this;
  }

  /** The rows of blocks with or without experts, all of the first block's size. */
  GgufMetadata block() {
    return u32("feed_forward_length", channel("inner"))
        .u32("expert_count", part("moe", "experts"))
        .u32("expert_used_count", part("moe", "top"));
  }

  GgufMetadata flag(String key, boolean value) {
    gguf.flag(prefix + key, value);
    return this;
  }

  /** The rows of Mamba layers. */
  GgufMetadata mamba() {
    return u32("ssm.conv_kernel", part(MAMBA, "taps"))
        .u32("ssm.inner_size", part(MAMBA, "inner"))
        .u32("ssm.state_size", part(MAMBA, "stateSize"))
        .u32("ssm.time_step_rank", part(MAMBA, "dtRank"));
  }

  /** A number, if there is one other than zero. */
  GgufMetadata f32(String key, Object value) {
    if (value instanceof Number number && number.floatValue() != 0) {
      gguf.f32(prefix + key, number.floatValue());
    }
    return this;
  }

  /** The factors by which pairs turn slower, in place of Llama 3's rule; none without it. */
  float[] factors() {
    if (!"llama3".equals(rope.get("type"))) {
      return new float[0];
    }
    int dims = (Integer) rope.get("dims");
    double factor = number("factor");
    double low = number("original") / number("lowFrequency");
    double high = number("original") / number("highFrequency");
    float[] factors = new float[dims / 2];
    for (int i = 0; i < factors.length; i++) {
      float frequency = 1 / (float) StrictMath.pow(number("theta"), 2f * i / dims);
      double wavelength = 2 * Math.PI / frequency;
      double smooth =
          (number("original") / wavelength - number("lowFrequency"))
              / (number("highFrequency") - number("lowFrequency"));
      factors[i] =
          wavelength < high
              ? 1
              : wavelength > low ? (float) factor : (float) (1 / ((1 - smooth) / factor + smooth));
    }
    return factors;
  }

  private double number(String setting) {
    return ((Number) rope.get(setting)).doubleValue();
  }
}
