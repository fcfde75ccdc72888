package dev.apus.models;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.Model;
import dev.apus.core.ModelOptions;
import dev.apus.core.PrefixReuse;
import dev.apus.core.Session;
import dev.apus.core.config.ConfigException;
import dev.apus.core.file.FormatException;
import dev.apus.core.model.AttentionPolicy;
import dev.apus.kernels.attention.CacheFormat;
import dev.apus.kernels.block.WeightFormat;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Keys and values in 8 and 4 bits, in models of every kind that keeps them. */
class SettlingCachesTest {

  private static final int LIMIT = 700;
  private static final int[] TEXT = TinyModels.tokens(620, 3);

  /** Models some layer of which reads keys and values in a way of its own. */
  private static final Set<String> REFUSING =
      Set.of(
          "deepseek_v32",
          "deepseek_v4",
          "fla-path_attn",
          "glm_moe_dsa-shared",
          "liger",
          "lolcats",
          "reformer",
          "routing-transformer",
          "titans-mac");

  private static Model model(String family, ModelOptions options) {
    return Model.random(
        TinyModels.architecture(family), 5, WeightFormat.F32, options.withThreads(2));
  }

  private static ModelOptions options(CacheFormat format) {
    return ModelOptions.standard().withCache(format);
  }

  @ParameterizedTest
  @CsvSource({
    "llama, Q8",
    "gemma3, Q4",
    "deepseek_v2, Q4",
    "qwen3_next, Q8",
    "fla-nsa, Q4",
    "fla-moba, Q8",
    "fla-forgetting_transformer, Q4",
    "doge, Q8"
  })
  void everyWayLeadsToTheSameBits(String family, CacheFormat format) throws IOException {
    try (Model model = model(family, options(format));
        Model exact = model(family, options(CacheFormat.F32));
        Session session = model.newSession(LIMIT);
        Session pieces = model.newSession(LIMIT);
        Session beside = model.newSession(LIMIT)) {
      session.append(TEXT);
      float[] logits = session.logits();
      for (int from = 0, step; from < TEXT.length; from += step) {
        // Some pieces end with a span, some in one.
        step = Math.min(from % 512 == 0 ? 256 : 128, TEXT.length - from);
        pieces.append(Arrays.copyOfRange(TEXT, from, from + step));
        beside.append(TinyModels.tokens(30, from));
        model.compute(List.of(beside, pieces));
      }
      assertArrayEquals(logits, pieces.logits());
      var file = new ByteArrayOutputStream();
      session.save(file);
      var saved = new ByteArrayInputStream(file.toByteArray());
      float[][] expected;
      try (Session.SessionMark mark = session.mark();
          Session fork = session.fork();
          Session restored = model.restore(saved, "saved")) {
        expected = TinyModels.continued(session);
        assertArrayEquals(expected, TinyModels.continued(fork));
        assertArrayEquals(expected, TinyModels.continued(restored));
        session.append(TinyModels.tokens(60, 9));
        mark.rewind();
        assertArrayEquals(logits, session.logits());
        assertArrayEquals(expected, TinyModels.continued(session));
      }
      try (Session other = exact.newSession(LIMIT)) {
        other.append(TEXT);
        assertFalse(Arrays.equals(logits, other.logits()), "it must have rounded something");
        var in = new ByteArrayInputStream(file.toByteArray());
        assertThrows(FormatException.class, () -> exact.restore(in, "saved"));
      }
    }
  }

  @Test
  void aPrefixMayBeReused() {
    ModelOptions options = options(CacheFormat.Q4);
    try (Model plain = model("llama", options);
        Model model = model("llama", options.withPrefixReuse(PrefixReuse.of(1 << 24)))) {
      int[] other = TEXT.clone();
      other[600]++;
      float[][] expected = new float[2][];
      for (int i = 0; i < 2; i++) {
        try (Session session = plain.newSession(LIMIT);
            Session reusing = model.newSession(LIMIT)) {
          session.append(i == 0 ? TEXT : other);
          reusing.append(i == 0 ? TEXT : other);
          expected[i] = session.logits();
          assertArrayEquals(expected[i], reusing.logits());
        }
      }
      assertFalse(Arrays.equals(expected[0], expected[1]));
    }
  }

  static Stream<String> models() {
    return Stream.of(TinyModels.MODELS, TinyModels.WHOLE_FAMILIES, TinyModels.WHOLE_DOCUMENTS)
        .flatMap(List::stream)
        .distinct();
  }

  /** Whoever would keep keys and values otherwise than asked for says so. */
  @ParameterizedTest
  @MethodSource("models")
  void noModelKeepsThemOtherwiseInSilence(String family) {
    try (Model exact = model(family, options(CacheFormat.F32))) {
      long exactBytes = exact.stateBytesPerToken();
      try (Model model = model(family, options(CacheFormat.Q4))) {
        long bytes = model.stateBytesPerToken();
        // Hyena remembers inputs, and no keys and values.
        boolean none = exactBytes == 0 || family.equals("hyena");
        assertTrue(none ? bytes == exactBytes : bytes < exactBytes, bytes + " bytes a token");
        assertFalse(REFUSING.contains(family));
      } catch (ConfigException e) {
        assertTrue(REFUSING.contains(family), e.getMessage());
        assertTrue(e.getMessage().contains("Q4"), e.getMessage());
      }
    }
  }

  private static String refusal(String family, ModelOptions options) {
    return assertThrows(ConfigException.class, () -> model(family, options).close()).getMessage();
  }

  @Test
  void whereTokensLookAheadItIsRefused() {
    ModelOptions options = options(CacheFormat.Q8);
    for (String family : List.of("bert", "llada", "sdar", "diffusion_gemma")) {
      assertEquals(
          "keys and values as Q8 are for tokens that see what came before them; those of "
              + family
              + " also see what comes after: keep them as f32 or bf16",
          refusal(family, options));
    }
    String message =
        refusal("llama", options.withAttention(AttentionPolicy.parse("h2o:budget=40")));
    assertTrue(message.contains("settle where they are (layer 0)"), message);
  }
}
