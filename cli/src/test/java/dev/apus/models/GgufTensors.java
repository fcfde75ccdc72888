package dev.apus.models;

import dev.apus.core.config.Config;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What llama.cpp's converter does to the values of single tensors before it renames them: rows of
 * Llama's queries and keys permuted for neighbouring pairs, one added to norms, decays instead of
 * their logarithms, matrices cut apart, and the value heads of Qwen 3.5 in another order.
 */
final class GgufTensors {

  /** A tensor on its way, under a name that may still be that of the checkpoint. */
  record Moved(List<Long> shape, float[] values) {

    int rows() {
      return Math.toIntExact(shape.getFirst());
    }

    int cols() {
      return values.length / rows();
    }

    Moved rows(int... from) {
      float[] picked = new float[from.length * cols()];
      for (int row = 0; row < from.length; row++) {
        System.arraycopy(values, from[row] * cols(), picked, row * cols(), cols());
      }
      List<Long> newShape = new ArrayList<>(shape);
      newShape.set(0, (long) from.length);
      return new Moved(newShape, picked);
    }
  }

  private static final Set<String> REORDERED =
      Set.of("in_proj_qkv", "in_proj_z", "in_proj_b", "in_proj_a", "A_log", "dt_bias", "conv1d");

  private final Config config;
  private final String architecture;

  GgufTensors(Config config, String architecture) {
    this.config = config;
    this.architecture = architecture;
  }

  /** The tensors that become of one. */
  Map<String, Moved> moved(String name, List<Long> shape, float[] values) {
    Moved tensor = new Moved(shape, values);
    String[] parts = name.split("\\.");
    if (architecture.startsWith("qwen35") && name.contains("linear_attn.")) {
      String part = parts[4];
      if (REORDERED.contains(part)) {
        tensor = tensor.rows(inTurn(tensor.rows(), part));
      } else if (part.equals("out_proj")) {
        tensor = columnsInTurn(tensor);
      }
    }
    if (architecture.matches(GgufMamba2Metadata.ARCHITECTURES)) {
      tensor = new GgufMamba2Tensors(config).changed(name, tensor);
    }
    if (architecture.equals("gpt-oss")) {
      return new GgufGptOssTensors(config).moved(name, tensor);
    }
    if (name.contains(".experts.mlp.")) {
      return Map.of(name + ".weight", stacked(tensor, name.endsWith("w2")));
    }
    if (name.endsWith("input_linear.weight")) {
      return GgufMamba2Tensors.halves(name, tensor);
    }
    if (name.endsWith("shared_expert_gate.weight")) {
      return Map.of(name, new Moved(List.of((long) values.length), values));
    }
    if (architecture.matches("llama|granitehybrid|nemotron_h.*")
        && name.matches(".*\\.[qk]_proj\\..*")) {
      String heads = name.contains("q_proj") ? "num_attention_heads" : "num_key_value_heads";
      return Map.of(name, interleaved(tensor, config.positive(heads)));
    }
    if (architecture.equals("llada") && name.matches(".*\\.[qk]_proj\\..*")) {
      String heads = name.contains("q_proj") ? "n_heads" : "n_kv_heads";
      return Map.of(name, interleaved(tensor, config.positive(heads)));
    }
    if (name.endsWith(".D")) {
      return Map.of(name.replaceAll("D$", "ssm_d"), tensor);
    }
    if (name.endsWith("A_log")) {
      return Map.of(name.replace("A_log", "ssm_a"), each(tensor, x -> (float) -StrictMath.exp(x)));
    }
    if (name.endsWith("dt_bias")) {
      return Map.of(name.replace("dt_bias", "dt_proj.bias"), tensor);
    }
    if (name.endsWith("expert_bias")) {
      return Map.of(name + ".bias", tensor);
    }
    if (name.matches(".*(conv1d|conv\\.conv)\\.weight")) {
      long channels = tensor.rows();
      long taps = tensor.cols();
      boolean kimi = architecture.equals("kimi-linear");
      List<Long> squeezed = kimi ? List.of(1L, channels, 1L, taps) : List.of(channels, taps);
      return Map.of(name, new Moved(squeezed, tensor.values));
    }
    if (name.endsWith("norm.weight")
        && architecture.matches("gemma.*|qwen3next|qwen35.*")
        && !name.endsWith("linear_attn.norm.weight")) {
      return Map.of(name, each(tensor, x -> x + 1));
    }
    if (name.contains("in_proj_qkvz")) {
      return apart(name, tensor);
    }
    return name.contains("kv_b_proj") ? split(name, tensor) : Map.of(name, tensor);
  }

