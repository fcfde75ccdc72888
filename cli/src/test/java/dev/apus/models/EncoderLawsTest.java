package dev.apus.models;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.apus.core.Encoder;
import dev.apus.core.Encoding;
import dev.apus.core.Model;
import dev.apus.core.ModelOptions;
import dev.apus.core.config.ConfigException;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Branch;
import dev.apus.core.model.Architecture.Layer;
import dev.apus.core.model.Batch;
import dev.apus.core.model.Part;
import dev.apus.core.model.Run;
import dev.apus.core.model.SequenceState;
import dev.apus.core.model.Visibility;
import dev.apus.core.tensor.Matrix;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.block.WeightFormat;
import dev.apus.models.TinyModels.Tiny;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** What holds for every model that reads whole texts. */
class EncoderLawsTest {

  static final List<String> encoders = TinyModels.ENCODERS;

  /** Of one token, of odd lengths around the landmarks, and more than one pass takes together. */
  private static final int[] LENGTHS = {1, 15, 16, 17, 61, 128, 97, 131, 120};

  private static final List<int[]> TEXTS =
      Arrays.stream(LENGTHS).mapToObj(length -> TinyModels.tokens(length, length)).toList();

  private static Model model(String name, ModelOptions options) {
    return Model.random(TinyModels.architecture(name), 5, WeightFormat.F32, options);
  }

  private static Model model(String name) {
    return model(name, ModelOptions.standard().withThreads(2));
  }

  @ParameterizedTest
  @FieldSource("encoders")
  void textsTogetherHaveTheBitsOfEachAlone(String name) {
    try (Model model = model(name)) {
      List<Encoding> together = model.newEncoder().encode(TEXTS);
      for (int i = 0; i < TEXTS.size(); i++) {
        Encoding alone = model.newEncoder().encode(TEXTS.get(i));
        assertEquals(TEXTS.get(i).length, alone.length());
        assertSame(alone, together.get(i));
      }
    }
  }

  @ParameterizedTest
  @FieldSource("encoders")
  void neitherThreadsNorKernelsShow(String name) {
    List<int[]> some = TEXTS.subList(0, 5);
    List<Encoding> expected;
    try (Model model = model(name, ModelOptions.standard().withThreads(1))) {
      expected = model.newEncoder().encode(some);
      for (ModelOptions options :
          List.of(
              ModelOptions.standard().withThreads(3),
              ModelOptions.standard().withThreads(2).withKernels(Kernels.scalar()))) {
        try (Model other = model(name, options)) {
          List<Encoding> found = other.newEncoder().encode(some);
          for (int i = 0; i < some.size(); i++) {
            assertSame(expected.get(i), found.get(i));
          }
        }
      }
    }
  }

  private static void assertSame(Encoding expected, Encoding found) {
    int last = expected.length() - 1;
    for (int token = 0; token <= last; token++) {
      assertArrayEquals(expected.row(token), found.row(token), "token " + token);
    }
    assertArrayEquals(expected.logits(last)[0], found.logits(0, last)[1]);
    assertArrayEquals(expected.mean(), found.mean());
  }

  @ParameterizedTest
  @FieldSource("encoders")
  void everyTokenSeesTheLast(String name) {
    int[] text = TinyModels.tokens(8, 1);
    int[] other = text.clone();
    other[7] = (other[7] + 1) % 192;
    try (Model model = model(name)) {
      Encoding one = model.newEncoder().encode(text);
      Encoding two = model.newEncoder().encode(other);
      for (int token = 0; token < 8; token++) {
        assertFalse(Arrays.equals(one.row(token), two.row(token)), "token " + token);
      }
      double sum = 0;
      for (int token = 0; token < 8; token++) {
        sum += one.row(token)[3];
      }
      assertEquals((float) (sum / 8), one.mean()[3]);
      assertArrayEquals(one.row(0), one.first());
    }
  }

