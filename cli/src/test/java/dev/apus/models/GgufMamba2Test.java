package dev.apus.models;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.apus.core.Model;
import dev.apus.core.ModelOptions;
import dev.apus.core.RandomCheckpoint;
import dev.apus.core.Session;
import dev.apus.core.config.Config;
import dev.apus.core.file.Safetensors;
import dev.apus.core.file.TensorFile;
import dev.apus.kernels.block.WeightFormat;
import java.io.IOException;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A GGUF file of a hybrid on Mamba-2 gives the same bits as the checkpoint it was made of. */
class GgufMamba2Test {

  private static final int TOKENS = 40;

  @TempDir private Path temporary;

  /** Configs that files can say: means by group, no least step, factors that are powers of two. */
  static Stream<Arguments> configs() {
    return Stream.of(
            Arguments.of(
                "mamba2",
                SayableConfigs.changed(
                    "mamba2", "\"n_groups\": 2", "$0, \"gated_norm_over\": \"group\"")),
            Arguments.of("bamba", SayableConfigs.changed("bamba")),
            Arguments.of("granite", SayableConfigs.changed("granitemoehybrid")),
            Arguments.of(
                "dense granite",
                SayableConfigs.changed(
                    "granite4-dense", "(position_embedding_type\": )\"rope\"", "$1\"nope\"")),
            Arguments.of("falcon", falcon("true")),
            Arguments.of("falcon without a norm", falcon("false")),
            Arguments.of("nemotron", nemotron("\"moe\"", "\"mlp\"")),
            Arguments.of(
                "nemotron of experts",
                nemotron("\"mlp\"", "\"moe\"").replace("size\": null", "size\": 24")))
        .flatMap(
            a ->
                Stream.of(WeightFormat.F32, WeightFormat.BF16)
                    .map(format -> Arguments.of(a.get()[0], a.get()[1], format)));
  }

  static String nemotron(String kind, String other) {
    return SayableConfigs.changed("nemotron_h", kind, other, "(time_step_min\": )[0-9.]+", "$10");
  }

  private static String falcon(String norm) {
    return SayableConfigs.changed(
        "falcon_h1",
        "(in_multiplier\": )0.9",
        "$12.0",
        "(in_multiplier\": )0.8",
        "$10.5",
        "(out_multiplier\": )[0-9.]+",
        "$14.0",
        "(key_multiplier\": )0.7",
        "$10.5",
        "(embedding_multiplier\": )1.5",
        "$12.0",
        "(lm_head_multiplier\": )0.6",
        "$10.125",
        "(?s)(\"mlp_multipliers\": \\[).*?\\]",
        "$10.5, 4.0]",
        "(?s)(\"ssm_multipliers\": \\[).*?\\]",
        "$10.5, 2.0, 4.0, 0.25, 0.5]",
        "(mamba_n_groups\": )1",
        "$12",
        "(mamba_rms_norm\": )false",
        "$1" + norm);
  }

  @ParameterizedTest(name = "{0} {2}")
  @MethodSource("configs")
  void theLogitsHaveTheSameBits(String name, String json, WeightFormat format) throws IOException {
    Config config = Config.parse("config.json", json.getBytes(UTF_8));
    Path folder = temporary.resolve("folder");
    RandomCheckpoint.of(config, ModelOptions.standard()).writeFolder(folder, format, 3);
    Path file = temporary.resolve("model.gguf");
    try (TensorFile tensors = Safetensors.openFolder(folder)) {
      Config written = Config.read(folder.resolve("config.json"));
      GgufConverter.convert(written, tensors, format).write(file);
    }
    try (Model expected = Model.load(folder);
        Model found = Model.load(file)) {
      float[][] logits = logits(found);
      float[][] reference = logits(expected);
      for (int row = 0; row < TOKENS; row++) {
        assertArrayEquals(reference[row], logits[row], "token " + row);
      }
      if (!name.startsWith("falcon")) {
        assertEquals(expected.architecture(), found.architecture());
      }
    }
  }

  /** Falcon-H1 without factors. */
  static String plainFalcon() {
    return falcon("true")
        .replaceAll("(multiplier\": )[0-9.]+", "$11.0")
        .replaceAll("(?s)(\"mlp_multipliers\": \\[).*?\\]", "$11.0, 1.0]")
        .replaceAll("(?s)(\"ssm_multipliers\": \\[).*?\\]", "$11.0, 1.0, 1.0, 1.0, 1.0]");
  }

  private static float[][] logits(Model model) {
    try (Session session = model.newSession(TOKENS)) {
      return session.score(TinyModels.tokens(TOKENS, 5));
    }
  }
}
