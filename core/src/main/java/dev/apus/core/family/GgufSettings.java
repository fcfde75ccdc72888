package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.config.ConfigException;
import dev.apus.core.file.Gguf;
import dev.apus.core.file.StoredTensor;
import dev.apus.core.model.Architecture;
import dev.apus.core.weight.StoredRows;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The metadata of a GGUF file, put into the words of a config key by key: the first of the two
 * tables of a {@link GgufFamily}. Keys are named without the architecture that they begin with.
 */
final class GgufSettings {

  /** ggml's number for routers that take the softmax of all scores. */
  static final long SOFTMAX = 1;

  /** ggml's number for routers that take the sigmoid of each score. */
  static final long SIGMOID = 2;

  private static final String EMBEDDING = "token_embd.weight";
  private static final String SCALING = "rope.scaling.";

  private final Gguf file;
  private final String prefix;
  private final Config metadata;
  private final Map<String, Object> untold;
  private final Map<String, Object> settings = new LinkedHashMap<>();
  private final Map<String, String> spelled = new LinkedHashMap<>();

  /** Whether keys and values of a head are equally long and turn as a whole. */
  private boolean plainHeads;

  private GgufSettings(Gguf file) {
    this.file = file;
    this.prefix = file.metadata().get("general.architecture") + ".";
    this.untold = new LinkedHashMap<>(file.metadata());
    untold.keySet().removeIf(key -> !key.startsWith(prefix));
    this.metadata = Config.of(file.name(), untold);
  }

  /** A table with the rows that all decoders of attention layers share. */
  static GgufSettings decoder(Gguf file) {
    return decoder(file, true);
  }

  /** The same for models whose tokens see those after them. */
  static GgufSettings denoiser(Gguf file) {
    return decoder(file, false);
  }

  private static GgufSettings decoder(Gguf file, boolean causal) {
    var table =
        layers(file)
            .attention(causal)
            .required("attention.layer_norm_rms_epsilon", "rms_norm_eps")
            .row("attention.head_count_kv", "num_key_value_heads")
            .row("feed_forward_length", "intermediate_size")
            .row("rope.freq_base", "rope_theta", 10_000.0)
            .harmless("rope.dimension_count");
    table.stretch();
    return table;
  }

  /** A table with the rows that all models share, whatever their layers are. */
  static GgufSettings layers(Gguf file) {
    var table =
        new GgufSettings(file)
            .required("context_length", "max_position_embeddings")
            .required("embedding_length", "hidden_size")
            .required("block_count", "num_hidden_layers")
            .harmless("vocab_size", "tensor_data_layout")
            .set("tie_word_embeddings", !file.tensors().containsKey("output.weight"));
    table.vocabulary();
    table.endTokens();
    return table;
  }

  /** The rows of attention without positions. */
  GgufSettings attention() {
    return attention(true);
  }

  private GgufSettings attention(boolean causal) {
    plainHeads = true;
    return required("attention.head_count", "num_attention_heads")
        .row("attention.key_length", "head_dim")
        .only("attention.causal", causal)
        .harmless("attention.value_length");
  }

  /**
   * The rows of Mamba layers.
   *
   * @param conv what the config calls the length of the convolution; likewise the others
   */
  GgufSettings mamba(String conv, String state, String rank) {
    return required("ssm.conv_kernel", conv)
        .required("ssm.state_size", state)
        .required("ssm.time_step_rank", rank);
  }

  /** A setting under this key, if it is there. */
  GgufSettings row(String key, String setting) {
    spelled.put(setting, prefix + key);
    Object value = raw(key);
    return value == null ? this : set(setting, decimal(value));
  }

  /** Converters round a config's decimal numbers to floats, of which this is the decimal again. */
  private static Object decimal(Object value) {
    return value instanceof Double number && number == number.floatValue()
        ? Double.valueOf(Float.toString(number.floatValue()))
        : value;
  }

  GgufSettings row(String key, String setting, Object absent) {
    return has(key) ? row(key, setting) : set(setting, absent).row(key, setting);
  }

  /** A setting that every file must have, even where configs need not. */
  GgufSettings required(String key, String setting) {
    if (!has(key)) {
      throw metadata.error("the metadata key %s%s is missing", prefix, key);
    }
    return row(key, setting);
  }

