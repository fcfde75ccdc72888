package dev.apus.core.verify;

import dev.apus.core.config.Config;
import dev.apus.core.file.FormatException;
import dev.apus.core.file.Safetensors;
import dev.apus.core.file.StoredTensor;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Diffusion;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * A reference implementation's answers for one checkpoint, as {@code expected.safetensors} and
 * {@code expected.json} hold them.
 *
 * @param tokens what the reference read
 * @param canvas the tokens of a canvas behind it, where the logits are; empty for none
 * @param vectors the noisy vectors of texts, one after the other, where the reference read these;
 *     or null
 * @param conditioned the logits of canvases or vectors when the model knows the first; or null
 * @param global the positions of tokens that see, and are seen by, the whole text
 * @param positions where it gave logits
 * @param logits one row for each position
 * @param spread the standard deviation of the logits
 * @param promptLength how many of the tokens the greedy continuation follows; 0 if there is none
 * @param greedy the continuation
 * @param margins how far the best logit led at each step of it
 * @param levels of the noise that the reference was told for each position's row; empty for none
 */
public record Expected(
    int[] tokens,
    int[] canvas,
    float[][] vectors,
    float[][] conditioned,
    int[] global,
    int[] positions,
    float[][] logits,
    double spread,
    int promptLength,
    int[] greedy,
    double[] margins,
    double[] levels) {

  private static final String JSON = "expected.json";
  private static final String TENSORS = "expected.safetensors";
  private static final String LOGITS = "logits";
  private static final String CANVAS = "canvas";
  private static final String VECTORS = "vectors";
  private static final String CONDITIONED = "logits_self_conditioned";

  /**
   * Reads a folder's answers.
   *
   * @throws FormatException if a tensor is missing, has another type or shape, or does not fit the
   *     others
   * @throws dev.apus.core.config.ConfigException if a setting is missing or does not fit them
   */
  public static Expected read(Path folder) {
    Config json = Config.read(folder.resolve(JSON));
    try (Safetensors file = Safetensors.open(folder.resolve(TENSORS))) {
      boolean inVectors = file.tensors().containsKey(VECTORS);
      float[][] vectors =
          inVectors
              ? rows(file, VECTORS, tensor(file, VECTORS, "F32").shape().getFirst().intValue())
              : null;
      int[] tokens = inVectors ? new int[0] : ints(file, "input_ids");
      boolean onCanvas = file.tensors().containsKey(CANVAS);
      int[] canvas = onCanvas ? ints(file, CANVAS) : new int[0];
      int noisy = inVectors ? vectors.length : canvas.length;
      int[] positions =
          noisy > 0
              ? IntStream.range(tokens.length, tokens.length + noisy).toArray()
              : ints(file, "positions");
      for (int i = 0; noisy == 0 && i < positions.length; i++) {
        requireBelow("positions", i, positions[i], tokens.length, "the number of input_ids");
      }
      boolean causal = json.has("greedy");
      boolean conditioned = file.tensors().containsKey(CONDITIONED);
      return new Expected(
          tokens,
          canvas,
          vectors,
          conditioned ? rows(file, CONDITIONED, positions.length) : null,
          global(json, tokens.length),
          positions,
          rows(file, LOGITS, positions.length),
          spread(json),
          causal ? promptLength(json, tokens.length) : 0,
          causal ? json.integers("greedy").stream().mapToInt(i -> i).toArray() : new int[0],
          causal ? margins(json) : new double[0],
          levels(json, positions.length));
    }
  }

  /**
   * Refuses answers that a model of this architecture cannot give.
   *
   * @throws FormatException naming the first that it cannot
   */
  void requireFrom(Architecture architecture) {
    int vocabulary = architecture.vocabulary();
    for (int i = 0; i < tokens.length; i++) {
      requireBelow("input_ids", i, tokens[i], vocabulary, "the model's vocabulary");
    }
    for (int i = 0; i < canvas.length; i++) {
      requireBelow(CANVAS, i, canvas[i], vocabulary, "the model's vocabulary");
    }
    boolean canvases = architecture.hasCanvases();
    if (canvases != canvas.length > 0) {
      throw fault(
          TENSORS,
          canvases
              ? "the model fills in canvases; needed: %s"
              : "the model has no canvases; leave %s out",
          CANVAS);
    }
    Diffusion diffusion = architecture.diffusion();
    boolean inVectors = diffusion != null && diffusion.gaussian() != null;
    if (inVectors != (vectors != null)
        || (inVectors && vectors[0].length != diffusion.gaussian().width())) {
      throw fault(
          TENSORS,
          inVectors
              ? "the model's noise is in vectors; needed: %s, of as many values as these have"
              : "the model's noise is in no vectors; leave %s out",
          VECTORS);
    }
    boolean knows = inVectors || (canvases && diffusion.conditioning() != null);
    if (conditioned != null && !knows) {
      throw fault(
          TENSORS, "%s is there, and the model does not know what it made of it", CONDITIONED);
    }
    if (logits[0].length > vocabulary) {
      throw fault(
          TENSORS,
          "logits has %d columns; the model's vocabulary is %d",
          logits[0].length,
          vocabulary);
    }
    for (int i = 0; i < greedy.length; i++) {
      if (greedy[i] < 0 || greedy[i] >= logits[0].length) {
        throw fault(JSON, "greedy[%d] is %d; needed: 0 to %d", i, greedy[i], logits[0].length - 1);
      }
    }
    boolean continues = !architecture.isEncoder() && diffusion == null;
    if (!continues && greedy.length > 0) {
      throw fault(
          JSON,
          "greedy continues a prompt, and the model is %s; leave it out",
          architecture.isEncoder() ? "an encoder" : "a diffusion model");
    }
    boolean told = diffusion != null && diffusion.isTold();
    if (told != levels.length > 0) {
      throw fault(
          JSON,
          told
              ? "the model is told the level of the noise; needed: levels, one for each position"
              : "levels are there, and the model is not told the level of the noise");
    }
    if (architecture.head() == null) {
      throw fault(TENSORS, "logits are there, and the model has no head that gives any");
    }
    int learned = architecture.embedding().positions();
    if (learned > 0 && length() > learned) {
      throw fault(
          TENSORS, "the answers are %d tokens long; the model has %d positions", length(), learned);
    }
  }

  /** How long a session must be able to become. */
  int length() {
    int noisy = vectors == null ? canvas.length : vectors.length;
    return Math.max(tokens.length + noisy, promptLength + greedy.length);
  }

  private static int[] global(Config json, int tokens) {
    if (!json.has("global_positions")) {
      return new int[0];
    }
    int[] global = json.integers("global_positions").stream().mapToInt(i -> i).toArray();
    for (int i = 0; i < global.length; i++) {
      if (global[i] < 0 || global[i] >= tokens) {
        throw fault(JSON, "global_positions[%d] is %d; needed: 0 to %d", i, global[i], tokens - 1);
      }
    }
    return global;
  }

  private static double spread(Config json) {
    double spread = json.number("logits_std");
    if (spread <= 0) {
      throw json.errorAt("logits_std", "logits_std=%s must be a positive number", spread);
    }
    return spread;
  }

  private static int promptLength(Config json, int tokens) {
    int length = json.positive("prompt_length");
    if (length > tokens) {
      throw json.errorAt(
          "prompt_length",
          "prompt_length=%d must be at most %d, the number of input_ids in %s",
          length,
          tokens,
          TENSORS);
    }
    return length;
  }

  private static double[] margins(Config json) {
    List<Double> margins = json.numbers("greedy_margins");
    int steps = json.integers("greedy").size();
    if (margins.size() != steps) {
      throw json.errorAt(
          "greedy_margins",
          "greedy_margins has %d entries; needed: %d, one for each of greedy",
          margins.size(),
          steps);
    }
    return margins.stream().mapToDouble(margin -> margin).toArray();
  }

  private static double[] levels(Config json, int positions) {
    if (!json.has("levels")) {
      return new double[0];
    }
    List<Double> levels = json.numbers("levels");
    if (levels.size() != positions) {
      throw json.errorAt(
          "levels",
          "levels has %d entries; needed: %d, one for each position",
          levels.size(),
          positions);
    }
    return levels.stream().mapToDouble(level -> level).toArray();
  }

  private static int[] ints(Safetensors file, String name) {
    StoredTensor tensor = tensor(file, name, "I32");
    return tensor.data().toArray(ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN));
  }

  private static float[][] rows(Safetensors file, String name, int count) {
    StoredTensor tensor = tensor(file, name, "F32");
    List<Long> shape = tensor.shape();
    if (shape.size() != 2 || shape.getFirst() != count) {
      throw fault(
          TENSORS,
          "%s is %s; needed: [%d, vocabulary], a row for each position",
          name,
          shape,
          count);
    }
    float[] all =
        tensor.data().toArray(ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN));
    int cols = all.length / count;
    float[][] rows = new float[count][cols];
    for (int row = 0; row < count; row++) {
      System.arraycopy(all, row * cols, rows[row], 0, cols);
    }
    return rows;
  }

  /** A tensor that holds something: answers without a value would agree with any model. */
  private static StoredTensor tensor(Safetensors file, String name, String type) {
    StoredTensor tensor = file.tensors().get(name);
    if (tensor == null || !tensor.type().equals(type)) {
      throw fault(
          TENSORS,
          "the tensor %s must be there as %s, found %s",
          name,
          type,
          tensor == null ? "nothing" : tensor.type());
    }
    if (tensor.data().byteSize() == 0) {
      throw fault(TENSORS, "%s is %s; needed: at least one value", name, tensor.shape());
    }
    return tensor;
  }

  private static void requireBelow(String tensor, int index, int found, int end, String what) {
    if (found < 0 || found >= end) {
      throw fault(
          TENSORS, "%s[%d] is %d; needed: 0 to %d, below %s", tensor, index, found, end - 1, what);
    }
  }

  private static FormatException fault(String file, String message, Object... parts) {
    return new FormatException(file + ": " + String.format(Locale.ROOT, message, parts));
  }
}
