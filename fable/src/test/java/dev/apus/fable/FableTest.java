package dev.apus.fable;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.Model;
import dev.apus.core.ModelOptions;
import dev.apus.core.Session;
import dev.apus.core.file.FormatException;
import dev.apus.core.file.ModelFiles;
import dev.apus.core.file.StoredTensor;
import dev.apus.core.file.TensorFile;
import dev.apus.core.generate.Sampling;
import dev.apus.core.generate.Token;
import dev.apus.core.verify.Verification;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FableTest {

  /** What the embedded model says, greedily, after {@link #PROMPT}: the first 40 tokens. */
  private static final String STORY =
      " a man was born to him, and he was so very poor that he was so tired that he could not get"
          + " out of his way. So he went to the wood and said to the man,";

  private static final String PROMPT = "Once upon a time";

  /** How far storing the matrices in Q8_0 may move a logit, in units of the logits' spread. */
  private static final double COST_OF_Q8 = 0.04;

  @ParameterizedTest(name = "{0} threads")
  @ValueSource(ints = {1, 2, 3})
  void tellsTheSameStoryWithAnyNumberOfThreads(int threads) {
    try (Model model = Fable.open(ModelOptions.standard().withThreads(threads));
        Session session = model.newSession(64);
        Stream<Token> tokens = session.generate(PROMPT, Sampling.greedy().withMaxTokens(40))) {
      assertEquals(STORY, tokens.map(Token::text).collect(Collectors.joining()));
    }
  }

  @Test
  void samplesAsItsMakersDo() {
    try (Model model = Fable.open()) {
      assertEquals(Sampling.standard(), model.sampling());
      assertEquals(Set.of(0), model.endTokens());
    }
  }

  /** The reference's answers are those of the weights before they were stored in Q8_0. */
  @Test
  void answersAsTheReferenceDoes(@TempDir Path folder) throws IOException {
    Verification found = verified(Fable.files(), "expected", folder);
    assertEquals(64, found.greedyTokens());
    assertEquals(-1, found.firstDifference(), "a clear choice differs");
    assertTrue(found.deviation() <= COST_OF_Q8, "off by " + found.deviation());
    assertTrue(found.deviation() >= 1e-4, "the weights are not in Q8_0: " + found.deviation());
  }

  private static Verification verified(ModelFiles files, String answers, Path folder)
      throws IOException {
    for (String name : List.of("config.json", "tokenizer.json", "model.gguf")) {
      Files.write(folder.resolve(name), files.read(name));
    }
    for (String name : List.of("expected.json", "expected.safetensors")) {
      try (InputStream in = FableTest.class.getResourceAsStream("/" + answers + "/" + name)) {
        Files.copy(in, folder.resolve(name));
      }
    }
    return Verification.of(folder, ModelOptions.standard());
  }

  @Test
  void theDiffusionModelAnswersAsTheReferenceDoes(@TempDir Path folder) throws IOException {
    ModelFiles files = Fable.files("fable-diffusion");
    Verification found = verified(files, "expected-diffusion", folder);
    assertEquals("llada", found.family());
    assertTrue(found.deviation() <= 2 * COST_OF_Q8, "off by " + found.deviation());
    assertTrue(found.deviation() >= 1e-4, "the weights are not in Q8_0: " + found.deviation());
  }

  @Test
  void modelsHaveNames() {
    assertEquals(List.of("fable-hybrid", "fable-diffusion"), Fable.names());
    for (String name : Fable.names()) {
      assertNotNull(Fable.files(name).read("tokenizer.json"), name);
    }
    var e = assertThrows(IllegalArgumentException.class, () -> Fable.files("fable"));
    assertEquals(
        "no model of the name fable comes with Apus; there are [fable-hybrid, fable-diffusion]",
        e.getMessage());
  }

  @Test
  void matricesAreInBlocksAndTheRestIsAsItWasTrained() {
    try (TensorFile file = Fable.files().tensors()) {
      assertEquals("Q8_0", type(file, "model.embed_tokens.weight"));
      assertEquals("Q8_0", type(file, "model.layers.0.mlp.experts.7.down_proj.weight"));
      assertEquals("BF16", type(file, "model.layers.0.mlp.gate.weight"));
      assertEquals("BF16", type(file, "model.layers.0.mlp.shared_expert_gate.weight"));
      assertEquals("BF16", type(file, "model.layers.0.linear_attn.conv1d.weight"));
      assertEquals("BF16", type(file, "model.norm.weight"));
    }
  }

  private static String type(TensorFile file, String name) {
    StoredTensor tensor = file.tensors().get(name);
    assertNotNull(tensor, name);
    return tensor.type();
  }

  @Test
  void tensorsMayBeClosedTwiceAndAreGoneThen() {
    TensorFile file = Fable.files().tensors();
    StoredTensor tensor = file.tensors().values().iterator().next();
    file.close();
    file.close();
    assertThrows(IllegalStateException.class, () -> tensor.data().asByteBuffer().get(0));
  }

  @Test
  void aFileThatIsNotThereIsNull() {
    assertNull(Fable.files().read("chat_template.jinja"));
  }

  @Test
  void aJarWithoutTheWeightsSaysSo() {
    var files = new ResourceFiles("fable", "absent");
    var e = assertThrows(FormatException.class, files::tensors);
    assertEquals(
        "fable: the jar has no model.gguf; it was built without its resources", e.getMessage());
  }
}
