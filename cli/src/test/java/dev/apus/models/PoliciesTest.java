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
import dev.apus.core.model.Architecture;
import dev.apus.core.model.AttentionPolicy;
import dev.apus.core.model.Mixers;
import dev.apus.kernels.block.WeightFormat;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Policies that users ask for, on models of every kind that attends by softmax. */
class PoliciesTest {

  private static final int LIMIT = 700;
  private static final int[] TEXT = TinyModels.tokens(620, 3);

  private static Model model(String family, String policy) {
    return model(family, ModelOptions.standard().withAttention(AttentionPolicy.parse(policy)));
  }

  private static Model model(String family, ModelOptions options) {
    Architecture architecture = TinyModels.architecture(family);
    return Model.random(architecture, 5, WeightFormat.F32, options.withThreads(2));
  }

  /** Dense, with a window in some layers, over latents, and between recurrent layers. */
  static Stream<Arguments> followers() {
    List<Arguments> all = new ArrayList<>();
    for (String family : List.of("llama", "gemma3", "deepseek_v2", "qwen3_next")) {
      for (String policy :
          List.of(
              "streaming:sinks=2,window=30",
              "duo:full=0/0,sinks=2,window=30",
              "quest:page=8,budget=40,skip=0",
              "h2o:budget=40",
              "tova:budget=40",
              "snapkv:budget=40,window=8",
              "xattention:block=64,mass=0.3",
              "vertical-slash:block=128,vertical=31,slash=1")) {
        all.add(Arguments.of(family, policy));
      }
    }
    return all.stream();
  }

  @ParameterizedTest
  @MethodSource("followers")
  void everyWayBackLeadsToTheSameBits(String family, String policy) throws IOException {
    try (Model model = model(family, policy);
        Model full = model(family, "full");
        Session session = model.newSession(LIMIT);
        Session other = full.newSession(LIMIT)) {
      var file = new ByteArrayOutputStream();
      session.append(TEXT);
      float[] logits = session.logits();
      session.save(file);
      var saved = new ByteArrayInputStream(file.toByteArray());
      float[][] expected;
      try (Session.SessionMark mark = session.mark();
          Session fork = session.fork();
          Session restored = model.restore(saved, "saved")) {
        expected = TinyModels.continued(session);
        assertArrayEquals(expected, TinyModels.continued(fork));
        assertArrayEquals(expected, TinyModels.continued(restored));
        mark.rewind();
        assertArrayEquals(logits, session.logits());
        assertArrayEquals(expected, TinyModels.continued(session));
      }
      assertTrue(session.keyVisits().share() < 1);
      other.append(TEXT);
      other.logits();
      // Single tokens see everything under two of the policies, and windows see no blocks.
      boolean ofPrompts = policy.startsWith("xattention") || policy.startsWith("vertical-slash");
      boolean same = Arrays.deepEquals(expected, TinyModels.continued(other));
      assertFalse(same && !(ofPrompts && family.equals("gemma3")), "what was left out must show");
      assertTrue(other.keyVisits().seen() > 0);
      var in = new ByteArrayInputStream(file.toByteArray());
      var e = assertThrows(FormatException.class, () -> full.restore(in, "saved"));
      assertTrue(e.getMessage().contains("architecture"), e.getMessage());
    }
  }

  /** Where only the end of a prompt shows, and where nothing does. */
  @ParameterizedTest
  @MethodSource("followers")
  void callsForLogitsDoNotShowUnlessTheyEndPrompts(String family, String policy) {
    try (Model model = model(family, policy);
        Session session = model.newSession(LIMIT);
        Session pieces = model.newSession(LIMIT);
        Session beside = model.newSession(LIMIT)) {
      session.append(TEXT);
      pieces.append(Arrays.copyOf(TEXT, 256));
      pieces.logits();
      pieces.append(Arrays.copyOfRange(TEXT, 256, TEXT.length));
      beside.append(TinyModels.tokens(300, 4));
      model.compute(List.of(beside, session));
      boolean same = Arrays.equals(session.logits(), pieces.logits());
      boolean scan = !family.equals("qwen3_next");
      if (policy.startsWith("snapkv")) {
        assertFalse(same);
      } else if (scan) {
        assertTrue(same);
      }
    }
  }

  private static String refusal(String family, ModelOptions options) {
    return assertThrows(ConfigException.class, () -> model(family, options).close()).getMessage();
  }

  @Test
  void modelsThatCannotFollowSaySo() {
    ModelOptions options = ModelOptions.standard();
    assertEquals(
        "attention tova:budget=9: no layer of mamba2 attends to all tokens by softmax, which is"
            + " what a policy is for; its mixers: mamba2",
        refusal("mamba2", options.withAttention(AttentionPolicy.parse("tova:budget=9"))));
    assertEquals(
        "attention tova is for tokens that see what came before them; those of bert also see what"
            + " comes after",
        refusal("bert", options.withAttention(AttentionPolicy.parse("tova"))));
    assertEquals(
        "attention forgets keys at the end of each prompt, so that another text with the same"
            + " beginning cannot go on from there; prefixes must not be reused (--prefix-cache 0)",
        refusal(
            "llama",
            options
                .withAttention(AttentionPolicy.parse("snapkv"))
                .withPrefixReuse(PrefixReuse.of(1 << 20))));
  }

  @Test
  void thePolicyIsAPartOfTheDocument() {
    AttentionPolicy policy = AttentionPolicy.parse("quest:page=8,budget=40");
    try (Model model = model("gemma3", "quest:page=8,budget=40")) {
      String json = model.architecture().toJson();
      assertTrue(json.contains("\"kind\" : \"quest\""), json);
      assertEquals(
          model.architecture().layers().size(), TinyModels.architecture("gemma3").layers().size());
    }
    assertEquals(
        TinyModels.architecture("llama"),
        AttentionPolicy.FULL.over(TinyModels.architecture("llama"), Mixers.installed()));
    assertEquals("quest:page=8,budget=40", policy.toString());
  }
}
