package dev.apus.core.family;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.config.Config;
import dev.apus.core.config.ConfigException;
import dev.apus.core.file.Gguf;
import dev.apus.core.file.GgufWriter;
import dev.apus.core.model.Architecture;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the metadata of GGUF files becomes, and what of it is refused in which words. */
class GgufFamiliesTest {

  private static final Families FAMILIES = Families.installed();

  /** The least that a file of the architecture must say. */
  private static Map<String, Object> metadata(String architecture) {
    Map<String, Object> metadata = new LinkedHashMap<>();
    metadata.put("general.architecture", architecture);
    Map.of(
            "context_length", 64,
            "embedding_length", 32,
            "block_count", 3,
            "feed_forward_length", 48,
            "attention.head_count", 4,
            "attention.layer_norm_rms_epsilon", 1e-5f)
        .forEach((key, value) -> metadata.put(architecture + "." + key, value));
    return metadata;
  }

  private static Map<String, Object> llama(Object... more) {
    Map<String, Object> metadata = metadata("llama");
    for (int i = 0; i < more.length; i += 2) {
      metadata.put((String) more[i], more[i + 1]);
    }
    return metadata;
  }

  private static Gguf file(Map<String, Object> metadata, String... vectors) {
    var writer = new GgufWriter();
    metadata.forEach(
        (key, value) -> {
          switch (value) {
            case Integer number -> writer.u32(key, number);
            case Float number -> writer.f32(key, number);
            case Boolean flag -> writer.flag(key, flag);
            case int[] numbers -> writer.i32s(key, numbers);
            default -> writer.text(key, value.toString());
          }
        });
    writer.add(
        "token_embd.weight", "F32", List.of(10L, 32L), MemorySegment.ofArray(new byte[1280]));
    for (String name : vectors) {
      writer.add(name, "F32", List.of(4L), MemorySegment.ofArray(new float[] {1, 2, 3, 4}));
    }
    return Gguf.of("tiny.gguf", MemorySegment.ofArray(writer.toBytes()));
  }

  private static Architecture describe(Map<String, Object> metadata, String... vectors) {
    Gguf file = file(metadata, vectors);
    return FAMILIES.describe(FAMILIES.of(file).config(file));
  }

  private static String refusal(Map<String, Object> metadata, String... vectors) {
    ConfigException refused =
        assertThrows(ConfigException.class, () -> describe(metadata, vectors));
    assertTrue(refused.getMessage().startsWith("tiny.gguf: "), refused.getMessage());
    return refused.getMessage();
  }

  @Test
  void theVocabularyIsWhatTheEmbeddingHolds() {
    assertEquals(10, describe(llama("llama.vocab_size", 12)).vocabulary());
  }

  @Test
  void theHeadIsTheEmbeddingUnlessThereIsAnOutput() {
    assertTrue(describe(llama()).head().tied());
    assertFalse(describe(llama(), "output.weight").head().tied());
  }

  @Test
  void floatsStandForTheDecimalsTheyWereMadeOf() {
    Gguf file = file(llama("llama.rope.freq_base", 0.1f));
    Config config = FAMILIES.of(file).config(file);
    assertEquals(1e-5, config.number("rms_norm_eps"));
    assertEquals(0.1, config.number("rope_theta"));
  }

  @ParameterizedTest
  @CsvSource({
    "8, , mixtral",
    "8, 16, mixtral",
    "0, 16, mistral",
    "0, , llama",
    ", , llama",
  })
  void llamaFilesAreOfThreeFamilies(Integer experts, Integer window, String family) {
    Map<String, Object> metadata = llama();
    if (experts != null) {
      metadata.put("llama.expert_count", experts);
      metadata.put("llama.expert_used_count", experts / 4);
    }
    if (window != null) {
      metadata.put("llama.attention.sliding_window", window);
    }
    String document = describe(metadata).toJson();
    assertTrue(document.contains("\"family\" : \"" + family + "\""), document);
    assertEquals(window != null, document.contains("\"window\" : 16"), document);
  }

