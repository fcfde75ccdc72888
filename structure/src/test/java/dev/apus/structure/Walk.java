package dev.apus.structure;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.apus.core.generate.Constraint;
import dev.apus.core.tokenizer.TokenBytes;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.random.RandomGenerator;

/**
 * Texts that a structure lets a model write that chooses at random, and texts it is to let pass.
 */
record Walk(TokenBytes tokens, Constraint structure) {

  private static final ObjectMapper JSON =
      new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

  static JsonNode read(String json) {
    try {
      return JSON.readTree(json);
    } catch (JsonProcessingException e) {
      throw new AssertionError("not JSON: " + json, e);
    }
  }

  private int end() {
    return Texts.end(tokens);
  }

  private Constraint.Follower start() {
    return structure.start(tokens, Set.of(end()));
  }

  private float[] allowed(Constraint.Follower follower) {
    float[] logits = new float[tokens.size()];
    follower.restrict(logits);
    return logits;
  }

  /**
   * The text of a random walk of at most so many tokens; after that many it is only finished, by
   * tokens that the structure wants.
   *
   * @return null if it did not come to an end
   */
  String random(RandomGenerator random, int most) {
    Constraint.Follower follower = start();
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    for (int step = 0; step < 20 * most; step++) {
      if (follower.isFinished()) {
        return text.toString(StandardCharsets.UTF_8);
      }
      float[] logits = allowed(follower);
      assertEquals(follower.isComplete(), logits[end()] == 0, "the end is allowed where it is one");
      List<Integer> choices = new ArrayList<>();
      for (int token = 0; token < logits.length; token++) {
        if (logits[token] == 0) {
          choices.add(token);
        }
      }
      assertFalse(choices.isEmpty());
      int token = choices.get(random.nextInt(choices.size()));
      if (step >= most) {
        token = closing(choices);
      }
      if (token == end()) {
        return text.toString(StandardCharsets.UTF_8);
      }
      text.writeBytes(tokens.of(token, step == 0));
      follower.accept(token);
    }
    return null;
  }

  /** The token that brings a text nearest to its end, as far as one token can tell. */
  private int closing(List<Integer> choices) {
    int best = choices.getFirst();
    int rank = Integer.MAX_VALUE;
    for (int token : choices) {
      String text =
          token == end() ? "" : new String(tokens.of(token, false), StandardCharsets.UTF_8);
      int own =
          token == end()
              ? 0
              : text.equals("\"")
                  ? 1
                  : text.equals("}") ? 2 : text.equals("]") ? 3 : 4 + text.length();
      if (own < rank) {
        best = token;
        rank = own;
      }
    }
    return best;
  }

  /** Makes sure that a text passes in these tokens, and may end after them. */
  void passes(String text, int... way) {
    Constraint.Follower follower = start();
    StringBuilder so = new StringBuilder();
    for (int token : way) {
      assertFalse(follower.isFinished(), () -> "finished after " + so + " of " + text);
      assertEquals(0, allowed(follower)[token], () -> text + " after " + so + " by token " + token);
      follower.accept(token);
      so.append('|').append(new String(tokens.of(token, so.isEmpty()), StandardCharsets.UTF_8));
    }
    assertTrue(follower.isComplete(), () -> text + " by " + so);
  }

  /** Makes sure that a text passes, however it is cut into tokens. */
  void passes(String text, RandomGenerator random, int times) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    for (int i = 0; i < times; i++) {
      passes(text, Texts.cut(bytes, tokens, random));
    }
  }
}
