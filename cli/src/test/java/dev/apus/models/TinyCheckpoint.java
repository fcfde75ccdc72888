package dev.apus.models;

import dev.apus.core.ModelOptions;
import dev.apus.core.RandomCheckpoint;
import dev.apus.core.config.Config;
import dev.apus.core.file.Safetensors;
import dev.apus.core.file.SafetensorsWriter;
import dev.apus.core.file.TensorFile;
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
 * A folder in the Hugging Face layout with weights from a seed, for families whose layers are named
 * like Llama's, or as LFM2 renames them. Every value is a multiple of 1/128, which all formats of
 * single values hold exactly.
 */
final class TinyCheckpoint {

  /** What LFM2 calls what Llama has, too. */
  private static final String[] LFM2 = {
    "input_layernorm", "operator_norm",
    "post_attention_layernorm", "ffn_norm",
    "model.norm", "model.embedding_norm",
    "self_attn.o_proj", "self_attn.out_proj",
    "q_norm", "q_layernorm",
    "k_norm", "k_layernorm",
    "mlp.", "feed_forward.",
    "gate_proj", "w1",
    "up_proj", "w3",
    "down_proj", "w2",
  };

  private final Config config;
  private final String type;
  private final boolean lfm2;
  private final int width;
  private final Map<String, List<Long>> shapes = new LinkedHashMap<>();

  private TinyCheckpoint(Config config) {
    this.config = config;
    this.type = config.word("model_type");
    this.lfm2 = type.startsWith("lfm2");
    this.width = config.positive("hidden_size");
  }

  static Path write(Path folder, String family, long seed) throws IOException {
    return write(folder, TinyModels.resource("/configs/" + family + ".json"), seed);
  }

  /** Writes {@code config.json} and {@code model.safetensors}. */
  static Path write(Path folder, byte[] json, long seed) throws IOException {
    Files.createDirectories(folder);
    Files.write(folder.resolve("config.json"), json);
    Config config = Config.parse("config.json", json);
    TinyCheckpoint checkpoint = new TinyCheckpoint(config);
    if (config.has("linear_conv_kernel_dim")) {
      checkpoint.shapesOf(RandomCheckpoint.of(config, ModelOptions.standard()), folder);
    } else {
      checkpoint.addTensors();
    }
    checkpoint.tensors(seed).write(folder.resolve("model.safetensors"));
    return folder;
  }

  /** Hybrids have the tensors that random checkpoints have, which are those of the reference. */
  private void shapesOf(RandomCheckpoint random, Path folder) throws IOException {
    Path written = folder.resolveSibling("shapes");
    random.writeFolder(written, WeightFormat.BF16, 1);
    try (TensorFile tensors = Safetensors.openFolder(written)) {
      tensors.tensors().forEach((name, tensor) -> shapes.put(name, tensor.shape()));
    }
  }

  private void addTensors() {
    add("model.embed_tokens.weight", config.positive("vocab_size"), width);
    for (int i = 0; i < config.positive("num_hidden_layers"); i++) {
      String layer = "model.layers." + i + ".";
      norms(layer);
      if (lfm2 && config.words("layer_types").get(i).equals("conv")) {
        convolution(layer + "conv.");
      } else {
        attention(layer + "self_attn.");
      }
      channel(layer, i >= config.count("num_dense_layers", 0));
    }
    add("model.norm.weight", width);
    if (!config.flag("tie_word_embeddings")) {
      add("lm_head.weight", config.positive("vocab_size"), width);
    }
  }

  private SafetensorsWriter tensors(long seed) {
    var random = new SplittableRandom(seed);
    var writer = new SafetensorsWriter();
    shapes.forEach((name, shape) -> writer.add(name, "BF16", shape, values(name, shape, random)));
    return writer;
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
    if (lfm2 || type.startsWith("qwen3") || type.startsWith("gemma3")) {
      add(layer + "q_norm.weight", headDim);
      add(layer + "k_norm.weight", headDim);
    }
    if (type.equals("olmoe")) {
      add(layer + "q_norm.weight", inner);
      add(layer + "k_norm.weight", keys);
    }
  }

  private void convolution(String prefix) {
    add(prefix + "in_proj.weight", 3 * width, width);
    add(prefix + "conv.weight", width, 1, config.positive("conv_L_cache"));
    add(prefix + "out_proj.weight", width, width);
  }

  private void channel(String layer, boolean sparse) {
    int inner = config.positive("intermediate_size");
    int experts = config.count("num_local_experts", config.count("num_experts", 0));
    if (experts == 0 || !sparse) {
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
    if (lfm2) {
      add(moe + "expert_bias", experts);
    }
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
    String renamed = name;
    for (int i = 0; lfm2 && i < LFM2.length; i += 2) {
      renamed = renamed.replace(LFM2[i], LFM2[i + 1]);
    }
    shapes.put(renamed, Arrays.stream(shape).boxed().toList());
  }

  private MemorySegment values(String name, List<Long> shape, SplittableRandom random) {
    boolean norm = name.endsWith("norm.weight");
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
