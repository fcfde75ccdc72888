package dev.apus.models;

import dev.apus.core.config.Config;
import dev.apus.core.file.GgufWriter;
import dev.apus.core.file.StoredTensor;
import dev.apus.core.file.TensorFile;
import dev.apus.core.weight.StoredRows;
import dev.apus.kernels.block.WeightFormat;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Writes checkpoints of Mamba-2 and its hybrids as GGUF files, as llama.cpp's converter does:
 * decays for their logarithms, norms by group, fused blocks apart, experts stacked, the factors of
 * Falcon-H1 multiplied into the matrices, and the heads of Granite, Bamba and Nemotron-H turned as
 * Llama's.
 */
final class GgufStateSpaces {

  /** What replaces a pattern, each on what the ones before have left. */
  private static final String[][] NAMES = {
    {"model.embed_tokens|backbone.embeddings", "token_embd"},
    {"model.norm|model.final_layernorm|backbone.norm_f", "output_norm"},
    {"lm_head", "output"},
    {"(model|backbone).layers", "blk"},
    {"(mamba|mixer).in_proj", "ssm_in"},
    {"(mamba|mixer).conv1d", "ssm_conv1d"},
    {"(mamba|mixer).dt_bias", "ssm_dt.bias"},
    {"(mamba|mixer).A_log", "ssm_a"},
    {"(mamba|mixer).D$", "ssm_d"},
    {"(mamba|mixer).norm", "ssm_norm"},
    {"(mamba|mixer).out_proj", "ssm_out"},
    {"(\\d+).(input_layernorm|norm)", "$1.attn_norm"},
    {"post_attention_layernorm|pre_ff_layernorm", "ffn_norm"},
    {"(self_attn|mixer).([qkv])_proj", "attn_$2"},
    {"(self_attn|mixer).o_proj", "attn_output"},
    {"mixer.gate.e_score_correction_bias", "exp_probs_b.bias"},
    {"mixer.gate|block_sparse_moe.router.layer", "ffn_gate_inp"},
    {"mixer.fc1_latent_proj", "ffn_latent_down"},
    {"mixer.fc2_latent_proj", "ffn_latent_up"},
    {"mixer.experts.\\d+.(up|down)_proj", "ffn_$1_exps"},
    {"mixer.shared_experts.(up|down)_proj", "ffn_$1_shexp"},
    {"(mixer|feed_forward).(gate|up|down)_proj", "ffn_$2"},
    {"block_sparse_moe.output_linear", "ffn_down_exps"},
  };

  private final Config config;
  private final WeightFormat format;
  private final String type;
  private final Arena arena = Arena.ofAuto();
  private final GgufWriter gguf = new GgufWriter();
  private final Map<String, Map<Integer, StoredTensor>> experts = new TreeMap<>();

  private GgufStateSpaces(Config config, WeightFormat format) {
    this.config = config;
    this.format = format;
    this.type = config.word("model_type");
  }

  static GgufWriter convert(Config config, TensorFile tensors, WeightFormat format) {
    var converter = new GgufStateSpaces(config, format);
    new GgufStateSpacesMetadata(config, converter.gguf).write();
    tensors.tensors().values().forEach(converter::add);
    converter.experts.forEach(converter::stack);
    return converter.gguf;
  }

  private static String renamed(String name) {
    String renamed = name;
    for (String[] rule : NAMES) {
      renamed = renamed.replaceAll(rule[0], rule[1]);
    }
    return renamed;
  }

  private void add(StoredTensor tensor) {
    String name = tensor.name();
    if (name.contains(".experts.")) {
      int expert = Integer.parseInt(name.replaceAll(".*\\.experts\\.(\\d+)\\..*", "$1"));
      experts.computeIfAbsent(renamed(name), k -> new TreeMap<>()).put(expert, tensor);
      return;
    }
    float[] values = StoredRows.of(tensor).decode();
    List<Long> shape = tensor.shape();
    if (name.endsWith("input_linear.weight")) {
      halves(name, shape, values);
      return;
    }
    if (name.endsWith("A_log")) {
      for (int i = 0; i < values.length; i++) {
        values[i] = (float) -StrictMath.exp(values[i]);
      }
    }
    if (name.endsWith("A_log") || name.endsWith(".D")) {
      shape = List.of((long) values.length, 1L);
    } else if (name.matches(".*(mamba|mixer)\\.norm\\.weight")) {
      long groups = config.positive(config.has("n_groups") ? "n_groups" : "mamba_n_groups");
      shape = List.of(groups, values.length / groups);
    } else if (name.endsWith("conv1d.weight")) {
      shape = List.of(shape.getFirst(), shape.getLast());
    } else if (type.equals("falcon_h1")) {
      multiply(name, values, shape);
    } else if (!type.equals("mamba2") && name.matches(".*\\.[qk]_proj\\..*")) {
      String heads = name.contains("q_proj") ? "num_attention_heads" : "num_key_value_heads";
      values = GgufConverter.interleaved(values, config.positive(heads), shape);
    }
    String shared = config.count("num_local_experts", 0) > 0 ? "ffn_down_shexp" : "ffn_down";
    write(renamed(name.replace("shared_mlp.output_linear", shared)), shape, values);
  }

