package dev.apus.core.family;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.apus.core.config.Config;
import dev.apus.core.file.StoredTensor;
import dev.apus.core.file.TensorFile;
import dev.apus.core.weight.CheckpointWeights;
import dev.apus.core.weight.StoredRows;
import dev.apus.core.weight.WeightSource.Key;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Which stored rows the families that rearrange theirs find for each weight. */
class NameTablesTest {

  /** Two heads of 3 for queries and keys alike. */
  private static final String NEOX =
      """
      {"model_type": "gpt_neox", "hidden_size": 6, "num_attention_heads": 2,
       "num_hidden_layers": 1}
      """;

  private static final String BLOOM =
      """
      {"model_type": "bloom", "hidden_size": 6, "n_head": 2, "n_layer": 1}
      """;

  /** Four query heads of 2, two of them for each key–value head. */
  private static final String FALCON =
      """
      {"model_type": "falcon", "hidden_size": 8, "num_attention_heads": 4, "num_kv_heads": 2,
       "num_hidden_layers": 1, "new_decoder_architecture": true}
      """;

  private static final String GPT2 =
      """
      {"model_type": "gpt2", "n_embd": 6, "n_head": 2, "n_layer": 1}
      """;

  private static final String NANOCHAT =
      """
      {"model_type": "nanochat", "hidden_size": 8, "num_attention_heads": 2,
       "num_hidden_layers": 1}
      """;

  private static final String NEMOTRON =
      """
      {"model_type": "nemotron", "hidden_size": 4, "num_attention_heads": 2,
       "num_hidden_layers": 1}
      """;

  private static final String STABLELM =
      """
      {"model_type": "stablelm", "hidden_size": 6, "num_attention_heads": 3,
       "num_key_value_heads": 1, "num_hidden_layers": 1}
      """;

  @ParameterizedTest
  @CsvSource({"q, 0 1 2 9 10 11", "k, 3 4 5 12 13 14", "v, 6 7 8 15 16 17"})
  void headsOfNeoxFollowOneAnother(String weight, String rows) {
    String name = "gpt_neox.layers.0.attention.query_key_value.";
    var weights = weights(NEOX, numbered(name + "weight", 18, 6), numbered(name + "bias", 18));
    assertEquals(rows, firstOfRows(weights, "attention." + weight, 6, 6));
    assertEquals(rows, values(weights, "attention." + weight + ".bias", 6));
  }

  @ParameterizedTest
  @CsvSource({"q, 8, 0 1 2 3 8 9 10 11", "k, 4, 4 5 12 13", "v, 4, 6 7 14 15"})
  void keysOfFalconFollowTheQueriesThatShareThem(String weight, int rows, String expected) {
    String name = "transformer.h.0.self_attention.query_key_value.weight";
    var weights = weights(FALCON, numbered(name, 16, 8));
    assertEquals(expected, firstOfRows(weights, "attention." + weight, rows, 8));
  }

  @Test
  void falconsTwoNormsHaveNamesOfTheirOwn() {
    var weights =
        weights(
            FALCON,
            numbered("transformer.h.0.ln_attn.weight", 8),
            tensor("transformer.h.0.ln_mlp.weight", new float[] {9, 8, 7, 6, 5, 4, 3, 2}, 8));
    assertEquals("0 1 2 3 4 5 6 7", values(weights, "mixer.norm", 8));
    assertEquals("9 8 7 6 5 4 3 2", values(weights, "channel.norm", 8));
  }

  @Test
  void columnsOfGpt2AreRows() {
    String name = "transformer.h.0.attn.c_attn.";
    float[] columns = new float[6 * 18];
    for (int i = 0; i < columns.length; i++) {
      columns[i] = 100 * (i / 18) + i % 18;
    }
    var weights =
        weights(GPT2, tensor(name + "weight", columns, 6, 18), numbered(name + "bias", 18));
    assertEquals("6 7 8 9 10 11", firstOfRows(weights, "attention.k", 6, 6));
    assertEquals("6 7 8 9 10 11", values(weights, "attention.k.bias", 6));
    float[] row = new float[6];
    find(weights, "attention.v", 6, 6).decode(2, row, 0);
    assertArrayEquals(new float[] {14, 114, 214, 314, 414, 514}, row);
  }

  @ParameterizedTest
  @ValueSource(strings = {"q", "k"})
  void halvesOfNanochatsHeadsChangePlaces(String weight) {
    String name = "model.layers.0.self_attn." + weight + "_proj.weight";
    var weights = weights(NANOCHAT, numbered(name, 8, 8));
    assertEquals("2 3 0 1 6 7 4 5", firstOfRows(weights, "attention." + weight, 8, 8));
  }

