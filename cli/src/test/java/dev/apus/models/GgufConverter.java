package dev.apus.models;

import dev.apus.core.config.Config;
import dev.apus.core.file.GgufWriter;
import dev.apus.core.file.StoredTensor;
import dev.apus.core.file.TensorFile;
import dev.apus.core.weight.Conversion;
import dev.apus.core.weight.StoredRows;
import dev.apus.kernels.block.WeightFormat;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes a checkpoint in the Hugging Face layout as a GGUF file, with the names and the values that
 * llama.cpp's {@code convert_hf_to_gguf.py} gives them: experts stacked, Llama 3's stretched
 * rotation as a tensor of divisors, and what {@link GgufTensors} does.
 *
 * @see <a href="https://github.com/ggml-org/llama.cpp/tree/master/conversion">llama.cpp's
 *     converter</a>
 */
final class GgufConverter {

  private static final Map<String, String> ARCHITECTURES =
      Map.ofEntries(
          Map.entry("afmoe", "afmoe"),
          Map.entry("dbrx", "dbrx"),
          Map.entry("ernie4_5_moe", "ernie4_5-moe"),
          Map.entry("hunyuan_v1_moe", "hunyuan-moe"),
          Map.entry("llama", "llama"),
          Map.entry("mistral", "llama"),
          Map.entry("mixtral", "llama"),
          Map.entry("qwen2", "qwen2"),
          Map.entry("qwen3", "qwen3"),
          Map.entry("qwen2_moe", "qwen2moe"),
          Map.entry("qwen3_moe", "qwen3moe"),
          Map.entry("olmoe", "olmoe"),
          Map.entry("gemma2", "gemma2"),
          Map.entry("gemma3_text", "gemma3"),
          Map.entry("bamba", "granitehybrid"),
          Map.entry("deepseek_v32", "deepseek32"),
          Map.entry("dots1", "dots1"),
          Map.entry("Dream", "dream"),
          Map.entry("llada", "llada"),
          Map.entry("lladamoe", "llada-moe"),
          Map.entry("falcon_h1", "falcon-h1"),
          Map.entry("falcon_mamba", "mamba"),
          Map.entry("glm4_moe", "glm4moe"),
          Map.entry("granitemoehybrid", "granitehybrid"),
          Map.entry("gpt_oss", "gpt-oss"),
          Map.entry("jamba", "jamba"),
          Map.entry("kimi_linear", "kimi-linear"),
          Map.entry("lfm2", "lfm2"),
          Map.entry("lfm2_moe", "lfm2moe"),
          Map.entry("mamba", "mamba"),
          Map.entry("mamba2", "mamba2"),
          Map.entry("nemotron_h", "nemotron_h"),
          Map.entry("qwen3_next", "qwen3next"),
          Map.entry("qwen3_5_text", "qwen35"),
          Map.entry("qwen3_5_moe_text", "qwen35moe"));

