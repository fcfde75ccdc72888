package dev.apus.models;

import dev.apus.core.config.Config;
import dev.apus.models.GgufTensors.Moved;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * What llama.cpp's converter does to tensors of Mamba-2's families alone: a column for the values
 * of heads, a row for each group of a norm, fused blocks apart, and the factors of Falcon-H1
 * multiplied into the matrices.
 */
final class GgufMamba2Tensors {

  private final Config config;

  GgufMamba2Tensors(Config config) {
    this.config = config;
  }

  Moved changed(String name, Moved tensor) {
    long size = tensor.values().length;
    if (name.endsWith(".A_log") || name.endsWith(".D")) {
      return new Moved(List.of(size, 1L), tensor.values());
    }
    if (name.matches(".*(mamba|mixer)\\.norm\\.weight")) {
      long groups = config.positive(config.has("n_groups") ? "n_groups" : "mamba_n_groups");
      return new Moved(List.of(groups, size / groups), tensor.values());
    }
    return config.word("model_type").equals("falcon_h1") ? multiplied(name, tensor) : tensor;
  }

  /** The first half of the rows of each expert, or of all, is the gate. */
  static Map<String, Moved> halves(String name, Moved tensor) {
    List<Long> shape = tensor.shape();
    int experts = shape.size() == 3 ? tensor.rows() : 1;
    int inner = Math.toIntExact(shape.get(shape.size() - 2) / 2);
    return Map.of(
        name.replace("input_linear", "input_linear.gate"), half(tensor, experts, inner, 0),
        name.replace("input_linear", "input_linear.up"), half(tensor, experts, inner, inner));
  }

  private static Moved half(Moved tensor, int experts, int inner, int from) {
    List<Long> shape = tensor.shape();
    List<Long> flat = List.of(2L * experts * inner, shape.getLast());
    Moved half =
        new Moved(flat, tensor.values()).rows(GgufTensors.ofEach(experts, 2 * inner, from, inner));
    return shape.size() == 3
        ? new Moved(List.of((long) experts, (long) inner, shape.getLast()), half.values())
        : half;
  }

  private Moved multiplied(String name, Moved tensor) {
    if (name.endsWith("mamba.in_proj.weight")) {
      return inputsMultiplied(tensor);
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
    return GgufTensors.each(tensor, x -> x * factor);
  }

  private Moved inputsMultiplied(Moved tensor) {
    int inner = config.positive("mamba_d_ssm");
    int shared = config.positive("mamba_n_groups") * config.positive("mamba_d_state");
    int[] ends = {inner, 2 * inner, 2 * inner + shared, 2 * inner + 2 * shared, tensor.rows()};
    float[] values = tensor.values().clone();
    for (int i = 0; i < values.length; i++) {
      int row = i / tensor.cols();
      int part = (int) Arrays.stream(ends).filter(end -> end <= row).count();
      values[i] *=
          config.real("ssm_in_multiplier")
              * config.numbers("ssm_multipliers").get(part).floatValue();
    }
    return new Moved(tensor.shape(), values);
  }
}