  @ParameterizedTest
  @CsvSource({
    "mixer.norm,   model.layers.0.input_layernorm.",
    "channel.norm, model.layers.0.post_attention_layernorm.",
    "norm,         model.norm.",
  })
  void nemotronsNormsCountFromOneAndTheirBiasesDoNot(String ours, String theirs) {
    var weights = weights(NEMOTRON, numbered(theirs + "weight", 4), numbered(theirs + "bias", 4));
    assertEquals("1 2 3 4", values(weights, ours, 4));
    assertEquals("0 1 2 3", values(weights, ours + ".bias", 4));
  }

  @Test
  void normsOfStableLmsHeadsAreJoined() {
    String name = "model.layers.0.self_attn.q_layernorm.norms.";
    var weights =
        weights(
            STABLELM,
            numbered(name + "1.weight", 2),
            tensor(name + "0.weight", new float[] {5, 6}, 2),
            tensor(name + "2.weight", new float[] {8, 7}, 2));
    assertEquals("5 6 0 1 8 7", values(weights, "attention.q.norm", 6));
  }

  @Test
  void namesAreTheSameWhereDigitsAreOthers() {
    Locale before = Locale.getDefault();
    try {
      Locale.setDefault(Locale.forLanguageTag("ar-EG"));
      assertEquals("\u0661", "%d".formatted(1), "the locale must have digits of its own");
      normsOfStableLmsHeadsAreJoined();
    } finally {
      Locale.setDefault(before);
    }
  }

  @Test
  void bloomsNamesMayLackTheirPrefixAndRepeatTheEmbedding() {
    var weights =
        weights(BLOOM, numbered("word_embeddings.weight", 5, 6), numbered("lm_head.weight", 5, 6));
    assertEquals("0 1 2 3 4", firstOfRows(weights, "embedding", 5, 6));
    weights.expectCopy(new Key("head", -1, -1), new Key("embedding", -1, -1), 5, 6);
    assertEquals(List.of(), weights.unread());
  }

  private static String firstOfRows(CheckpointWeights weights, String name, int rows, int cols) {
    StoredRows found = find(weights, name, rows, cols);
    float[] row = new float[cols];
    StringBuilder firsts = new StringBuilder();
    for (int i = 0; i < rows; i++) {
      found.decode(i, row, 0);
      firsts.append(i == 0 ? "" : " ").append((int) row[0]);
    }
    return firsts.toString();
  }

  private static String values(CheckpointWeights weights, String name, int length) {
    StringBuilder values = new StringBuilder();
    for (float value : find(weights, name, 1, length).decode()) {
      values.append(values.isEmpty() ? "" : " ").append((int) value);
    }
    return values.toString();
  }

  private static StoredRows find(CheckpointWeights weights, String name, int rows, int cols) {
    return weights.find(new Key(name, 0, -1), rows, cols, null);
  }

  private static CheckpointWeights weights(String json, StoredTensor... tensors) {
    Config config = Config.parse("config.json", json.getBytes(StandardCharsets.UTF_8));
    Map<String, StoredTensor> byName = new LinkedHashMap<>();
    for (StoredTensor tensor : tensors) {
      byName.put(tensor.name(), tensor);
    }
    return new CheckpointWeights(
        new InMemory(byName), Families.installed().of(config).weights(config));
  }

  /** A vector that counts its values. */
  private static StoredTensor numbered(String name, int length) {
    float[] values = new float[length];
    for (int i = 0; i < length; i++) {
      values[i] = i;
    }
    return tensor(name, values, length);
  }

  /** A matrix whose rows hold their number everywhere. */
  private static StoredTensor numbered(String name, int rows, int cols) {
    float[] values = new float[rows * cols];
    for (int i = 0; i < values.length; i++) {
      values[i] = i / cols;
    }
    return tensor(name, values, rows, cols);
  }

  private static StoredTensor tensor(String name, float[] values, long... shape) {
    MemorySegment data = Arena.ofAuto().allocate(4L * values.length, 4);
    MemorySegment.copy(values, 0, data, ValueLayout.JAVA_FLOAT, 0, values.length);
    List<Long> dimensions = Arrays.stream(shape).boxed().toList();
    return new StoredTensor("model.safetensors", name, "F32", dimensions, data);
  }

  private record InMemory(Map<String, StoredTensor> tensors) implements TensorFile {

    @Override
    public String name() {
      return "model.safetensors";
    }

    @Override
    public void close() {}
  }
}