  @Test
  void kindsOfTokensMatter() {
    int[] text = TinyModels.tokens(9, 1);
    int[] kinds = {0, 0, 0, 0, 1, 1, 1, 1, 1};
    try (Model model = model("bert")) {
      Encoder encoder = model.newEncoder();
      Encoding plain = encoder.encode(text);
      assertSame(plain, encoder.encode(List.of(text), List.of(new int[9])).getFirst());
      Encoding pair = encoder.encode(List.of(text), List.of(kinds)).getFirst();
      assertFalse(Arrays.equals(plain.row(8), pair.row(8)));
      kinds[3] = 2;
      refused(
          "a token of kind 2; the model has 2 kinds of tokens",
          () -> encoder.encode(List.of(text), List.of(kinds)));
      refused(
          "a text of 9 tokens, and kinds of 8",
          () -> encoder.encode(List.of(text), List.of(new int[8])));
    }
  }

  /** A global token sees what is far, and is seen by it, whoever else is read in the same call. */
  @Test
  void globalTokensSeeTheWholeText() {
    int[] text = TinyModels.tokens(101, 1);
    int[] other = text.clone();
    other[100] = (other[100] + 1) % 192;
    try (Model model = model("longformer")) {
      Encoder encoder = model.newEncoder();
      List<int[]> texts = List.of(text, other, text, TinyModels.tokens(7, 2));
      List<int[]> global =
          List.of(new int[] {40, 0, 40}, new int[] {0, 40}, new int[0], new int[] {3});
      List<Encoding> together = encoder.encode(texts, null, global);
      for (int i = 0; i < texts.size(); i++) {
        List<int[]> own = List.of(global.get(i));
        assertSame(encoder.encode(List.of(texts.get(i)), null, own).getFirst(), together.get(i));
      }
      Encoding near = together.get(2);
      assertSame(near, encoder.encode(text));
      // In two layers, a window reaches 16 tokens; by way of a global token, all.
      assertArrayEquals(near.row(50), encoder.encode(other).row(50));
      for (int token : new int[] {0, 40, 50}) {
        assertFalse(Arrays.equals(together.get(0).row(token), together.get(1).row(token)));
      }
      refused(
          "a global token at 101 of a text of 101 tokens",
          () -> encoder.encode(List.of(text), null, List.of(new int[] {101})));
      refused(
          "1 texts, and the global tokens of 2",
          () -> encoder.encode(List.of(text), null, List.of(new int[0], new int[0])));
    }
    try (Model model = model("bert")) {
      refused(
          "bert has no layer that knows global tokens",
          () -> model.newEncoder().encode(List.of(text), null, List.of(new int[] {0})));
    }
  }

  @Test
  void whatCannotBeReadIsRefused() {
    try (Model model = model("bert")) {
      Encoder encoder = model.newEncoder();
      refused("a text of 0 tokens; needed is 1 at least", encoder::encode);
      refused(
          "a text of 513 tokens; the model reads at most 512", () -> encoder.encode(new int[513]));
      refused("token 192 at 1 is not in the vocabulary of 192", () -> encoder.encode(1, 192));
      refused("token 2 of a text of 2 tokens", () -> encoder.encode(1, 2).row(2));
      refused(
          "bert is an encoder: it reads whole texts (Model.newEncoder, apus embed) and has no"
              + " sessions that continue one",
          () -> model.newSession(9));
    }
    try (Model model = model("llama")) {
      var e = assertThrows(IllegalStateException.class, model::newEncoder);
      assertEquals("llama continues texts, in sessions; it is no encoder", e.getMessage());
    }
  }

  private static void refused(String message, Runnable work) {
    assertEquals(message, assertThrows(IllegalArgumentException.class, work::run).getMessage());
  }

  @Test
  void anEncoderWithoutAHeadGivesRows() {
    Architecture bert = TinyModels.architecture("bert");
    Architecture headless = bert.withoutHead();
    ModelOptions options = ModelOptions.standard().withThreads(1);
    try (Model whole = model("bert", options);
        Model model = Model.random(headless, 5, WeightFormat.F32, options)) {
      Encoding encoding = model.newEncoder().encode(TEXTS.get(2));
      assertArrayEquals(whole.newEncoder().encode(TEXTS.get(2)).row(7), encoding.row(7));
      var e = assertThrows(IllegalStateException.class, () -> encoding.logits(0));
      assertEquals("the model has no head: it gives rows, and no logits", e.getMessage());
    }
  }

