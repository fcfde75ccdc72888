package dev.apus.core.verify;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.apus.core.config.ConfigException;
import dev.apus.core.file.FormatException;
import dev.apus.core.file.SafetensorsWriter;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Embedding;
import dev.apus.core.model.Architecture.Head;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Answers that are broken, or that no model of an architecture can give. */
class ExpectedTest {

  private static final String JSON =
      """
      {"logits_std": 1.5, "prompt_length": 3, "greedy": [1, 4], "greedy_margins": [0.5, 2]}
      """;

  @TempDir private Path folder;

  /** By name: an I32 tensor's values, or the shape of the logits. */
  private final Map<String, int[]> tensors = new LinkedHashMap<>();

  @BeforeEach
  void answerThreeTokensAndTwoPositions() {
    tensors.put("input_ids", new int[] {2, 0, 4});
    tensors.put("positions", new int[] {0, 2});
    tensors.put("logits", new int[] {2, 5});
  }

  private Expected read(String json) throws IOException {
    var writer = new SafetensorsWriter();
    tensors.forEach(
        (name, values) -> {
          if (name.equals("logits")) {
            int count = 1;
            for (int length : values) {
              count *= length;
            }
            writer.add(name, "F32", shape(values), MemorySegment.ofArray(new byte[4 * count]));
          } else {
            writer.add(name, "I32", shape(values.length), bytes(values));
          }
        });
    writer.write(folder.resolve("expected.safetensors"));
    Files.writeString(folder.resolve("expected.json"), json);
    return Expected.read(folder);
  }

  private static List<Long> shape(int... lengths) {
    return Arrays.stream(lengths).mapToObj(length -> (long) length).toList();
  }

  private static MemorySegment bytes(int... values) {
    ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asIntBuffer().put(values);
    return MemorySegment.ofArray(bytes.array());
  }

  private static Architecture model(int vocabulary, int positions) {
    return new Architecture(
        "test",
        vocabulary,
        4,
        64,
        new Embedding(1, positions, null),
        List.of(),
        null,
        Head.of(true));
  }

  @Test
  void whatIsWholeIsRead() throws IOException {
    Expected expected = read(JSON);
    assertArrayEquals(new int[] {2, 0, 4}, expected.tokens());
    assertArrayEquals(new int[] {1, 4}, expected.greedy());
    assertEquals(2, expected.logits().length);
    assertEquals(5, expected.length());
    assertDoesNotThrow(() -> expected.requireFrom(model(5, 5)));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "1.5 | 0 | logits_std=0.0 must be a positive number",
        "1.5 | -2.5 | logits_std=-2.5 must be a positive number",
        "1.5 | \"NaN\" | logits_std=\"NaN\" must be a finite number",
        "3, | 4, | prompt_length=4 must be at most 3, the number of input_ids in"
            + " expected.safetensors",
        "[0.5, 2] | [0.5] | greedy_margins has 1 entries; needed: 2, one for each of greedy",
        "[0.5, 2] | [0.5, 2, 1] | greedy_margins has 3 entries; needed: 2, one for each of greedy",
      })
  void refusesSettingsThatDoNotFit(String truth, String lie, String message) {
    var e = assertThrows(ConfigException.class, () -> read(JSON.replace(truth, lie)));
    assertEquals("expected.json:1: " + message, e.getMessage());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "positions | 0 3 | positions[1] is 3; needed: 0 to 2, below the number of input_ids",
        "positions | -1 2 | positions[0] is -1; needed: 0 to 2, below the number of input_ids",
        "logits | '' | logits is []; needed: [2, vocabulary], a row for each position",
        "logits | 10 | logits is [10]; needed: [2, vocabulary], a row for each position",
        "logits | 5 2 | logits is [5, 2]; needed: [2, vocabulary], a row for each position",
        "logits | 2 0 | logits is [2, 0]; needed: at least one value",
        "positions | '' | positions is [0]; needed: at least one value",
        "input_ids | '' | input_ids is [0]; needed: at least one value",
      })
  void refusesTensorsThatDoNotFit(String name, String values, String message) {
    tensors.put(name, numbers(values));
    var e = assertThrows(FormatException.class, () -> read(JSON));
    assertEquals("expected.safetensors: " + message, e.getMessage());
  }

  private static int[] numbers(String values) {
    return values.isEmpty()
        ? new int[0]
        : Arrays.stream(values.split(" ")).mapToInt(Integer::parseInt).toArray();
  }

  @Test
  void refusesATensorThatIsNotThere() {
    tensors.remove("logits");
    var e = assertThrows(FormatException.class, () -> read(JSON));
    assertEquals(
        "expected.safetensors: the tensor logits must be there as F32, found nothing",
        e.getMessage());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "4 | 0 | expected.safetensors: input_ids[2] is 4; needed: 0 to 3, below the model's"
            + " vocabulary",
        "5 | 4 | expected.safetensors: the answers are 5 tokens long; the model has 4 positions",
      })
  void refusesWhatTheModelCannotAnswer(int vocabulary, int positions, String message)
      throws IOException {
    refused(read(JSON), model(vocabulary, positions), message);
  }

  @Test
  void refusesTokensAndColumnsThatTheVocabularyLacks() throws IOException {
    tensors.put("logits", new int[] {2, 6});
    refused(
        read(JSON),
        model(5, 0),
        "expected.safetensors: logits has 6 columns; the model's vocabulary is 5");
    tensors.put("input_ids", new int[] {2, -1, 4});
    refused(
        read(JSON),
        model(6, 0),
        "expected.safetensors: input_ids[1] is -1; needed: 0 to 5, below the model's vocabulary");
    answerThreeTokensAndTwoPositions();
    refused(
        read(JSON.replace("[1, 4]", "[1, 5]")),
        model(6, 0),
        "expected.json: greedy[1] is 5; needed: 0 to 4");
  }

  private static void refused(Expected expected, Architecture model, String message) {
    var e = assertThrows(FormatException.class, () -> expected.requireFrom(model));
    assertEquals(message, e.getMessage());
  }
}
