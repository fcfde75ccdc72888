package dev.apus.models;

import dev.apus.core.config.Config;
import dev.apus.core.file.SafetensorsWriter;
import dev.apus.kernels.block.WeightFormat;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * A folder in the Hugging Face layout with weights from a seed, for families that come as GGUF
 * files. Every value is a multiple of 1/128, which all formats of single values hold exactly.
 */
final class TinyCheckpoint {

  private final Config config;
  private final String type;
  private final int width;
  private final Map<String, List<Long>> shapes = new LinkedHashMap<>();

  private TinyCheckpoint(Config config) {
    this.config = config;
    this.type = config.word("model_type");
    this.width = config.positive("hidden_size");
  }

  static Path write(Path folder, String family, long seed) throws IOException {
    return write(folder, TinyModels.resource("/configs/" + family + ".json"), seed);
  }

  /** Writes {@code config.json} and {@code model.safetensors}. */
  static Path write(Path folder, byte[] json, long seed) throws IOException {
    Files.createDirectories(folder);
    Files.write(folder.resolve("config.json"), json);
    new TinyCheckpoint(Config.parse("config.json", json))
        .tensors(seed)
        .write(folder.resolve("model.safetensors"));
    return folder;
  }

  private SafetensorsWriter tensors(long seed) {
    switch (type) {
      case "mamba", "falcon_mamba" -> mamba();
      case "jamba" -> jamba();
      default -> llama();
    }
    if (!config.flag("tie_word_embeddings")) {
      add("lm_head.weight", config.positive("vocab_size"), width);
    }
    var random = new SplittableRandom(seed);
    var writer = new SafetensorsWriter();
    shapes.forEach((name, shape) -> writer.add(name, "BF16", shape, values(name, shape, random)));
    return writer;
  }

  private void llama() {
    add("model.embed_tokens.weight", config.positive("vocab_size"), width);
    for (int i = 0; i < config.positive("num_hidden_layers"); i++) {
      norms("model.layers." + i + ".");
      attention("model.layers." + i + ".self_attn.");
      channel("model.layers." + i + ".");
    }
    add("model.norm.weight", width);
  }

  private void mamba() {
    add("backbone.embeddings.weight", config.positive("vocab_size"), width);
    for (int i = 0; i < config.positive("num_hidden_layers"); i++) {
      add("backbone.layers." + i + ".norm.weight", width);
      mixer("backbone.layers." + i + ".mixer.", "expand", "state_size", "time_step_rank");
    }
    add("backbone.norm_f.weight", width);
  }

  private void jamba() {
    add("model.embed_tokens.weight", config.positive("vocab_size"), width);
    int inner = config.positive("intermediate_size");
    for (int i = 0; i < config.positive("num_hidden_layers"); i++) {
      String layer = "model.layers." + i + ".";
      add(layer + "input_layernorm.weight", width);
      add(layer + "pre_ff_layernorm.weight", width);
      if (i % config.positive("attn_layer_period") == config.count("attn_layer_offset")) {
        attention(layer + "self_attn.");
      } else {
        mixer(layer + "mamba.", "mamba_expand", "mamba_d_state", "mamba_dt_rank");
        add(layer + "mamba.dt_layernorm.weight", config.positive("mamba_dt_rank"));
        add(layer + "mamba.b_layernorm.weight", config.positive("mamba_d_state"));
        add(layer + "mamba.c_layernorm.weight", config.positive("mamba_d_state"));
      }
      String block = layer + "feed_forward.";
      if (i % config.positive("expert_layer_period") != config.count("expert_layer_offset")) {
        block(block, inner, "gate_proj", "up_proj", "down_proj");
        continue;
      }
      add(block + "router.weight", config.positive("num_experts"), width);
      for (int e = 0; e < config.positive("num_experts"); e++) {
        block(block + "experts." + e + ".", inner, "gate_proj", "up_proj", "down_proj");
      }
    }
    add("model.final_layernorm.weight", width);
  }