  /** What stands between {@code blk.N.} and {@code .weight}, by what stood after the layer. */
  private static final Map<String, String> NAMES =
      Map.ofEntries(
          Map.entry("input_layernorm", "attn_norm"),
          Map.entry("attn_norm", "attn_norm"),
          Map.entry("ff_norm", "ffn_norm"),
          Map.entry("q_proj", "attn_q"),
          Map.entry("k_proj", "attn_k"),
          Map.entry("v_proj", "attn_v"),
          Map.entry("attn_out", "attn_output"),
          Map.entry("ff_proj", "ffn_gate"),
          Map.entry("up_proj", "ffn_up"),
          Map.entry("ff_out", "ffn_down"),
          Map.entry("self_attn.q_proj", "attn_q"),
          Map.entry("self_attn.k_proj", "attn_k"),
          Map.entry("self_attn.v_proj", "attn_v"),
          Map.entry("self_attn.o_proj", "attn_output"),
          Map.entry("self_attn.q_norm", "attn_q_norm"),
          Map.entry("self_attn.k_norm", "attn_k_norm"),
          Map.entry("mlp.gate_proj", "ffn_gate"),
          Map.entry("mlp.up_proj", "ffn_up"),
          Map.entry("mlp.down_proj", "ffn_down"),
          Map.entry("mlp.gate", "ffn_gate_inp"),
          Map.entry("mlp.shared_expert.gate_proj", "ffn_gate_shexp"),
          Map.entry("mlp.shared_expert.up_proj", "ffn_up_shexp"),
          Map.entry("mlp.shared_expert.down_proj", "ffn_down_shexp"),
          Map.entry("mlp.shared_expert_gate", "ffn_gate_inp_shexp"),
          Map.entry("mlp.gate.e_score_correction", "exp_probs_b"),
          Map.entry("mlp.moe_statics.e_score_correction", "exp_probs_b"),
          Map.entry("mlp.expert_bias", "exp_probs_b"),
          Map.entry("mlp.router.gate", "ffn_gate_inp"),
          Map.entry("mlp.gate.wg", "ffn_gate_inp"),
          Map.entry("mlp.shared_mlp.gate_proj", "ffn_gate_shexp"),
          Map.entry("mlp.shared_mlp.up_proj", "ffn_up_shexp"),
          Map.entry("mlp.shared_mlp.down_proj", "ffn_down_shexp"),
          Map.entry("self_attn.query_layernorm", "attn_q_norm"),
          Map.entry("self_attn.key_layernorm", "attn_k_norm"),
          Map.entry("self_attn.gate_proj", "attn_gate"),
          Map.entry("pre_mlp_layernorm", "ffn_norm"),
          Map.entry("post_mlp_layernorm", "post_ffw_norm"),
          Map.entry("norm_attn_norm.norm_1", "attn_norm"),
          Map.entry("norm_attn_norm.norm_2", "attn_output_norm"),
          Map.entry("norm_attn_norm.attn.Wqkv", "attn_qkv"),
          Map.entry("norm_attn_norm.attn.out_proj", "attn_output"),
          Map.entry("ffn.router.layer", "ffn_gate_inp"),
          Map.entry("ffn.experts.mlp.w1", "ffn_gate_exps"),
          Map.entry("ffn.experts.mlp.v1", "ffn_up_exps"),
          Map.entry("ffn.experts.mlp.w2", "ffn_down_exps"),
          Map.entry("mlp.shared_experts.gate_proj", "ffn_gate_shexp"),
          Map.entry("mlp.shared_experts.up_proj", "ffn_up_shexp"),
          Map.entry("mlp.shared_experts.down_proj", "ffn_down_shexp"),
          Map.entry("mlp.router", "ffn_gate_inp"),
          Map.entry("mlp.experts.gate", "ffn_gate_exps"),
          Map.entry("mlp.experts.up", "ffn_up_exps"),
          Map.entry("mlp.experts.down", "ffn_down_exps"),
          Map.entry("self_attn.sinks", "attn_sinks"),
          Map.entry("block_sparse_moe.gate", "ffn_gate_inp"),
          Map.entry("block_sparse_moe.gate_proj", "ffn_gate"),
          Map.entry("block_sparse_moe.up_proj", "ffn_up"),
          Map.entry("block_sparse_moe.down_proj", "ffn_down"),
          Map.entry("block_sparse_moe.gate.e_score_correction", "exp_probs_b"),
          Map.entry("block_sparse_moe.shared_experts.gate_proj", "ffn_gate_shexp"),
          Map.entry("block_sparse_moe.shared_experts.up_proj", "ffn_up_shexp"),
          Map.entry("block_sparse_moe.shared_experts.down_proj", "ffn_down_shexp"),
          Map.entry("linear_attn.in_proj_qkv", "attn_qkv"),
          Map.entry("linear_attn.in_proj_z", "attn_gate"),
          Map.entry("linear_attn.in_proj_ba", "ssm_ba"),
          Map.entry("linear_attn.in_proj_a", "ssm_alpha"),
          Map.entry("linear_attn.in_proj_b", "ssm_beta"),
          Map.entry("linear_attn.conv1d", "ssm_conv1d"),
          Map.entry("linear_attn.dt_proj", "ssm_dt"),
          Map.entry("linear_attn.norm", "ssm_norm"),
          Map.entry("linear_attn.out_proj", "ssm_out"),
          Map.entry("self_attn.q_a_proj", "attn_q_a"),
          Map.entry("self_attn.q_a_layernorm", "attn_q_a_norm"),
          Map.entry("self_attn.q_b_proj", "attn_q_b"),
          Map.entry("self_attn.kv_a_proj_with_mqa", "attn_kv_a_mqa"),
          Map.entry("self_attn.kv_a_layernorm", "attn_kv_a_norm"),
          Map.entry("self_attn.k_b_proj", "attn_k_b"),
          Map.entry("self_attn.v_b_proj", "attn_v_b"),
          Map.entry("self_attn.indexer.wq_b", "indexer.attn_q_b"),
          Map.entry("self_attn.indexer.wk", "indexer.attn_k"),
          Map.entry("self_attn.indexer.k_norm", "indexer.k_norm"),
          Map.entry("self_attn.indexer.weights_proj", "indexer.proj"),
          Map.entry("self_attn.q_conv1d", "ssm_conv1d_q"),
          Map.entry("self_attn.k_conv1d", "ssm_conv1d_k"),
          Map.entry("self_attn.v_conv1d", "ssm_conv1d_v"),
          Map.entry("self_attn.f_a_proj", "ssm_f_a"),
          Map.entry("self_attn.f_b_proj", "ssm_f_b"),
          Map.entry("self_attn.g_a_proj", "ssm_g_a"),
          Map.entry("self_attn.g_b_proj", "ssm_g_b"),
          Map.entry("self_attn.b_proj", "ssm_beta"),
          Map.entry("self_attn.dt_proj", "ssm_dt"),
          Map.entry("self_attn.o_norm", "ssm_norm"),
          Map.entry("operator_norm", "attn_norm"),
          Map.entry("ffn_norm", "ffn_norm"),
          Map.entry("self_attn.out_proj", "attn_output"),
          Map.entry("self_attn.q_layernorm", "attn_q_norm"),
          Map.entry("self_attn.k_layernorm", "attn_k_norm"),
          Map.entry("conv.in_proj", "shortconv.in_proj"),
          Map.entry("conv.conv", "shortconv.conv"),
          Map.entry("conv.out_proj", "shortconv.out_proj"),
          Map.entry("feed_forward.w1", "ffn_gate"),
          Map.entry("feed_forward.w3", "ffn_up"),
          Map.entry("feed_forward.w2", "ffn_down"),
          Map.entry("feed_forward.gate", "ffn_gate_inp"),
          Map.entry("feed_forward.expert_bias", "exp_probs_b"),
          Map.entry("feed_forward.gate_proj", "ffn_gate"),
          Map.entry("feed_forward.up_proj", "ffn_up"),
          Map.entry("feed_forward.down_proj", "ffn_down"),
          Map.entry("feed_forward.router", "ffn_gate_inp"),
          Map.entry("norm", "attn_norm"),
          Map.entry("pre_ff_layernorm", "ffn_norm"),
          Map.entry("mixer.in_proj", "ssm_in"),
          Map.entry("mixer.conv1d", "ssm_conv1d"),
          Map.entry("mixer.x_proj", "ssm_x"),
          Map.entry("mixer.dt_proj", "ssm_dt"),
          Map.entry("mixer.dt_layernorm", "ssm_dt_norm"),
          Map.entry("mixer.b_layernorm", "ssm_b_norm"),
          Map.entry("mixer.c_layernorm", "ssm_c_norm"),
          Map.entry("mixer.norm", "ssm_norm"),
          Map.entry("mixer.out_proj", "ssm_out"),
          Map.entry("mixer.q_proj", "attn_q"),
          Map.entry("mixer.k_proj", "attn_k"),
          Map.entry("mixer.v_proj", "attn_v"),
          Map.entry("mixer.o_proj", "attn_output"),
          Map.entry("mixer.up_proj", "ffn_up"),
          Map.entry("mixer.down_proj", "ffn_down"),
          Map.entry("mixer.gate", "ffn_gate_inp"),
          Map.entry("mixer.gate.e_score_correction", "exp_probs_b"),
          Map.entry("mixer.fc1_latent_proj", "ffn_latent_down"),
          Map.entry("mixer.fc2_latent_proj", "ffn_latent_up"),
          Map.entry("mixer.shared_experts.up_proj", "ffn_up_shexp"),
          Map.entry("mixer.shared_experts.down_proj", "ffn_down_shexp"),
          Map.entry("block_sparse_moe.router.layer", "ffn_gate_inp"),
          Map.entry("block_sparse_moe.input_linear.gate", "ffn_gate_exps"),
          Map.entry("block_sparse_moe.input_linear.up", "ffn_up_exps"),
          Map.entry("block_sparse_moe.output_linear", "ffn_down_exps"));