  @ParameterizedTest
  @CsvSource({"gemma2, 46, 8", "gemma2, 3, 16", "gemma3, 62, 8", "gemma3, 46, 16"})
  void theLargestGemmasScaleScoresByTheWidthOfTheModel(String name, int layers, double scalar) {
    Map<String, Object> metadata = metadata(name);
    metadata.put(name + ".block_count", layers);
    metadata.put(name + ".attention.key_length", 16);
    metadata.put(name + ".attention.sliding_window", 16);
    Gguf file = file(metadata);
    assertEquals(scalar, FAMILIES.of(file).config(file).number("query_pre_attn_scalar"));
  }

  private static Map<String, Object> jamba(int... heads) {
    Map<String, Object> metadata = metadata("jamba");
    metadata.put("jamba.block_count", 6);
    metadata.put("jamba.attention.head_count_kv", heads);
    Map.of("conv_kernel", 4, "inner_size", 64, "state_size", 8, "time_step_rank", 2)
        .forEach((key, value) -> metadata.put("jamba.ssm." + key, value));
    metadata.put("jamba.expert_count", 4);
    metadata.put("jamba.expert_used_count", 2);
    return metadata;
  }

  @Test
  void aJambaFileSaysWhichLayersAttendAndItsTensorsWhichChoose() {
    Architecture model =
        describe(jamba(0, 0, 2, 0, 0, 2), "blk.1.ffn_gate_inp.weight", "blk.4.ffn_gate_inp.weight");
    List<String> parts = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      parts.add(
          FamilyFixtures.mixer(model, i).part().type()
              + " "
              + FamilyFixtures.channel(model, i).part().type());
    }
    assertEquals(
        List.of(
            "mamba gated-mlp",
            "mamba moe",
            "attention gated-mlp",
            "mamba gated-mlp",
            "mamba moe",
            "attention gated-mlp"),
        parts);
    Architecture once = describe(jamba(0, 0, 0, 0, 0, 2));
    assertEquals("attention", FamilyFixtures.mixer(once, 5).part().type());
    assertEquals("mamba", FamilyFixtures.mixer(once, 4).part().type());
  }

  @Test
  void layersOfJambaThatComeWithoutAPeriodAreRefused() {
    assertEquals(
        "tiny.gguf: jamba: attention.head_count_kv name layers that do not come once in a period",
        refusal(jamba(0, 2, 0, 2, 2, 0)));
    assertEquals(
        "tiny.gguf: jamba.attention.head_count_kv counts for 5 layers, jamba.block_count=6",
        refusal(jamba(0, 2, 0, 2, 0)));
    Map<String, Object> odd = jamba(0, 2, 0, 2, 0, 2);
    odd.put("jamba.ssm.inner_size", 65);
    assertEquals(
        "tiny.gguf: jamba.ssm.inner_size=65 must be a multiple of jamba.embedding_length=32",
        refusal(odd));
  }

  @Test
  void anUnknownArchitectureIsRefusedWithThoseThatAreKnown() {
    Gguf file = file(Map.of("general.architecture", "mpt"));
    String message = assertThrows(ConfigException.class, () -> FAMILIES.of(file)).getMessage();
    assertTrue(message.startsWith("tiny.gguf: general.architecture = \"mpt\""), message);
    String known = message.substring(message.indexOf("supported: ") + "supported: ".length());
    List<String> names = List.of(known.split(", "));
    assertEquals(names.stream().sorted().toList(), names);
    assertTrue(names.containsAll(List.of("llama", "mamba2", "qwen3next", "gpt-oss")), message);
  }

  private static Map<String, Object> lfm2(int... keyValueHeads) {
    Map<String, Object> metadata = metadata("lfm2");
    metadata.put("lfm2.shortconv.l_cache", 3);
    metadata.put("lfm2.attention.head_count_kv", keyValueHeads);
    return metadata;
  }

  @Test
  void layersWithoutKeyValueHeadsDoNotAttend() {
    Architecture read = describe(lfm2(0, 2, 0));
    assertEquals("gated-convolution", FamilyFixtures.mixer(read, 0).part().type());
    assertEquals(2, FamilyFixtures.mixer(read, 1).part().settings().get("kvHeads"));
    assertEquals(read.layers().getFirst(), read.layers().getLast());
    assertEquals(1, describe(lfm2(0, 0, 0)).layers().stream().distinct().count());
    String message = refusal(lfm2(1, 2, 0));
    assertTrue(
        message.contains("lfm2.attention.head_count_kv=[1, 2, 0] is not supported"), message);
  }

  @Test
  void aFileWithoutAnArchitectureIsRefused() {
    Gguf file = file(Map.of());
    String message = assertThrows(ConfigException.class, () -> FAMILIES.of(file)).getMessage();
    assertTrue(message.startsWith("tiny.gguf: general.architecture is missing"), message);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "context_length",
        "embedding_length",
        "block_count",
        "feed_forward_length",
        "attention.head_count",
        "attention.layer_norm_rms_epsilon"
      })
  void aMissingKeyIsNamedAsFilesNameIt(String key) {
    Map<String, Object> metadata = llama();
    metadata.remove("llama." + key);
    String message = refusal(metadata);
    assertTrue(message.contains("llama." + key + " is missing"), message);
  }

  @ParameterizedTest
  @CsvSource({
    "llama.attention.head_count, many, llama.attention.head_count=\"many\" must be",
    "llama.attention.head_count_kv, 3, llama.attention.head_count=4 is not divisible by"
        + " llama.attention.head_count_kv=3",
    "llama.attention.head_count, 5, llama.embedding_length=32 is not divisible by"
        + " llama.attention.head_count",
    "llama.attention.value_length, 4, llama.attention.value_length=4 is not supported; supported:"
        + " 8",
    "llama.rope.dimension_count, 4, llama.rope.dimension_count=4 is not supported; supported: 8",
    "llama.attention.causal, false, llama.attention.causal=false is not supported",
    "llama.expert_count, few, llama.expert_count=\"few\" must be",
    "llama.rope.scaling.type, longrope, llama.rope.scaling.type=\"longrope\" is not supported;"
        + " supported: none",
    "llama.rope.scaling.factor, large, llama.rope.scaling.factor=\"large\" must be",
    "llama.feed_forward_length, 0, llama.feed_forward_length=0 must be",
    "llama.attention.scale, 2, llama.attention.scale is a setting that",
  })
  void whatCannotBeRunIsRefusedInTheWordsOfTheFile(String key, String value, String expected) {
    Object typed =
        switch (value) {
          case "false" -> false;
          case String digits when digits.matches("\\d+") -> Integer.parseInt(digits);
          default -> value;
        };
    String message = refusal(llama(key, typed));
    assertTrue(message.contains(expected), message);
  }

  @Test
  void keysOfNobodyInTheFormatAreNoSettings() {
    assertEquals(
        describe(llama()), describe(llama("general.quantized_by", "x", "somebody.key", 3)));
  }

  @Test
  void factorsOfTheRotationComeFromTheirTensor() {
    String document = describe(llama(), "rope_freqs.weight").toJson();
    assertTrue(document.contains("\"type\" : \"factors\""), document);
    assertTrue(document.replaceAll("\\s", "").contains("[1.0,2.0,3.0,4.0]"), document);
  }

  @Test
  void factorsForAnotherNumberOfPairsAreRefused() {
    String message = refusal(llama("llama.attention.key_length", 12), "rope_freqs.weight");
    assertTrue(message.contains("rope_freqs.weight has 4 values; a head has 6 pairs"), message);
  }

  @Test
  void twoWaysToStretchARotationAreRefused() {
    String message = refusal(llama("llama.rope.scaling.factor", 2f), "rope_freqs.weight");
    assertTrue(message.contains("rope_freqs.weight and llama.rope.scaling"), message);
  }

  @Test
  void aFactorWithoutATypeIsLinearAndOneOfTypeNoneIsNothing() {
    String linear = describe(llama("llama.rope.scaling.factor", 2f)).toJson();
    assertTrue(linear.contains("\"type\" : \"linear\""), linear);
    assertEquals(
        describe(llama()),
        describe(llama("llama.rope.scaling.type", "none", "llama.rope.scaling.factor", 2f)));
  }

  @Test
  void aFileWithoutAnEmbeddingIsRefused() {
    var writer = new GgufWriter();
    metadata("llama").forEach((key, value) -> writer.text(key, value.toString()));
    Gguf file = Gguf.of("tiny.gguf", MemorySegment.ofArray(writer.toBytes()));
    String message =
        assertThrows(ConfigException.class, () -> FAMILIES.of(file).config(file)).getMessage();
    assertTrue(message.contains("no tensor token_embd.weight"), message);
  }
}
