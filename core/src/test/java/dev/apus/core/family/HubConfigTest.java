package dev.apus.core.family;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Branch;
import dev.apus.core.model.Architecture.Embedding;
import dev.apus.core.model.Architecture.Head;
import dev.apus.core.model.NormSpec;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Both spellings of a config describe the same model, and the model that it is. */
class HubConfigTest {

  @ParameterizedTest
  @EnumSource
  void bothSpellingsAreTheSameModel(HubConfig config) {
    assertEquals(
        FamilyFixtures.describe(config.newer).toJson(),
        FamilyFixtures.describe(config.hub).toJson());
  }

  @ParameterizedTest
  @EnumSource
  void theDocumentCanBePrintedAndRead(HubConfig config) {
    String printed = FamilyFixtures.describe(config.hub).toJson();
    byte[] json = printed.getBytes(StandardCharsets.UTF_8);
    assertEquals(printed, Architecture.read(Config.parse("printed", json)).toJson());
  }

  @ParameterizedTest(name = "{0}: {1} of {2} heads of {3}, MLP {4} {5}, {6} tokens")
  @CsvSource({
    "GPT2,        12,  12,  64,  3072, gelu-tanh,    1024",
    "PYTHIA,       8,   8,  64,  2048, gelu,         2048",
    "BLOOM,       16,  16,  64,  4096, gelu-tanh,    2048",
    "FALCON_7B,    1,  71,  64, 18176, gelu,         2048",
    "FALCON_40B,   8, 128,  64, 32768, gelu,         2048",
    "FALCON_RW,   32,  32,  64,  8192, gelu,         2048",
    "STABLELM_2,  32,  32,  64,  5632, silu,         4096",
    "STARCODER2,   2,  24, 128, 12288, gelu-tanh,    16384",
    "MINITRON,     8,  24, 128,  9216, relu-squared, 4096",
    "GLM,          2,  32, 128, 13696, silu,         131072",
    "GLM_4,        2,  32, 128, 13696, silu,         32768",
    "HELIUM,      20,  20, 128,  7040, silu,         4096",
    "NANOCHAT,    10,  10, 128,  5120, relu-squared, 2048",
    "COMMAND_R,   64,  64, 128, 22528, silu,         8192",
    "COMMAND_R7B,  1,   4, 128,  1792, silu,         8192",
    "PHI_3,       32,  32,  96,  8192, silu,         4096",
    "PHI_4_MINI,   2,   4,  16,  8192, silu,         131072",
  })
  void theShapeIsTheConfigs(
      HubConfig config, int kvHeads, int heads, int headDim, int inner, String act, int context) {
    Architecture read = FamilyFixtures.describe(config.hub);
    Map<String, Object> mixer = FamilyFixtures.mixer(read, 0).part().settings();
    Map<String, Object> channel = FamilyFixtures.channel(read, 0).part().settings();
    assertEquals(
        List.of(kvHeads, heads, headDim),
        List.of(mixer.get("kvHeads"), mixer.get("heads"), mixer.get("headDim")));
    assertEquals(List.of(inner, act), List.of(channel.get("inner"), channel.get("activation")));
    assertEquals(context, read.context());
  }

  @ParameterizedTest(name = "{0}: θ {1}, {2} values turned, {3}, {4}")
  @CsvSource({
    "PYTHIA,         10000, 16, halves,      default",
    "FALCON_7B,      10000, 64, halves,      default",
    "STABLELM_2,     10000, 16, halves,      default",
    "STARCODER2, 999999.4420358813, 128, halves, default",
    "MINITRON,       10000, 64, halves,      default",
    "GLM,            10000, 64, interleaved, default",
    "GLM_4,          10000, 64, interleaved, default",
    "HELIUM,        100000, 128, interleaved, default",
    "NANOCHAT,       10000, 128, halves,     default",
    "COMMAND_R,    8000000, 128, interleaved, default",
    "COMMAND_R7B,    50000, 128, interleaved, default",
    "PHI_3,          10000, 96, halves,      default",
    "PHI_4_MINI,     10000, 12, halves,      longrope",
  })
  void theRotationIsTheConfigs(
      HubConfig config, double theta, int dims, String layout, String type) {
    Architecture read = FamilyFixtures.describe(config.hub);
    Config rope =
        Config.of("mixer", FamilyFixtures.mixer(read, 0).part().settings()).section("rope");
    assertEquals(theta, rope.number("theta"));
    assertEquals(dims, rope.positive("dims"));
    assertEquals(layout, rope.word("layout", "halves"));
    assertEquals(type, rope.word("type", "default"));
  }

