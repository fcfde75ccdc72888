package dev.apus.core.verify;

import dev.apus.core.config.Config;
import dev.apus.core.file.FormatException;
import dev.apus.core.file.Safetensors;
import dev.apus.core.file.StoredTensor;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;

/**
 * A reference implementation's answers for one checkpoint, as {@code expected.safetensors} and
 * {@code expected.json} hold them.
 *
 * @param tokens what the reference read
 * @param positions where it gave logits
 * @param logits one row for each position
 * @param spread the standard deviation of the logits
 * @param promptLength how many of the tokens the greedy continuation follows; 0 if there is none
 * @param greedy the continuation
 * @param margins how far the best logit led at each step of it
 */
public record Expected(
    int[] tokens,
    int[] positions,
    float[][] logits,
    double spread,
    int promptLength,
    int[] greedy,
    double[] margins) {

  /**
   * Reads a folder's answers.
   *
   * @throws FormatException if a tensor is missing or has another type
   */
  public static Expected read(Path folder) {
    Config json = Config.read(folder.resolve("expected.json"));
    try (Safetensors file = Safetensors.open(folder.resolve("expected.safetensors"))) {
      int[] tokens = ints(file, "input_ids");
      int[] positions = ints(file, "positions");
      boolean causal = json.has("greedy");
      return new Expected(
          tokens,
          positions,
          rows(file, positions.length),
          json.number("logits_std"),
          causal ? json.positive("prompt_length") : 0,
          causal ? json.integers("greedy").stream().mapToInt(i -> i).toArray() : new int[0],
          causal
              ? json.numbers("greedy_margins").stream().mapToDouble(d -> d).toArray()
              : new double[0]);
    }
  }

  private static int[] ints(Safetensors file, String name) {
    StoredTensor tensor = tensor(file, name, "I32");
    return tensor.data().toArray(ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN));
  }

  private static float[][] rows(Safetensors file, int count) {
    StoredTensor tensor = tensor(file, "logits", "F32");
    float[] all =
        tensor.data().toArray(ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN));
    List<Long> shape = tensor.shape();
    int cols = Math.toIntExact(shape.getLast());
    if ((long) count * cols != all.length) {
      throw new FormatException(
          file.name() + ": logits is " + shape + ", positions has " + count + " entries");
    }
    float[][] rows = new float[count][cols];
    for (int row = 0; row < count; row++) {
      System.arraycopy(all, row * cols, rows[row], 0, cols);
    }
    return rows;
  }

  private static StoredTensor tensor(Safetensors file, String name, String type) {
    StoredTensor tensor = file.tensors().get(name);
    if (tensor == null || !tensor.type().equals(type)) {
      throw new FormatException(
          "%s: the tensor %s must be there as %s, found %s"
              .formatted(file.name(), name, type, tensor == null ? "nothing" : tensor.type()));
    }
    return tensor;
  }
}