  @Test
  void aClosedModelReadsNoMore() {
    Model model = model("nystromformer");
    Encoder encoder = model.newEncoder();
    Encoding encoding = encoder.encode(1, 2, 3);
    model.close();
    assertThrows(IllegalStateException.class, () -> encoder.encode(1, 2, 3));
    assertThrows(IllegalStateException.class, () -> encoding.logits(0));
    assertThrows(IllegalStateException.class, model::newEncoder);
    assertEquals(3, encoding.length());
  }

  /** A recurrence goes one way. */
  @Test
  void aMixerThatCannotLookAheadIsRefused() {
    Architecture mamba = TinyModels.architecture("mamba");
    assertEquals(
        "layer 0: the mixer \"mamba\" cannot look ahead, and tokens of an encoder"
            + " (visibility=bidirectional) see the whole text; attention can",
        refusal(mamba.bidirectional()));
    Architecture llama = TinyModels.architecture("llama");
    Layer fourier = Layer.of(Branch.mixer(Part.of("fourier"), null));
    assertEquals(
        "layer 0: the mixer \"fourier\" needs the whole text, and a causal model sees what came"
            + " before; say visibility=bidirectional to make an encoder of it",
        refusal(
            new Architecture(
                "mixed",
                llama.vocabulary(),
                llama.width(),
                llama.context(),
                llama.embedding(),
                List.of(fourier),
                llama.norm(),
                llama.head())));
  }

  /**
   * A block of a decoder may see ahead if all its mixers can, as the blocks of diffusion models do;
   * otherwise it is refused.
   */
  @Test
  void aBlockOfACausalModelMayLookAhead() {
    int[] text = TinyModels.tokens(40, 3);
    int[] other = text.clone();
    other[39] = (other[39] + 1) % 192;
    try (Tiny tiny = TinyModels.of("llama")) {
      float[][] one = block(tiny, text, 24);
      float[][] two = block(tiny, other, 24);
      for (int i = 0; i < 16; i++) {
        assertFalse(Arrays.equals(one[i], two[i]), "token " + i + " of the block");
      }
      assertArrayEquals(one[0], block(tiny, text, 24)[0]);
      float[][] causal = tiny.run(tiny.state(), text, 0, 40);
      assertFalse(Arrays.equals(causal[24], one[0]));
    }
    try (Tiny tiny = TinyModels.of("mamba")) {
      var e = assertThrows(IllegalArgumentException.class, () -> block(tiny, text, 24));
      assertEquals(
          "a run is BIDIRECTIONAL; all mixers of the model can be [CAUSAL]", e.getMessage());
    }
  }

  /** The logits of a text's tokens from {@code from} on, which see each other. */
  private static float[][] block(Tiny tiny, int[] text, int from) {
    SequenceState state = tiny.state();
    tiny.run(state, text, 0, from);
    int count = text.length - from;
    int[] wanted = IntStream.range(0, count).toArray();
    Matrix logits = Matrix.zeros(count, 192);
    var run = new Run<>(state, 0, count, from, Visibility.BIDIRECTIONAL);
    tiny.network()
        .forward(
            tiny.pass(),
            new Batch<>(List.of(run)),
            Arrays.copyOfRange(text, from, text.length),
            wanted,
            logits,
            () -> false);
    float[][] rows = new float[count][];
    Arrays.setAll(rows, i -> Arrays.copyOfRange(logits.data(), logits.at(i), logits.at(i + 1)));
    return rows;
  }

  private static String refusal(Architecture architecture) {
    ModelOptions options = ModelOptions.standard().withThreads(1);
    return assertThrows(
            ConfigException.class,
            () -> Model.random(architecture, 5, WeightFormat.F32, options).close())
        .getMessage();
  }
}