  @ParameterizedTest(name = "{0}: {1} steps, norm {2} {3}")
  @CsvSource({
    "GPT2,        2, LAYER, true,  true",
    "PYTHIA,      1, LAYER, true,  false",
    "BLOOM,       2, LAYER, true,  true",
    "FALCON_7B,   1, LAYER, true,  true",
    "FALCON_40B,  1, LAYER, true,  true",
    "FALCON_RW,   2, LAYER, true,  true",
    "STABLELM_2,  2, LAYER, true,  false",
    "STARCODER2,  2, LAYER, true,  true",
    "MINITRON,    2, LAYER, true,  false",
    "GLM,         2, RMS,   false, false",
    "GLM_4,       2, RMS,   false, false",
    "HELIUM,      2, RMS,   false, false",
    "NANOCHAT,    2, RMS,   false, false",
    "COMMAND_R,   1, LAYER, false, true",
    "COMMAND_R7B, 1, LAYER, false, true",
    "PHI_3,       2, RMS,   false, false",
    "PHI_4_MINI,  2, RMS,   false, true",
  })
  void theLayersAreTheFamilys(
      HubConfig config, int steps, NormSpec.Type norm, boolean biased, boolean tied) {
    Architecture read = FamilyFixtures.describe(config.hub);
    NormSpec before = FamilyFixtures.mixer(read, 0).before();
    assertEquals(steps, read.layers().getFirst().steps().size());
    assertEquals(norm, before.type());
    assertEquals(biased, before.biased());
    assertEquals(tied, read.head().tied());
  }

  @Test
  void gpt2LearnsItsPositions() {
    assertEquals(
        new Embedding(1, 1024, null), FamilyFixtures.describe(HubConfig.GPT2.hub).embedding());
  }

  @Test
  void gpt2MayScaleScoresByLayer() {
    String config =
        FamilyFixtures.with(HubConfig.GPT2.newer, "scale_attn_by_inverse_layer_idx", "true");
    Architecture read = FamilyFixtures.describe(config);
    for (int layer : new int[] {0, 1, 2, 11}) {
      assertEquals(
          0.125 / (layer + 1), FamilyFixtures.mixer(read, layer).part().settings().get("scale"));
    }
  }

  @Test
  void alibiIsScaledInFalconOnly() {
    Architecture bloom = FamilyFixtures.describe(HubConfig.BLOOM.hub);
    Architecture falcon = FamilyFixtures.describe(HubConfig.FALCON_RW.hub);
    assertEquals(1, FamilyFixtures.mixer(bloom, 0).part().settings().get("alibi"));
    assertEquals(0.125, FamilyFixtures.mixer(falcon, 0).part().settings().get("alibi"));
    assertEquals(NormSpec.layer(1e-5, true), bloom.embedding().norm());
  }

  @Test
  void glm4NormsWhatItsBranchesGive() {
    for (int layer : new int[] {0, 39}) {
      Architecture read = FamilyFixtures.describe(HubConfig.GLM_4.hub);
      Branch mixer = FamilyFixtures.mixer(read, layer);
      assertEquals(NormSpec.rms(1e-5), mixer.after());
      assertEquals(mixer.after(), FamilyFixtures.channel(read, layer).after());
    }
  }

  @Test
  void everyFourthLayerOfCommandR7bSeesAll() {
    Architecture read = FamilyFixtures.describe(HubConfig.COMMAND_R7B.hub);
    List<Boolean> windows =
        IntStream.range(0, 8)
            .mapToObj(i -> FamilyFixtures.mixer(read, i).part().settings().containsKey("window"))
            .toList();
    assertEquals(List.of(true, true, true, false, true, true, true, false), windows);
    assertEquals(new Head(true, false, 0.25f, 0), read.head());
  }

  @ParameterizedTest(name = "final_logit_softcapping={0} gives {1}")
  @CsvSource({"15.0, 15", "30, 30", "null, 0"})
  void nanochatBoundsItsLogitsUnlessToldNotTo(String value, float softcap) {
    String config = FamilyFixtures.with(HubConfig.NANOCHAT.newer, "final_logit_softcapping", value);
    assertEquals(softcap, FamilyFixtures.describe(config).head().softcap());
  }

  @Test
  void longRopeKeepsBothListsAndWhereItBegins() {
    Architecture read = FamilyFixtures.describe(HubConfig.PHI_4_MINI.hub);
    Config rope =
        Config.of("mixer", FamilyFixtures.mixer(read, 0).part().settings()).section("rope");
    assertEquals(List.of(1.0, 1.1, 1.5, 2.0, 4.0, 32.0), rope.numbers("longFactors"));
    assertEquals(List.of(1.0, 1.0, 1.0, 1.0, 1.0, 1.25), rope.numbers("shortFactors"));
    assertEquals(4096, rope.positive("original"));
    assertEquals(32, rope.number("factor"));
  }
}
