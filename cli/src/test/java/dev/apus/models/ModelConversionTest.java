package dev.apus.models;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.apus.core.Beam;
import dev.apus.core.BeamSearch;
import dev.apus.core.Model;
import dev.apus.core.ModelConversion;
import dev.apus.core.ModelOptions;
import dev.apus.core.RandomCheckpoint;
import dev.apus.core.Session;
import dev.apus.core.config.Config;
import dev.apus.core.config.ConfigException;
import dev.apus.core.file.Gguf;
import dev.apus.core.file.Safetensors;
import dev.apus.core.file.TensorFile;
import dev.apus.core.generate.Sampling;
import dev.apus.core.generate.Token;
import dev.apus.core.weight.Accounts.Account;
import dev.apus.core.weight.Quantization;
import dev.apus.kernels.block.WeightFormat;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** From folder to GGUF file and back, a model stays what it is. */
class ModelConversionTest {

  @TempDir private Path folder;

  /** Families that can be written as GGUF files. */
  static Stream<String> families() {
    return SayableConfigs.families().stream();
  }

  private static float[][] logits(Path checkpoint) {
    return ModelLogits.of(checkpoint);
  }

  private static void assertSame(float[][] expected, float[][] found) {
    for (int row = 0; row < expected.length; row++) {
      assertArrayEquals(expected[row], found[row], "token " + row);
    }
  }

  private Path random(String family, WeightFormat format) throws IOException {
    Path path = folder.resolve(family + format);
    RandomCheckpoint.of(SayableConfigs.of(family), ModelOptions.standard())
        .writeFolder(path, format, 3);
    return path;
  }

  private static void convert(Path from, Path to, WeightFormat format) throws IOException {
    AtomicLong written = new AtomicLong();
    var conversion = new ModelConversion(from, ModelOptions.standard(), written::addAndGet);
    Quantization rules = format == null ? null : new Quantization(format, Quantization.KEPT);
    List<Account> accounts =
        ModelConversion.isGguf(to) ? conversion.toGguf(to, rules) : conversion.toFolder(to, rules);
    assertEquals(written.get(), accounts.stream().mapToLong(Account::after).sum());
    assertEquals(ModelConversion.bytes(to), written.get());
  }

  @ParameterizedTest
  @MethodSource("families")
  void thereAndBackGivesTheSameBits(String family) throws IOException {
    for (WeightFormat format : List.of(WeightFormat.F32, WeightFormat.BF16, WeightFormat.Q8_0)) {
      Path from = random(family, format);
      float[][] expected = logits(from);
      Path gguf = folder.resolve(family + format + ".gguf");
      convert(from, gguf, null);
      assertSame(expected, logits(gguf));
      Path back = folder.resolve(family + format + "-back");
      convert(gguf, back, null);
      assertSame(expected, logits(back));
      String held = format == WeightFormat.Q8_0 ? "model.gguf" : "model.safetensors";
      assertTrue(Files.exists(back.resolve(held)), held);
    }
  }

  /** No config says so. */
  @Test
  void valueHeadsInAnotherOrderHaveNoFolder() throws IOException {
    Path from = folder.resolve("qwen3_5");
    RandomCheckpoint.of(TinyModels.config("qwen3_5"), ModelOptions.standard())
        .writeFolder(from, WeightFormat.F32, 3);
    Path gguf = folder.resolve("qwen3_5.gguf");
    try (TensorFile tensors = Safetensors.openFolder(from)) {
      Config config = Config.read(from.resolve("config.json"));
      GgufConverter.convert(config, tensors, WeightFormat.F32).write(gguf);
    }
    var e =
        assertThrows(
            ConfigException.class, () -> convert(gguf, folder.resolve("qwen3_5-back"), null));
    assertTrue(e.getMessage().contains("linear_value_head_sharing"), e.getMessage());
    assertTrue(Files.notExists(folder.resolve("qwen3_5-back")));
  }

