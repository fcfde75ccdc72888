package dev.apus.models;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.apus.core.Model;
import dev.apus.core.ModelOptions;
import dev.apus.core.Session;
import dev.apus.core.routing.RouteTrace;
import dev.apus.kernels.block.WeightFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RouteTraceTest {

  private static final int LENGTH = 23;

  private static Model model(String family) {
    return Model.random(
        TinyModels.architecture(family), 5, WeightFormat.F32, ModelOptions.standard());
  }

  /** A text that is cut so often is told the same, token by token. */
  @ParameterizedTest
  @ValueSource(strings = {"olmoe", "qwen3_next", "zaya"})
  void everyTokenIsToldOnceHoweverATextIsCut(String family) {
    int[] tokens = TinyModels.tokens(LENGTH, 2);
    try (Model model = model(family);
        Session whole = model.newSession(TinyModels.LIMIT);
        Session cut = model.newSession(TinyModels.LIMIT);
        Session silent = model.newSession(TinyModels.LIMIT)) {
      RouteTrace one = new RouteTrace();
      whole.tellRoutes(one);
      whole.append(tokens);
      whole.logits();
      RouteTrace many = new RouteTrace();
      cut.tellRoutes(many);
      for (int token : tokens) {
        cut.append(token);
        cut.logits();
      }
      silent.append(tokens);
      assertArrayEquals(whole.logits(), silent.logits());
      assertEquals(one.layers(), many.layers());
      for (int layer : one.layers()) {
        RouteTrace.Layer of = one.layer(layer);
        assertEquals(LENGTH, of.routes().size());
        long choices = of.routes().values().stream().mapToLong(r -> r.experts().length).sum();
        long load = 0;
        for (int expert = 0; expert < of.experts(); expert++) {
          load += of.load(expert);
          assertEquals(of.load(expert), many.layer(layer).load(expert));
        }
        assertEquals(choices, load);
        for (int position = 0; position < LENGTH; position++) {
          assertArrayEquals(
              of.routes().get(position).experts(),
              many.layer(layer).routes().get(position).experts());
        }
      }
    }
  }

  @Test
  void evenLoadsHaveTheGreatestEntropy() {
    RouteTrace trace = new RouteTrace();
    for (int position = 0; position < 8; position++) {
      trace.routed(0, position, new int[] {position % 4}, new float[] {1}, 4);
      trace.routed(1, position, new int[] {3}, new float[] {0.5f}, 4);
    }
    assertEquals(2, trace.layer(0).entropy(), 1e-12);
    assertEquals(1, trace.layer(0).imbalance());
    assertEquals(0, trace.layer(1).entropy());
    assertEquals(4, trace.layer(1).imbalance());
    assertEquals(1, trace.layer(1).used());
    assertEquals(4, trace.layer(1).weight(3));
    assertThrows(IllegalArgumentException.class, () -> trace.layer(2));
  }

  /** A step that fails because its listener does leaves the session as it was. */
  @Test
  void aListenerThatFailsLosesNothing() {
    try (Model model = model("olmoe");
        Session session = model.newSession(TinyModels.LIMIT)) {
      session.append(1, 2, 3);
      session.tellRoutes(
          (layer, position, experts, weights, among) -> {
            throw new IllegalStateException("enough");
          });
      assertThrows(IllegalStateException.class, session::logits);
      session.tellRoutes(null);
      float[] logits = session.logits();
      try (Session other = model.newSession(TinyModels.LIMIT)) {
        other.append(1, 2, 3);
        assertArrayEquals(other.logits(), logits);
      }
    }
  }
}