  /** The experts' matrices: by Mixtral's name or Qwen's. */
  private static final Map<String, String> EXPERTS =
      Map.of(
          "w1", "ffn_gate_exps",
          "w3", "ffn_up_exps",
          "w2", "ffn_down_exps",
          "gate_proj", "ffn_gate_exps",
          "up_proj", "ffn_up_exps",
          "down_proj", "ffn_down_exps");

  private final Config config;
  private final TensorFile tensors;
  private final WeightFormat format;
  private final String architecture;
  private final boolean gemma;
  private final Arena arena = Arena.ofAuto();
  private final GgufWriter gguf = new GgufWriter();
  private final Map<String, List<StoredTensor>> experts = new LinkedHashMap<>();

  private GgufConverter(Config config, TensorFile tensors, WeightFormat format) {
    this.config = config;
    this.tensors = tensors;
    this.format = format;
    this.architecture = architecture(config);
    this.gemma = architecture.startsWith("gemma");
  }

  /**
   * A file with everything but a vocabulary.
   *
   * @param format of the matrices
   */
  static GgufWriter convert(Config config, TensorFile tensors, WeightFormat format) {
    return new GgufConverter(config, tensors, format).convert();
  }

  private static String architecture(Config config) {
    String type = config.word("model_type");
    boolean experts =
        type.equals("nemotron_h") && config.words("layers_block_type").contains("moe");
    return ARCHITECTURES.get(type) + (experts ? "_moe" : "");
  }