  private void mixer(String prefix, String expand, String state, String rank) {
    int inner = config.positive(expand) * width;
    int stateSize = config.positive(state);
    int dtRank = config.positive(rank);
    add(prefix + "in_proj.weight", 2L * inner, width);
    add(prefix + "conv1d.weight", inner, 1, 4);
    add(prefix + "conv1d.bias", inner);
    add(prefix + "x_proj.weight", dtRank + 2L * stateSize, inner);
    add(prefix + "dt_proj.weight", inner, dtRank);
    add(prefix + "dt_proj.bias", inner);
    add(prefix + "A_log", inner, stateSize);
    add(prefix + "D", inner);
    add(prefix + "out_proj.weight", width, inner);
  }

  private void norms(String layer) {
    List<String> names =
        type.startsWith("gemma")
            ? List.of("post_attention", "pre_feedforward", "post_feedforward")
            : List.of("post_attention");
    add(layer + "input_layernorm.weight", width);
    names.forEach(name -> add(layer + name + "_layernorm.weight", width));
  }

  private void attention(String layer) {
    int heads = config.positive("num_attention_heads");
    int headDim = config.positive("head_dim", width / heads);
    int inner = heads * headDim;
    int keys = config.positive("num_key_value_heads") * headDim;
    add(layer + "q_proj.weight", inner, width);
    add(layer + "k_proj.weight", keys, width);
    add(layer + "v_proj.weight", keys, width);
    add(layer + "o_proj.weight", width, inner);
    if (type.startsWith("qwen2") || config.flag("attention_bias", false)) {
      add(layer + "q_proj.bias", inner);
      add(layer + "k_proj.bias", keys);
      add(layer + "v_proj.bias", keys);
    }
    if (config.flag("attention_bias", false)) {
      add(layer + "o_proj.bias", width);
    }
    if (type.startsWith("qwen3") || type.startsWith("gemma3")) {
      add(layer + "q_norm.weight", headDim);
      add(layer + "k_norm.weight", headDim);
    }
    if (type.equals("olmoe")) {
      add(layer + "q_norm.weight", inner);
      add(layer + "k_norm.weight", keys);
    }
  }

  private void channel(String layer) {
    int inner = config.positive("intermediate_size");
    int experts = config.count("num_local_experts", config.count("num_experts", 0));
    if (experts == 0) {
      block(layer + "mlp.", inner, "gate_proj", "up_proj", "down_proj");
      return;
    }
    int shared = config.count("shared_expert_intermediate_size", 0);
    if (shared > 0) {
      block(layer + "mlp.shared_expert.", shared, "gate_proj", "up_proj", "down_proj");
      add(layer + "mlp.shared_expert_gate.weight", 1, width);
    }
    boolean mixtral = type.equals("mixtral");
    String moe = layer + (mixtral ? "block_sparse_moe." : "mlp.");
    add(moe + "gate.weight", experts, width);
    for (int e = 0; e < experts; e++) {
      if (mixtral) {
        block(moe + "experts." + e + ".", inner, "w1", "w3", "w2");
      } else {
        int each = config.positive("moe_intermediate_size", inner);
        block(moe + "experts." + e + ".", each, "gate_proj", "up_proj", "down_proj");
      }
    }
  }

  private void block(String prefix, int inner, String gate, String up, String down) {
    add(prefix + gate + ".weight", inner, width);
    add(prefix + up + ".weight", inner, width);
    add(prefix + down + ".weight", width, inner);
    if (config.flag("mlp_bias", false)) {
      add(prefix + gate + ".bias", inner);
      add(prefix + up + ".bias", inner);
      add(prefix + down + ".bias", width);
    }
  }

  private void add(String name, long... shape) {
    shapes.put(name, Arrays.stream(shape).boxed().toList());
  }

  private MemorySegment values(String name, List<Long> shape, SplittableRandom random) {
    boolean norm = name.matches(".*norm(_f)?\\.weight");
    double center = norm && !type.startsWith("gemma") ? 1 : 0;
    double spread = shape.size() > 1 ? Math.sqrt(3.0 / shape.getLast()) : 0.2;
    int count = Math.toIntExact(shape.stream().reduce(1L, Math::multiplyExact));
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      double value = center + spread * (2 * random.nextDouble() - 1);
      values[i] = Math.round(128 * value) / 128f;
    }
    MemorySegment data = MemorySegment.ofArray(new byte[2 * count]);
    WeightFormat.BF16.codec().encode(values, 0, data, 0, count);
    return data;
  }
}