  /** A setting that follows from something else than a key. Dots lead into sections. */
  GgufSettings set(String setting, Object value) {
    Map<String, Object> section = settings;
    String[] path = setting.split("\\.");
    for (String step : List.of(path).subList(0, path.length - 1)) {
      section = sectionOf(section, step);
    }
    section.put(path[path.length - 1], value);
    return this;
  }

  @SuppressWarnings("unchecked")
  private static Map<String, Object> sectionOf(Map<String, Object> settings, String key) {
    return (Map<String, Object>) settings.computeIfAbsent(key, k -> new LinkedHashMap<>());
  }

  /** A key that must not be there with any other value than the one that can be run. */
  GgufSettings only(String key, Object value) {
    Object found = raw(key);
    if (found != null && !found.equals(value)) {
      throw metadata.error("%s%s=%s is not supported; supported: %s", prefix, key, found, value);
    }
    return this;
  }

  /** Keys that change nothing, or that something else says better. */
  GgufSettings harmless(String... keys) {
    for (String key : keys) {
      raw(key);
    }
    return this;
  }

  /** Heads that are not turned, however many of their values files say to turn. */
  GgufSettings withoutRotation() {
    plainHeads = false;
    return this;
  }

  /** The shape of Mamba-2 layers, under a config's names. */
  GgufSettings mamba2(String heads, String headDim, String groups, String stateSize, String taps) {
    int inner = count("ssm.inner_size", 0);
    int count = count("ssm.time_step_rank", 0);
    if (inner < 1 || count < 1 || inner % count != 0) {
      throw metadata.error(
          "%sssm.inner_size=%d must be that many values of each of %sssm.time_step_rank=%d heads",
          prefix, inner, prefix, count);
    }
    return set(headDim, inner / count)
        .required("ssm.time_step_rank", heads)
        .row("ssm.group_count", groups, 1)
        .required("ssm.state_size", stateSize)
        .required("ssm.conv_kernel", taps);
  }

  ConfigException error(String message, Object... parts) {
    return metadata.error(message, parts);
  }

  /** Heads of which only the first part is turned. */
  GgufSettings turnedInPart() {
    plainHeads = false;
    int headDim = count("attention.key_length", 0);
    int dims = count("rope.dimension_count", headDim);
    only("attention.value_length", (long) headDim);
    // A share that is rounded down would lose the last value.
    return headDim == 0
        ? required("attention.key_length", "head_dim")
        : set("partial_rotary_factor", Math.nextUp((double) dims / headDim));
  }

  /**
   * Latent attention. Files describe it as one key–value head as long as the latent, and its real
   * heads apart; older files have these alone.
   */
  GgufSettings latent() {
    plainHeads = false;
    String real = has("attention.key_length_mla") ? "_mla" : "";
    int shared = count("rope.dimension_count", 0);
    int keyLength = count("attention.key_length" + real, 0);
    return required("attention.kv_lora_rank", "kv_lora_rank")
        .row("attention.q_lora_rank", "q_lora_rank")
        .required("rope.dimension_count", "qk_rope_head_dim")
        .required("attention.key_length" + real, "qk_head_dim")
        .required("attention.value_length" + real, "v_head_dim")
        .set("qk_nope_head_dim", keyLength - shared)
        .set("head_dim", keyLength)
        .set("num_key_value_heads", count("attention.head_count", 0));
  }

  boolean has(String key) {
    return metadata.has(prefix + key);
  }

  int count(String key, int absent) {
    raw(key);
    return metadata.count(prefix + key, absent);
  }

  /** A count divided by another. */
  int share(String key, String by) {
    raw(key);
    raw(by);
    return metadata.share(prefix + key, prefix + by);
  }

  /** The value under a key, which is told then, or null. */
  Object raw(String key) {
    untold.remove(prefix + key);
    return metadata.raw(prefix + key);
  }

  boolean stores(String tensor) {
    return file.tensors().containsKey(tensor);
  }

  /**
   * Key–value heads that are counted layer by layer, 0 where a layer does not attend.
   *
   * @param other what the config calls the type of layers that do not
   */
  GgufSettings headsByLayer(String other) {
    String key = "attention.head_count_kv";
    if (raw(key) == null || raw(key) instanceof Long) {
      return this;
    }
    List<Integer> counts = byLayer(key);
    return set("num_key_value_heads", onlyOne(key, counts))
        .set("layer_types", counts.stream().map(n -> n == 0 ? other : "full_attention").toList());
  }

