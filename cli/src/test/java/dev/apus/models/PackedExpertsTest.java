package dev.apus.models;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.Model;
import dev.apus.core.ModelOptions;
import dev.apus.core.Session;
import dev.apus.core.file.Safetensors;
import dev.apus.core.file.SafetensorsWriter;
import dev.apus.core.file.StoredTensor;
import dev.apus.core.file.TensorFile;
import dev.apus.core.weight.WeightException;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.block.WeightFormat;
import dev.apus.kernels.matmul.Products;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Experts in MXFP4, as gpt-oss is published, are those that their blocks and exponents mean. */
class PackedExpertsTest {

  private static final int TOKENS = 40;
  private static final int EXPERTS = 4;
  private static final int WIDTH = 64;
  private static final int INNER = 96;

  /** What the four bits of a value mean, which has its sign in the fourth. */
  private static final float[] MAGNITUDES = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6};

  private static final String CONFIG =
      new String(TinyModels.resource("/configs/gpt_oss.json"), UTF_8)
          .replace("\"intermediate_size\": 112", "\"intermediate_size\": " + INNER);

  @TempDir private Path temporary;

  @Test
  void areThoseThatTheirBlocksMean() throws IOException {
    Path plain = temporary.resolve("plain");
    Path packed = temporary.resolve("packed");
    Path original = TinyCheckpoint.write(temporary.resolve("original"), CONFIG.getBytes(UTF_8), 5);
    write(original, plain, packed, false);
    try (Model expected = Model.load(plain);
        Model found = Model.load(packed)) {
      float[][] logits = logits(found);
      double largest = 0;
      float[][] exact = logits(expected);
      for (int row = 0; row < TOKENS; row++) {
        for (int i = 0; i < logits[row].length; i++) {
          double difference = Math.abs((double) logits[row][i] - exact[row][i]);
          largest = difference <= largest ? largest : difference;
        }
      }
      assertTrue(largest < 1e-5, "the logits differ by " + largest);
      long values = 4L * EXPERTS * 3 * WIDTH * INNER;
      long saved = expected.weightBytes() - found.weightBytes();
      double bytes = values * 2 - values / 32 * 17;
      assertEquals(bytes, saved, bytes / 100, "experts are not held in MXFP4");
      assertEquals(expected.parameters(), found.parameters());
    }
  }

  /** All other matrices of this model are in floats, which stay exact. */
  @Test
  void multiplyWholeNumbersIfAsked() throws IOException {
    Path packed = temporary.resolve("packed");
    Path original = TinyCheckpoint.write(temporary.resolve("original"), CONFIG.getBytes(UTF_8), 5);
    write(original, temporary.resolve("plain"), packed, false);
    ModelOptions options = ModelOptions.standard().withProducts(Products.INTEGER);
    try (Model exact = Model.load(packed);
        Model integer = Model.load(packed, options);
        Model scalar =
            Model.load(packed, options.withKernels(Kernels.scalar().with(Products.INTEGER)))) {
      float[][] logits = logits(integer);
      assertFalse(Arrays.deepEquals(logits(exact), logits), "experts multiply exactly");
      assertArrayEquals(logits, logits(scalar));
    }
  }

  @Test
  void blocksOfAnotherShapeAreRefused() throws IOException {
    Path original = TinyCheckpoint.write(temporary.resolve("original"), CONFIG.getBytes(UTF_8), 5);
    Path packed = temporary.resolve("packed");
    write(original, temporary.resolve("plain"), packed, true);
    var e = assertThrows(WeightException.class, () -> Model.load(packed));
    assertTrue(
        e.getMessage()
            .contains(
                "model.layers.0.mlp.experts.gate_up_proj_blocks is U8[4, 192, 32] and"
                    + " model.layers.0.mlp.experts.gate_up_proj_scales is U8[4, 192, 2]; MXFP4"
                    + " needs U8[…, n, 16] and U8[…, n]"),
        e.getMessage());
  }

  private static float[][] logits(Model model) {
    try (Session session = model.newSession(TOKENS)) {
      return session.score(TinyModels.tokens(TOKENS, 5));
    }
  }

  /**
   * Writes the same model with experts as they are and packed.
   *
   * @param flat whether blocks do not have a dimension of their own
   */
  private static void write(Path original, Path plain, Path packed, boolean flat)
      throws IOException {
    var random = new SplittableRandom(9);
    var values = new SafetensorsWriter();
    var blocks = new SafetensorsWriter();
    try (TensorFile file = Safetensors.openFolder(original)) {
      for (StoredTensor tensor : file.tensors().values()) {
        if (tensor.name().matches(".*experts.(gate_up|down)_proj")) {
          addExperts(tensor, random, values, blocks, flat);
        } else {
          values.add(tensor.name(), tensor.type(), tensor.shape(), tensor.data());
          blocks.add(tensor.name(), tensor.type(), tensor.shape(), tensor.data());
        }
      }
      Files.createDirectories(plain);
      Files.createDirectories(packed);
      values.write(plain.resolve("model.safetensors"));
      blocks.write(packed.resolve("model.safetensors"));
    }
    Files.writeString(plain.resolve("config.json"), CONFIG);
    String quantized =
        "{\"quantization_config\": {\"quant_method\": \"mxfp4\","
            + " \"modules_to_not_convert\": [\"lm_head\"]},";
    Files.writeString(packed.resolve("config.json"), CONFIG.replaceFirst("\\{", quantized));
  }

  private static void addExperts(
      StoredTensor tensor,
      SplittableRandom random,
      SafetensorsWriter plain,
      SafetensorsWriter packed,
      boolean flat) {
    int inputs = Math.toIntExact(tensor.shape().get(1));
    int outputs = Math.toIntExact(tensor.shape().get(2));
    int perRow = inputs / 32;
    byte[] blocks = new byte[EXPERTS * outputs * perRow * 16];
    byte[] exponents = new byte[EXPERTS * outputs * perRow];
    random.nextBytes(blocks);
    float[] values = new float[EXPERTS * outputs * inputs];
    for (int block = 0; block < exponents.length; block++) {
      int exponent = random.nextInt(-6, -3);
      exponents[block] = (byte) (127 + exponent);
      int expert = block / (outputs * perRow);
      int output = block / perRow % outputs;
      for (int i = 0; i < 32; i++) {
        int pair = Byte.toUnsignedInt(blocks[block * 16 + i / 2]);
        int code = i % 2 == 0 ? pair & 15 : pair >> 4;
        int input = block % perRow * 32 + i;
        values[(expert * inputs + input) * outputs + output] =
            (code < 8 ? 1 : -1) * MAGNITUDES[code & 7] * (float) Math.pow(2, exponent);
      }
    }
    MemorySegment bf16 = MemorySegment.ofArray(new byte[2 * values.length]);
    WeightFormat.BF16.codec().encode(values, 0, bf16, 0, values.length);
    plain.add(tensor.name(), "BF16", tensor.shape(), bf16);
    List<Long> shape = List.of((long) EXPERTS, (long) outputs, (long) perRow);
    List<Long> blocked =
        flat
            ? List.of((long) EXPERTS, (long) outputs, perRow * 16L)
            : List.of((long) EXPERTS, (long) outputs, (long) perRow, 16L);
    packed.add(tensor.name() + "_blocks", "U8", blocked, MemorySegment.ofArray(blocks));
    packed.add(tensor.name() + "_scales", "U8", shape, MemorySegment.ofArray(exponents));
  }
}