  /** The first half of the rows of each expert, or of all, is the gate. */
  private void halves(String name, List<Long> shape, float[] values) {
    boolean moe = name.contains("block_sparse_moe");
    int blocks = moe ? Math.toIntExact(shape.getFirst()) : 1;
    int half = values.length / blocks / 2;
    String end = moe ? "_exps" : config.count("num_local_experts", 0) > 0 ? "_shexp" : "";
    List<Long> each =
        moe
            ? List.of(shape.get(0), shape.get(1) / 2, shape.get(2))
            : List.of(shape.get(0) / 2, shape.get(1));
    for (int part = 0; part < 2; part++) {
      float[] picked = new float[values.length / 2];
      for (int block = 0; block < blocks; block++) {
        System.arraycopy(values, (2 * block + part) * half, picked, block * half, half);
      }
      String ours = (part == 0 ? "ffn_gate" : "ffn_up") + end;
      write(renamed(name.replaceAll("[a-z_]+\\.input_linear", ours)), each, picked);
    }
  }

  private void multiply(String name, float[] values, List<Long> shape) {
    if (name.endsWith("mamba.in_proj.weight")) {
      multiplyInputs(values, Math.toIntExact(shape.getLast()));
      return;
    }
    float factor =
        switch (name.replaceAll(".*\\.(\\w+)\\.weight", "$1")) {
          case "down_proj" -> config.numbers("mlp_multipliers").get(1).floatValue();
          case "gate_proj" -> config.numbers("mlp_multipliers").get(0).floatValue();
          case "k_proj" -> config.real("key_multiplier") * config.real("attention_in_multiplier");
          case "q_proj", "v_proj" -> config.real("attention_in_multiplier");
          case "o_proj" -> config.real("attention_out_multiplier");
          case "out_proj" -> config.real("ssm_out_multiplier");
          case "embed_tokens" -> config.real("embedding_multiplier");
          default -> name.equals("lm_head.weight") ? config.real("lm_head_multiplier") : 1;
        };
    for (int i = 0; i < values.length; i++) {
      values[i] *= factor;
    }
  }

  private void multiplyInputs(float[] values, int cols) {
    int inner = config.positive("mamba_d_ssm");
    int shared = config.positive("mamba_n_groups") * config.positive("mamba_d_state");
    int[] ends = {inner, 2 * inner, 2 * inner + shared, 2 * inner + 2 * shared, values.length};
    for (int i = 0; i < values.length; i++) {
      int row = i / cols;
      int part = (int) Arrays.stream(ends).filter(end -> end <= row).count();
      values[i] *=
          config.real("ssm_in_multiplier")
              * config.numbers("ssm_multipliers").get(part).floatValue();
    }
  }

  private void stack(String name, Map<Integer, StoredTensor> each) {
    List<Long> shape = each.get(0).shape();
    int size = Math.toIntExact(shape.get(0) * shape.get(1));
    float[] all = new float[each.size() * size];
    each.forEach(
        (expert, tensor) ->
            System.arraycopy(StoredRows.of(tensor).decode(), 0, all, expert * size, size));
    write(name, List.of((long) each.size(), shape.get(0), shape.get(1)), all);
  }

  private void write(String name, List<Long> shape, float[] values) {
    boolean kept = shape.size() == 1 || name.matches(".*(ssm_[adcn]|ffn_gate_inp).*");
    WeightFormat stored = kept ? WeightFormat.F32 : format;
    MemorySegment data = arena.allocate(stored.rowBytes(values.length), 64);
    stored.codec().encode(values, 0, data, 0, values.length);
    gguf.add(name, stored.name(), shape, data);
  }
}