  private GgufWriter convert() {
    if (architecture.matches(GgufMamba2Metadata.ARCHITECTURES)) {
      new GgufMamba2Metadata(config, architecture, gguf).write();
    } else {
      new GgufMetadata(config, architecture, gguf).write();
    }
    tensors.tensors().values().forEach(this::add);
    experts.forEach(this::addExperts);
    float[] divisors = RopeDivisors.of(config);
    if (divisors.length > 0) {
      write("rope_freqs.weight", List.of((long) divisors.length), divisors);
    }
    return gguf;
  }

  private void add(StoredTensor tensor) {
    String name = tensor.name();
    if (name.matches(".*\\.experts\\.\\d+\\..*")) {
      String[] parts = name.split("\\.");
      String matrix = EXPERTS.get(parts[parts.length - 2]);
      experts.computeIfAbsent("blk." + parts[2] + "." + matrix, k -> new ArrayList<>()).add(tensor);
      return;
    }
    name = name.replaceFirst("model\\.transformer\\.blocks\\.", "model.layers.");
    float[] values = StoredRows.of(tensor).decode();
    new GgufTensors(config, architecture)
        .moved(name, tensor.shape(), values)
        .forEach((moved, made) -> write(renamed(moved), made.shape(), made.values()));
  }

  /** Stacks one matrix of all experts of a layer. */
  private void addExperts(String name, List<StoredTensor> stack) {
    List<Long> shape = new ArrayList<>(stack.getFirst().shape());
    shape.addFirst((long) stack.size());
    StoredRows rows =
        Conversion.JOINED.apply(stack.stream().sorted(byExpert()).map(StoredRows::of).toList());
    write(name + ".weight", shape, rows.decode());
  }