  private static Config llama(int vocabulary) {
    String json =
        new String(TinyModels.resource("/configs/llama.json"), StandardCharsets.UTF_8)
            .replaceFirst("\"vocab_size\": \\d+", "\"vocab_size\": " + vocabulary);
    return Config.parse("llama.json", json.getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void aVocabularyComesAlong() throws IOException {
    Path first = folder.resolve("first.gguf");
    RandomCheckpoint.of(llama(700), ModelOptions.standard()).writeGguf(first, WeightFormat.F32, 2);
    Path middle = folder.resolve("middle");
    convert(first, middle, null);
    Path second = folder.resolve("second.gguf");
    convert(middle, second, null);
    String text = "Once upon a time,  there\n\nwere 12345 caf\u00e9s <|end|>";
    try (Gguf one = Gguf.open(first);
        Gguf two = Gguf.open(second);
        Model before = Model.load(first);
        Model between = Model.load(middle);
        Model after = Model.load(second)) {
      int[] tokens = before.tokenizer().encode(text);
      assertTrue(tokens.length > 20);
      assertArrayEquals(tokens, between.tokenizer().encode(text));
      assertArrayEquals(tokens, after.tokenizer().encode(text));
      for (String key : List.of("model", "pre", "tokens", "merges", "bos_token_id")) {
        String name = "tokenizer.ggml." + key;
        assertEquals(one.metadata().get(name), two.metadata().get(name), name);
      }
      assertArrayEquals(
          (int[]) one.metadata().get("tokenizer.ggml.token_type"),
          (int[]) two.metadata().get("tokenizer.ggml.token_type"));
    }
  }

  /** Rows that pad a vocabulary have tokens in GGUF files, which nobody wants to read. */
  @Test
  void whatNamesNoTokenIsNeverDrawn() throws IOException {
    Path words = folder.resolve("words.gguf");
    RandomCheckpoint.of(llama(700), ModelOptions.standard()).writeGguf(words, WeightFormat.F32, 2);
    Path full = folder.resolve("full");
    convert(words, full, null);
    Path from = folder.resolve("from");
    RandomCheckpoint.of(llama(800), ModelOptions.standard()).writeFolder(from, WeightFormat.F32, 2);
    var json = new ObjectMapper();
    JsonNode tokenizer = json.readTree(full.resolve("tokenizer.json").toFile());
    ArrayNode added = (ArrayNode) tokenizer.get("added_tokens");
    ObjectNode last = added.get(0).deepCopy();
    added.add(last.put("id", 750).put("content", "<|more|>"));
    json.writeValue(from.resolve("tokenizer.json").toFile(), tokenizer);
    Set<Integer> holes = IntStream.range(700, 800).boxed().collect(Collectors.toSet());
    holes.remove(750);

    List<List<Integer>> drawn = new ArrayList<>();
    Path gguf = folder.resolve("to.gguf");
    Path back = folder.resolve("back");
    convert(from, gguf, null);
    convert(gguf, back, null);
    for (Path path : List.of(from, gguf, back)) {
      try (Model model = Model.load(path);
          Session session = model.newSession(400)) {
        assertEquals(holes, model.unusedTokens());
        assertEquals(751, session.vocabulary());
        Sampling hot = Sampling.plain().withTemperature(9).withSeed(1).withMaxTokens(300);
        drawn.add(session.start(new int[] {5}, hot).stream().map(Token::id).toList());
        assertTrue(drawn.getLast().stream().noneMatch(holes::contains), "drawn");
        int wide = 751 - 50;
        BeamSearch all = BeamSearch.of(wide).withResults(wide).withMaxTokens(1);
        List<Beam> beams = session.search(new int[0], all);
        assertTrue(beams.size() > 690, "beams: " + beams.size());
        assertTrue(beams.stream().allMatch(beam -> Collections.disjoint(beam.tokens(), holes)));
      }
    }
    assertTrue(drawn.getFirst().size() > 100, "drawn: " + drawn.getFirst().size());
    assertEquals(drawn.get(0), drawn.get(1));
    assertEquals(drawn.get(0), drawn.get(2));
  }

  @Test
  void matricesGetTheFormatThatIsAskedFor() throws IOException {
    Path from = random("llama", WeightFormat.F32);
    Path gguf = folder.resolve("small.gguf");
    convert(from, gguf, WeightFormat.BF16);
    assertTrue(ModelConversion.bytes(gguf) < 0.6 * ModelConversion.bytes(from));
    assertSame(logits(random("llama", WeightFormat.BF16)), logits(gguf));
  }

  @Test
  void whatNoKindOfFileCanSayIsRefused() throws IOException {
    Path from = random("zamba", WeightFormat.F32);
    var e =
        assertThrows(ConfigException.class, () -> convert(from, folder.resolve("z.gguf"), null));
    assertTrue(e.getMessage().startsWith("no kind of GGUF file that is known"), e.getMessage());
    assertTrue(Files.notExists(folder.resolve("z.gguf")));
  }
}
