package dev.apus.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.Model;
import dev.apus.core.Session;
import dev.apus.core.config.ConfigException;
import dev.apus.core.file.FormatException;
import dev.apus.core.file.GgufWriter;
import dev.apus.core.file.Safetensors;
import dev.apus.core.file.TensorFile;
import dev.apus.core.generate.Sampling;
import dev.apus.core.tokenizer.TokenizerException;
import dev.apus.kernels.block.WeightFormat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What GGUF files say about text, about sampling and about the end of a text. */
class GgufTextTest {

  @TempDir private Path temporary;

  private Path file(Consumer<GgufWriter> more) throws IOException {
    Path folder = TinyCheckpoint.write(temporary.resolve("llama"), "llama", 11);
    Path file = temporary.resolve("llama.gguf");
    try (TensorFile tensors = Safetensors.openFolder(folder)) {
      GgufWriter gguf =
          GgufConverter.convert(TinyModels.config("llama"), tensors, WeightFormat.BF16);
      more.accept(gguf);
      gguf.write(file);
    }
    return file;
  }

  private static void letters(GgufWriter gguf) {
    List<String> tokens =
        IntStream.range(0, 26).mapToObj(i -> Character.toString('a' + i)).toList();
    gguf.text("tokenizer.ggml.model", "gpt2")
        .text("tokenizer.ggml.pre", "gpt-2")
        .texts("tokenizer.ggml.tokens", tokens)
        .texts("tokenizer.ggml.merges", List.of());
  }

  @Test
  void aVocabularyOfBytePairsReadsText() throws IOException {
    try (Model model = Model.load(file(GgufTextTest::letters));
        Session session = model.newSession(8)) {
      session.append(session.encode("swift"));
      assertEquals(26, session.vocabulary());
      assertEquals("swift", model.tokenizer().decode(session.tokens()));
    }
  }

  @Test
  void aVocabularyOfAnotherKindIsMissedWhenTextIsAskedFor() throws IOException {
    Path file = file(gguf -> gguf.text("tokenizer.ggml.model", "unheard-of"));
    try (Model model = Model.load(file);
        Session session = model.newSession(8)) {
      session.append(1, 2, 3);
      assertEquals(192, session.logits().length);
      String message =
          assertThrows(IllegalStateException.class, () -> session.encode("text")).getMessage();
      assertTrue(message.contains("llama.gguf"), message);
      assertTrue(message.contains("tokenizer.ggml.model=\"unheard-of\""), message);
      assertTrue(message.contains("give tokens instead"), message);
    }
  }

  @Test
  void aBrokenVocabularyOfAKnownKindIsRefusedAtOnce() throws IOException {
    Path file =
        file(
            gguf ->
                gguf.text("tokenizer.ggml.model", "gpt2")
                    .text("tokenizer.ggml.pre", "gpt-2")
                    .texts("tokenizer.ggml.tokens", List.of("a", "b")));
    assertThrows(TokenizerException.class, () -> Model.load(file));
  }

  @Test
  void textsEndWhereTheFileSays() throws IOException {
    try (Model model = Model.load(file(gguf -> gguf.u32("tokenizer.ggml.eot_token_id", 7)))) {
      assertEquals(Set.of(2, 7), model.endTokens());
    }
  }

  @Test
  void theMakersSamplingIsRead() throws IOException {
    Path file =
        file(gguf -> gguf.f32("general.sampling.temp", 0.6f).i32("general.sampling.top_k", 20));
    try (Model model = Model.load(file)) {
      assertEquals(Sampling.plain().withTemperature(0.6f).withTopK(20), model.sampling());
    }
  }

  @Test
  void samplingThatCannotBeIsRefusedWithTheFile() throws IOException {
    Path file = file(gguf -> gguf.f32("general.sampling.temp", -1));
    String message = assertThrows(ConfigException.class, () -> Model.load(file)).getMessage();
    assertTrue(message.startsWith("llama.gguf: general.sampling.temp=-1.0"), message);
  }

  @Test
  void aNumberThatIsNoIdEndsNothing() throws IOException {
    long none = (1L << 32) - 1;
    try (Model model = Model.load(file(gguf -> gguf.u32("tokenizer.ggml.eot_token_id", none)))) {
      assertEquals(Set.of(2), model.endTokens());
    }
  }

  @Test
  void aFileThatIsNoGgufIsRefused() throws IOException {
    Path folder = TinyCheckpoint.write(temporary.resolve("llama"), "llama", 11);
    Path file = folder.resolve("model.safetensors");
    assertTrue(Files.exists(file));
    String message = assertThrows(FormatException.class, () -> Model.load(file)).getMessage();
    assertTrue(message.contains("does not start with GGUF"), message);
  }

  @Test
  void aFolderWithoutACheckpointIsRefused() {
    String message = assertThrows(FormatException.class, () -> Model.load(temporary)).getMessage();
    assertTrue(message.contains("there is no config.json"), message);
    assertTrue(message.contains("or a GGUF file"), message);
  }
}