  /** DBRX's experts, apart from one another; one of their matrices has columns as rows. */
  private Moved stacked(Moved tensor, boolean turned) {
    Config experts = config.section("ffn_config");
    int count = experts.positive("moe_num_experts");
    int inner = experts.positive("ffn_hidden_size");
    int width = tensor.cols();
    if (!turned) {
      return new Moved(List.of((long) count, (long) inner, (long) width), tensor.values);
    }
    float[] values = new float[tensor.values.length];
    for (int i = 0; i < values.length; i++) {
      int row = i / width;
      values[(row / inner * width + i % width) * inner + row % inner] = tensor.values[i];
    }
    return new Moved(List.of((long) count, (long) width, (long) inner), values);
  }

  interface OfValue {
    float of(float x);
  }

  static Moved each(Moved tensor, OfValue f) {
    float[] values = tensor.values.clone();
    for (int i = 0; i < values.length; i++) {
      values[i] = f.of(values[i]);
    }
    return new Moved(tensor.shape, values);
  }

  /** The rows of each head, so that the two values that turn together are neighbours. */
  private static Moved interleaved(Moved tensor, int heads) {
    int headDim = tensor.rows() / heads;
    int[] from = new int[tensor.rows()];
    Arrays.setAll(from, row -> row - row % headDim + row % headDim / 2 + row % 2 * headDim / 2);
    return tensor.rows(from);
  }

  /** Which row comes to each place: those of values by their place within a group first. */
  private int[] inTurn(int rows, String part) {
    int keyHeads = config.positive("linear_num_key_heads");
    int ratio = config.positive("linear_num_value_heads") / keyHeads;
    boolean mixed = part.equals("in_proj_qkv") || part.equals("conv1d");
    int before = mixed ? 2 * keyHeads * config.positive("linear_key_head_dim") : 0;
    int dim = (rows - before) / (keyHeads * ratio);
    int[] from = new int[rows];
    Arrays.setAll(from, row -> row);
    for (int row = before; row < rows; row++) {
      int head = (row - before) / dim;
      int source = head % keyHeads * ratio + head / keyHeads;
      from[row] = before + source * dim + (row - before) % dim;
    }
    return from;
  }

  private Moved columnsInTurn(Moved tensor) {
    int[] from = inTurn(tensor.cols(), "out_proj");
    float[] values = new float[tensor.values.length];
    for (int i = 0; i < values.length; i++) {
      int col = i % from.length;
      values[i] = tensor.values[i - col + from[col]];
    }
    return new Moved(tensor.shape, values);
  }

  /** Queries, keys and values of all heads, and their gates. */
  private Map<String, Moved> apart(String name, Moved tensor) {
    int heads = config.positive("linear_num_key_heads");
    int key = config.positive("linear_key_head_dim");
    int value =
        config.positive("linear_num_value_heads")
            / heads
            * config.positive("linear_value_head_dim");
    int stride = 2 * key + 2 * value;
    Moved q = tensor.rows(ofEach(heads, stride, 0, key));
    Moved k = tensor.rows(ofEach(heads, stride, key, key));
    Moved v = tensor.rows(ofEach(heads, stride, 2 * key, value));
    float[] all = new float[q.values.length + k.values.length + v.values.length];
    System.arraycopy(q.values, 0, all, 0, q.values.length);
    System.arraycopy(k.values, 0, all, q.values.length, k.values.length);
    System.arraycopy(v.values, 0, all, 2 * q.values.length, v.values.length);
    Map<String, Moved> moved = new LinkedHashMap<>();
    long rows = 2L * q.rows() + v.rows();
    moved.put(name.replace("qkvz", "qkv"), new Moved(List.of(rows, (long) q.cols()), all));
    moved.put(
        name.replace("qkvz", "z"), tensor.rows(ofEach(heads, stride, 2 * key + value, value)));
    return moved;
  }

  static int[] ofEach(int groups, int stride, int from, int count) {
    int[] rows = new int[groups * count];
    Arrays.setAll(rows, row -> row / count * stride + from + row % count);
    return rows;
  }

  /** Of each head the keys' matrix, turned, and the values'. */
  private Map<String, Moved> split(String name, Moved tensor) {
    int heads = config.positive("num_attention_heads");
    int key = config.positive("qk_nope_head_dim");
    int value = config.positive("v_head_dim");
    int latent = tensor.cols();
    float[] keys = new float[heads * key * latent];
    for (int i = 0; i < keys.length; i++) {
      int head = i / (latent * key);
      int row = head * (key + value) + i % key;
      keys[i] = tensor.values[row * latent + i / key % latent];
    }
    float[] values = tensor.rows(ofEach(heads, key + value, key, value)).values;
    return Map.of(
        name.replace("kv_b_proj", "k_b_proj"),
        new Moved(List.of((long) heads, (long) latent, (long) key), keys),
        name.replace("kv_b_proj", "v_b_proj"),
        new Moved(List.of((long) heads, (long) value, (long) latent), values));
  }
}
