package dev.apus.core.family;

import dev.apus.core.file.GgufWriter;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Branch;
import dev.apus.core.model.Architecture.Layer;
import dev.apus.core.model.Architecture.Role;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.model.Visibility;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.function.ToIntFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * What each key of GGUF metadata says of a model: {@link GgufSettings} the other way. Keys mean the
 * same in all kinds of files, so that this is one table for all. Which of them a kind of file has,
 * its reading table says: the others are {@linkplain #drop dropped}. Keys are named without the
 * architecture that they begin with.
 *
 * <p>Parts are described by the first of each kind, and the rotation by that of layers without a
 * window. What others have otherwise shows when the model is compared with what comes of the
 * metadata.
 */
public final class GgufMetadata {

  private static final String SCALING = "rope.scaling.";
  private static final String ATTENTION = "attention";
  private static final String LATENT = "latent-attention";
  private static final String DELTA = "gated-delta-net";

  /** That of the norm of an index's keys. */
  private static final double INDEX_EPSILON = 1e-6;

  /** Stands for a part that no layer has. */
  private static final Part NOTHING = Part.of("nothing");

  private final Architecture model;
  private final String prefix;
  private final Part attention;
  private final Part windowed;
  private final Part moe;
  private final Map<String, Object> rope;
  private final Map<String, Object> said = new LinkedHashMap<>();

  GgufMetadata(Architecture model, String architecture) {
    this.model = model;
    this.prefix = architecture + ".";
    this.attention = part(ATTENTION);
    this.windowed = first(GgufMetadata::hasWindow);
    this.moe = part("moe");
    Part turned = first(part -> !rope(part).isEmpty() && !hasWindow(part));
    this.rope = rope(turned == NOTHING ? windowed : turned);
    global("general.architecture", architecture);
    global("general.type", "model");
    global("general.quantization_version", 2L);
    whole();
    attention();
    latent();
    rotation();
    experts();
    recurrences();
  }

  private static Stream<Part> parts(Layer layer) {
    return layer.steps().stream().flatMap(step -> step.branches().stream()).map(Branch::part);
  }

  private Part first(Predicate<Part> wanted) {
    return model.layers().stream()
        .flatMap(GgufMetadata::parts)
        .filter(wanted)
        .findFirst()
        .orElse(NOTHING);
  }

  /** The first part of a type, or one without settings. */
  Part part(String type) {
    return first(part -> part.type().equals(type));
  }

  private boolean has(String type) {
    return part(type) != NOTHING;
  }

  private static boolean hasWindow(Part part) {
    return part.settings().containsKey("window");
  }

  @SuppressWarnings("unchecked")
  private static Map<String, Object> rope(Part attention) {
    return attention.settings().get("rope") instanceof Map<?, ?> rope
        ? (Map<String, Object>) rope
        : Map.of();
  }

  private static int number(Part part, String setting) {
    return part.settings().get(setting) instanceof Integer number ? number : 0;
  }

  private void whole() {
    NormSpec norm = model.norm();
    boolean rms = norm.type() == NormSpec.Type.RMS;
    u32("block_count", model.layers().size());
    u32("context_length", model.context());
    u32("embedding_length", model.width());
    u32("vocab_size", model.vocabulary());
    f32(rms ? "attention.layer_norm_rms_epsilon" : "attention.layer_norm_epsilon", norm.epsilon());
    f32("embedding_scale", model.embedding().scale());
    f32("logit_scale", 1 / model.head().scale());
    f32("final_logit_softcapping", model.head().softcap());
    model.layers().stream()
        .flatMap(layer -> layer.steps().stream())
        .flatMap(step -> step.branches().stream())
        .findFirst()
        .ifPresent(branch -> f32("residual_scale", branch.scale()));
  }

  /** Layers without attention have no key–value heads. */
  private void attention() {
    if (!has(ATTENTION) && !has(LATENT)) {
      say("attention.head_count", 0L);
      return;
    }
    if (model.visibility() == Visibility.BIDIRECTIONAL) {
      say("attention.causal", false);
    }
    Map<String, Object> settings = attention.settings();
    u32("attention.head_count", settings.get("heads"));
    u32("attention.key_length", settings.get("headDim"));
    u32("attention.value_length", settings.get("headDim"));
    f32("attention.scale", settings.get("scale"));
    f32("attention.clamp_kqv", settings.get("clip"));
    f32("attn_logit_softcapping", settings.get("softcap"));
    counts("attention.head_count_kv", layer -> number(in(layer, ATTENTION), "kvHeads"));
    if (windowed != NOTHING) {
      u32("attention.sliding_window", windowed.settings().get("window"));
      u32(
          "attention.sliding_window_pattern",
          Math.min(model.layers().size(), 1 + before(layer -> !hasWindow(in(layer, ATTENTION)))));
    }
    if (has(DELTA)) {
      u32("full_attention_interval", 1 + before(layer -> in(layer, DELTA) == NOTHING));
    }
  }

  private static Part in(Layer layer, String type) {
    return parts(layer).filter(part -> part.type().equals(type)).findFirst().orElse(NOTHING);
  }

  /** How many layers there are before the first of a kind. */
  private int before(Predicate<Layer> kind) {
    return (int) model.layers().stream().takeWhile(kind.negate()).count();
  }

  /** One key–value head as long as the latent; the real heads are described apart. */
  private void latent() {
    Part part = part(LATENT);
    if (part == NOTHING) {
      return;
    }
    int shared = number(part, "sharedDim");
    int latent = number(part, "latent");
    u32("attention.head_count", number(part, "heads"));
    counts("attention.head_count_kv", layer -> in(layer, LATENT) == NOTHING ? 0 : 1);
    u32("attention.key_length", latent + shared);
    u32("attention.value_length", latent);
    u32("attention.key_length_mla", number(part, "ownDim") + shared);
    u32("attention.value_length_mla", number(part, "valueDim"));
    u32("attention.kv_lora_rank", latent);
    u32("attention.q_lora_rank", number(part, "queryLatent"));
    u32("rope.dimension_count", shared);
    if (part.settings().get("index") instanceof Map<?, ?> index) {
      u32("attention.indexer.head_count", index.get("heads"));
      u32("attention.indexer.key_length", index.get("headDim"));
      u32("attention.indexer.top_k", index.get("top"));
      f32("attention.layer_norm_epsilon", INDEX_EPSILON);
      choosers();
    }
    if (part.settings().get("scale") instanceof Double scale && rope.containsKey("factor")) {
      double magnitude = Math.sqrt(scale * Math.sqrt(number(part, "ownDim") + shared));
      f32(SCALING + "yarn_log_multiplier", (magnitude - 1) / Math.log(real("factor")));
    }
  }

  /** Which layers have an index of their own, where not all have. */
  private void choosers() {
    boolean[] own = new boolean[model.layers().size()];
    int count = 0;
    for (int i = 0; i < own.length; i++) {
      own[i] = in(model.layers().get(i), LATENT).settings().containsKey("index");
      count += own[i] ? 1 : 0;
    }
    say("attention.indexer.types", count == own.length ? null : own);
  }

  private void rotation() {
    u32("rope.dimension_count", rope.get("dims"));
    f32("rope.freq_base", rope.get("theta"));
    Object local = rope(windowed).get("theta");
    if (local != null && !local.equals(rope.get("theta"))) {
      f32("rope.freq_base_swa", local);
    }
    if (rope.get("type") instanceof String type && List.of("linear", "yarn").contains(type)) {
      say(SCALING + "type", type);
      f32(SCALING + "factor", rope.get("factor"));
      u32(SCALING + "original_context_length", rope.get("original"));
      if (!Double.valueOf(32).equals(rope.get("betaFast"))) {
        f32(SCALING + "yarn_beta_fast", rope.get("betaFast"));
      }
      if (!Double.valueOf(1).equals(rope.get("betaSlow"))) {
        f32(SCALING + "yarn_beta_slow", rope.get("betaSlow"));
      }
    }
  }

  /** Blocks, dense ones before those of experts. */
  private void experts() {
    boolean dense = model.layers().stream().anyMatch(layer -> inner(layer, false) > 0);
    counts("feed_forward_length", layer -> width(layer, dense));
    if (moe == NOTHING) {
      return;
    }
    Map<String, Object> settings = moe.settings();
    int inner = number(moe, "inner");
    int shared = number(moe, "sharedInner");
    u32("expert_count", settings.get("experts"));
    u32("expert_used_count", settings.get("top"));
    u32("expert_feed_forward_length", inner);
    u32("expert_shared_feed_forward_length", shared);
    u32("expert_shared_count", shared % inner == 0 ? shared / inner : 1);
    u32("moe_latent_size", settings.get("latent"));
    u32("expert_group_count", settings.getOrDefault("groups", 1));
    u32("expert_group_used_count", settings.getOrDefault("topGroups", 1));
    f32("expert_weights_scale", settings.get("scale"));
    say("expert_weights_norm", !Boolean.FALSE.equals(settings.get("normalized")));
    boolean sigmoid = "sigmoid".equals(settings.get("score"));
    u32("expert_gating_func", sigmoid ? GgufSettings.SIGMOID : GgufSettings.SOFTMAX);
    u32("leading_dense_block_count", before(layer -> in(layer, "moe") != NOTHING));
    int[] sparse =
        IntStream.range(0, model.layers().size())
            .filter(i -> in(model.layers().get(i), "moe") != NOTHING)
            .toArray();
    u32("interleave_moe_layer_step", sparse.length < 2 ? 1 : sparse[1] - sparse[0]);
  }

  /** How wide a layer's block is; where some are dense, those of experts say what these say. */
  private int width(Layer layer, boolean dense) {
    int own = inner(layer, false);
    if (own > 0 || inner(layer, true) == 0) {
      return own;
    }
    return dense
        ? model.layers().stream().mapToInt(l -> inner(l, false)).max().orElse(0)
        : inner(layer, true);
  }

  private static int inner(Layer layer, boolean experts) {
    return layer.steps().stream()
        .flatMap(step -> step.branches().stream())
        .filter(branch -> branch.role() == Role.CHANNEL)
        .map(Branch::part)
        .filter(part -> part.type().equals("moe") == experts)
        .mapToInt(part -> number(part, "inner"))
        .findFirst()
        .orElse(0);
  }

  private void recurrences() {
    u32("shortconv.l_cache", part("gated-convolution").settings().get("taps"));
    Part mamba = part("mamba");
    if (mamba != NOTHING) {
      ssm(mamba, "stateSize", number(mamba, "inner"), number(mamba, "dtRank"));
      say("ssm.dt_b_c_rms", mamba.settings().containsKey("norm"));
    }
    Part mamba2 = part("mamba2");
    if (mamba2 != NOTHING) {
      int heads = number(mamba2, "heads");
      ssm(mamba2, "stateSize", heads * number(mamba2, "headDim"), heads);
      u32("ssm.group_count", mamba2.settings().get("groups"));
    }
    Part delta = part(DELTA);
    if (delta != NOTHING) {
      int heads = number(delta, "valueHeads");
      ssm(delta, "keyDim", heads * number(delta, "valueDim"), heads);
      u32("ssm.group_count", delta.settings().get("keyHeads"));
      u32("kda.head_dim", delta.settings().get("keyDim"));
    }
  }

  private void ssm(Part part, String state, int inner, int rank) {
    u32("ssm.conv_kernel", part.settings().get("taps"));
    u32("ssm.inner_size", inner);
    u32("ssm.state_size", part.settings().get(state));
    u32("ssm.time_step_rank", rank);
  }

  /** A whole number, if there is one. */
  private void u32(String key, Object value) {
    if (value instanceof Number number && number.longValue() > 0) {
      say(key, number.longValue());
    }
  }

  /** A number, if there is one other than zero. */
  private void f32(String key, Object value) {
    if (value instanceof Number number && number.floatValue() != 0) {
      say(key, number.floatValue());
    }
  }

  /** A whole number for each layer, 0 where there is none; one for all where all have the same. */
  private void counts(String key, ToIntFunction<Layer> ofLayer) {
    int[] counts = model.layers().stream().mapToInt(ofLayer).toArray();
    boolean one = IntStream.of(counts).distinct().count() == 1;
    say(key, one ? (Object) (long) counts[0] : counts);
  }

  /** What a kind of file says under a key in place of what others say; null for nothing. */
  GgufMetadata say(String key, Object value) {
    return global(prefix + key, value);
  }

  /** The same for a key that does not begin with the architecture. */
  GgufMetadata global(String key, Object value) {
    if (value == null) {
      said.remove(key);
    } else {
      said.put(key, value);
    }
    return this;
  }

  /**
   * Leaves out what a reader did not ask for.
   *
   * @param unread settings of the config that it gave, among them those keys under their own names
   * @return whether there were any
   */
  boolean drop(Collection<String> unread) {
    return said.keySet().removeIf(key -> key.startsWith(prefix) && unread.contains(key));
  }

  void write(GgufWriter gguf) {
    said.forEach((key, value) -> write(gguf, key, value));
  }

  private static void write(GgufWriter gguf, String key, Object value) {
    switch (value) {
      case Long whole -> gguf.u32(key, whole);
      case Float number -> gguf.f32(key, number);
      case Boolean flag -> gguf.flag(key, flag);
      case int[] numbers -> gguf.i32s(key, numbers);
      case boolean[] flags -> gguf.flags(key, flags);
      default -> gguf.text(key, (String) value);
    }
  }

  /** The factors by which pairs turn slower, in place of Llama 3's rule; none without it. */
  float[] factors() {
    if (!"llama3".equals(rope.get("type"))) {
      return new float[0];
    }
    int dims = (Integer) rope.get("dims");
    double factor = real("factor");
    double low = real("original") / real("lowFrequency");
    double high = real("original") / real("highFrequency");
    float[] factors = new float[dims / 2];
    for (int i = 0; i < factors.length; i++) {
      float frequency = 1 / (float) StrictMath.pow(real("theta"), 2f * i / dims);
      double wavelength = 2 * Math.PI / frequency;
      double smooth =
          (real("original") / wavelength - real("lowFrequency"))
              / (real("highFrequency") - real("lowFrequency"));
      factors[i] =
          wavelength < high
              ? 1
              : wavelength > low ? (float) factor : (float) (1 / ((1 - smooth) / factor + smooth));
    }
    return factors;
  }

  private double real(String setting) {
    return ((Number) rope.get(setting)).doubleValue();
  }
}