  private static Comparator<StoredTensor> byExpert() {
    return Comparator.comparingInt(
        tensor -> Integer.parseInt(tensor.name().replaceAll(".*\\.experts\\.(\\d+)\\..*", "$1")));
  }

  private String renamed(String name) {
    return switch (name) {
      case "model.transformer.wte.weight" -> "token_embd.weight";
      case "model.transformer.ln_f.weight" -> "output_norm.weight";
      case "model.transformer.ff_out.weight" -> "output.weight";
      case "model.embed_tokens.weight", "backbone.embeddings.weight", "transformer.wte.weight" ->
          "token_embd.weight";
      case "model.norm.weight",
          "model.final_layernorm.weight",
          "backbone.norm_f.weight",
          "transformer.norm_f.weight" ->
          "output_norm.weight";
      case "model.embedding_norm.weight" -> "token_embd_norm.weight";
      case "lm_head.weight" -> "output.weight";
      default -> {
        String[] parts = name.split("\\.", 4);
        if (parts[3].matches(".*\\.ssm_[ad]")) {
          yield "blk." + parts[2] + parts[3].substring(parts[3].lastIndexOf('.'));
        }
        // The correction is no bias of the router, but files call it one.
        parts[3] =
            parts[3].replace("correction_bias", "correction.bias").replace("mamba.", "mixer.");
        int dot = parts[3].lastIndexOf('.');
        yield "blk."
            + parts[2]
            + "."
            + inLayer(parts[3].substring(0, dot))
            + parts[3].substring(dot);
      }
    };
  }

  private String inLayer(String name) {
    String beside = config.count("num_local_experts", 0) > 0 ? "_shexp" : "";
    return switch (name) {
      case "post_attention_layernorm" ->
          gemma || architecture.matches("afmoe|glm4moe|gpt-oss|qwen3next|qwen35.*")
              ? "post_attention_norm"
              : "ffn_norm";
      case "pre_feedforward_layernorm" -> "ffn_norm";
      case "shared_mlp.input_linear.gate" -> "ffn_gate" + beside;
      case "shared_mlp.input_linear.up" -> "ffn_up" + beside;
      case "shared_mlp.output_linear" -> "ffn_down" + beside;
      case "post_feedforward_layernorm" -> "post_ffw_norm";
      default -> {
        if (!NAMES.containsKey(name)) {
          throw new IllegalArgumentException("no GGUF name for " + name);
        }
        yield NAMES.get(name);
      }
    };
  }

  /**
   * Vectors, routers and taps are F32 in every file; so here are rows that do not divide into
   * blocks.
   */
  private void write(String name, List<Long> shape, float[] values) {
    int cols = Math.toIntExact(shape.getLast());
    boolean kept =
        shape.size() == 1
            || name.endsWith(".bias")
            || name.matches(".*(ffn_gate_inp|shortconv\\.conv|ssm_conv1d|ssm_norm|ssm_[ad]$).*");
    WeightFormat stored = kept || cols % format.blockLength() != 0 ? WeightFormat.F32 : format;
    long rowBytes = stored.rowBytes(cols);
    MemorySegment data = arena.allocate(values.length / cols * rowBytes, 64);
    for (int row = 0; row < values.length / cols; row++) {
      stored.codec().encode(values, row * cols, data, row * rowBytes, cols);
    }
    gguf.add(name, stored.name(), shape, data);
  }
}