  /** A number for each layer, which a file may say once for all. */
  List<Integer> byLayer(String key) {
    int layers = count("block_count", 0);
    Object value = raw(key);
    if (value == null || value instanceof Number) {
      return Collections.nCopies(
          Math.min(layers, Architecture.MOST_LAYERS), metadata.count(prefix + key));
    }
    List<Integer> numbers = metadata.integers(prefix + key);
    if (numbers.size() != layers) {
      throw metadata.error(
          "%s%s counts for %d layers, %sblock_count=%d",
          prefix, key, numbers.size(), prefix, layers);
    }
    return numbers;
  }

  /** The number that layers have which have one, or null if none has. */
  Integer onlyOne(String key, List<Integer> byLayer) {
    List<Integer> numbers = byLayer.stream().filter(n -> n != 0).distinct().toList();
    if (numbers.size() > 1) {
      throw metadata.error(
          "%s%s=%s is not supported; layers that have any must have equally many",
          prefix, key, byLayer);
    }
    return numbers.isEmpty() ? null : numbers.getFirst();
  }

  /** Whether any layer has a tensor of this name. */
  boolean storesInLayers(String tensor) {
    return file.tensors().keySet().stream().anyMatch(name -> name.endsWith("." + tensor));
  }

  /** A tensor of factors by which pairs turn slower, as a setting of the rotation. */
  GgufSettings ropeFactors(String tensor) {
    StoredTensor stored = file.tensors().get(tensor);
    if (stored == null) {
      return this;
    }
    if (settings.containsKey("rope_scaling")) {
      throw metadata.error(
          "the tensor %s and %s%stype both stretch the context", tensor, prefix, SCALING);
    }
    float[] factors = StoredRows.of(stored).decode();
    int pairs = new Decoder(config()).headDim / 2;
    if (factors.length != pairs) {
      throw metadata.error(
          "the tensor %s has %d values; a head has %d pairs", tensor, factors.length, pairs);
    }
    return set("rope_scaling.rope_type", "factors").set("rope_scaling.factors", factors);
  }

  /** The config; keys that no row has named are in it as they are. */
  Config config() {
    Map<String, Object> all = new LinkedHashMap<>(settings);
    all.putAll(untold);
    Config config = Config.of(file.name(), all, spelled);
    if (plainHeads) {
      long headDim = new Decoder(config).headDim;
      only("attention.value_length", headDim).only("rope.dimension_count", headDim);
    }
    return config;
  }

  /** Converters cut and pad vocabularies, so the embedding is what says how large it is. */
  private void vocabulary() {
    StoredTensor embedding = file.tensors().get(EMBEDDING);
    if (embedding == null || embedding.shape().isEmpty()) {
      throw metadata.error("there is no tensor %s with a row for each token", EMBEDDING);
    }
    set("vocab_size", embedding.shape().getFirst());
  }

  private void endTokens() {
    List<Object> ids = new ArrayList<>();
    for (String name : new String[] {"eos", "eot"}) {
      Object id = file.metadata().get("tokenizer.ggml." + name + "_token_id");
      if (id != null) {
        ids.add(id);
      }
    }
    spelled.put("eos_token_id", "tokenizer.ggml.eos_token_id");
    set("eos_token_id", ids);
  }

  /** How the rotation is stretched to longer contexts; a factor without a type is linear. */
  private void stretch() {
    String type = metadata.choice(prefix + SCALING + "type", "linear", "none", "linear", "yarn");
    harmless(SCALING + "type", SCALING + "finetuned");
    if (type.equals("none") || (type.equals("linear") && !has(SCALING + "factor"))) {
      harmless(SCALING + "factor", SCALING + "original_context_length");
      return;
    }
    set("rope_scaling.rope_type", type)
        .row(SCALING + "factor", "rope_scaling.factor")
        .row(SCALING + "original_context_length", "rope_scaling.original_max_position_embeddings");
    if (type.equals("yarn")) {
      row(SCALING + "yarn_beta_fast", "rope_scaling.beta_fast");
      row(SCALING + "yarn_beta_slow", "rope_scaling.beta_slow");
      row(SCALING + "yarn_attn_factor", "rope_scaling.attention_factor");
      only(SCALING + "yarn_ext_factor", 1.0);
    }
  }
}
