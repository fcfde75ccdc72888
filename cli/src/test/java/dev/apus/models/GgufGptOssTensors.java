package dev.apus.models;

import dev.apus.core.config.Config;
import dev.apus.models.GgufTensors.Moved;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What llama.cpp's converter does to gpt-oss: the rows of gates and values, which take turns, are
 * put into tensors of their own, and experts' matrices have an output a row.
 */
record GgufGptOssTensors(Config config) {

  Map<String, Moved> moved(String name, Moved tensor) {
    if (name.endsWith("sinks")) {
      return Map.of(name + ".weight", tensor);
    }
    if (!name.contains(".experts.")) {
      return Map.of(name, tensor);
    }
    boolean bias = name.endsWith("_bias");
    String kind = bias ? ".bias" : ".weight";
    Moved rows = bias ? tensor : turned(tensor);
    String stem = name.substring(0, name.indexOf(".experts.") + ".experts.".length());
    if (name.contains("down_proj")) {
      return Map.of(stem + "down" + kind, rows);
    }
    Map<String, Moved> halves = new LinkedHashMap<>();
    halves.put(stem + "gate" + kind, everyOther(rows, 0));
    halves.put(stem + "up" + kind, everyOther(rows, 1));
    return halves;
  }

  /** The matrix of each expert, turned. */
  private static Moved turned(Moved tensor) {
    int experts = tensor.rows();
    int inputs = Math.toIntExact(tensor.shape().get(1));
    int outputs = Math.toIntExact(tensor.shape().get(2));
    float[] values = new float[tensor.values().length];
    for (int i = 0; i < values.length; i++) {
      int expert = i / (inputs * outputs);
      int input = i / outputs % inputs;
      int output = i % outputs;
      values[(expert * outputs + output) * inputs + input] = tensor.values()[i];
    }
    return new Moved(List.of((long) experts, (long) outputs, (long) inputs), values);
  }

  /** Of the second dimension every other row or value. */
  private static Moved everyOther(Moved tensor, int first) {
    int experts = tensor.rows();
    int rows = Math.toIntExact(tensor.shape().get(1));
    int cols = tensor.values().length / (experts * rows);
    float[] values = new float[tensor.values().length / 2];
    for (int to = 0; to < experts * rows / 2; to++) {
      System.arraycopy(tensor.values(), (2 * to + first) * cols, values, to * cols, cols);
    }
    List<Long> shape =
        tensor.shape().size() == 2
            ? List.of((long) experts, rows / 2L)
            : List.of((long) experts, rows / 2L, (long) cols);
    return new Moved(shape, values);
  }
}
