package dev.apus.core.generate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class SamplingTest {

  static List<Arguments> badValues() {
    return List.of(
        bad(s -> s.withTemperature(-1), "temperature=-1.0; needed: 0 or a positive number"),
        bad(s -> s.withTemperature(Float.NaN), "temperature=NaN; needed: 0 or a positive number"),
        bad(
            s -> s.withTemperature(Float.POSITIVE_INFINITY),
            "temperature=Infinity; needed: 0 or a positive number"),
        bad(s -> s.withTopK(-1), "topK=-1; needed: at least 0"),
        bad(s -> s.withTopP(2), "topP=2.0; needed: 0 to 1"),
        bad(s -> s.withTopP(-0.1f), "topP=-0.1; needed: 0 to 1"),
        bad(s -> s.withTopP(Float.NaN), "topP=NaN; needed: 0 to 1"),
        bad(s -> s.withMinP(1.5f), "minP=1.5; needed: 0 to 1"),
        bad(s -> s.withMinP(Float.NaN), "minP=NaN; needed: 0 to 1"),
        bad(s -> s.withRepetitionPenalty(0), "repetitionPenalty=0.0; needed: a positive number"),
        bad(
            s -> s.withRepetitionPenalty(Float.NaN),
            "repetitionPenalty=NaN; needed: a positive number"),
        bad(
            s -> s.withFrequencyPenalty(Float.NaN),
            "frequencyPenalty=NaN; needed: a finite number"),
        bad(
            s -> s.withPresencePenalty(Float.NEGATIVE_INFINITY),
            "presencePenalty=-Infinity; needed: a finite number"),
        bad(s -> s.withPenaltyWindow(-1), "penaltyWindow=-1; needed: at least 0"),
        bad(s -> s.withMaxTokens(0), "maxTokens=0; needed: at least 1"),
        bad(s -> s.withMaxTokens(Integer.MIN_VALUE), "maxTokens=-2147483648; needed: at least 1"),
        bad(s -> s.withTopLogProbabilities(-1), "topLogProbabilities=-1; needed: at least 0"),
        bad(s -> s.withStop("a", ""), "stopTexts=[a, ]; needed: texts that are not empty"),
        bad(
            s -> s.withStop("\ud83d"),
            "stopTexts=[\ud83d]; needed: texts without halves of surrogate pairs"),
        bad(s -> s.withStopTokens(Set.of(-3)), "stopTokens=[-3]; needed: ids of at least 0"));
  }

  @ParameterizedTest(name = "{1}")
  @MethodSource("badValues")
  void saysWhatIsWrong(UnaryOperator<Sampling> change, String message) {
    var sampling = Sampling.standard();
    var e = assertThrows(IllegalArgumentException.class, () -> change.apply(sampling));
    assertEquals(message, e.getMessage());
  }

  static List<Arguments> goodValues() {
    return List.of(
        good("temperature", s -> s.withTemperature(1e-38f)),
        good("topK", s -> s.withTopK(Integer.MAX_VALUE)),
        good("topP", s -> s.withTopP(0)),
        good("minP", s -> s.withMinP(1)),
        good("repetitionPenalty", s -> s.withRepetitionPenalty(0.5f)),
        good("frequencyPenalty", s -> s.withFrequencyPenalty(-2)),
        good("presencePenalty", s -> s.withPresencePenalty(2)),
        good("penaltyWindow", s -> s.withPenaltyWindow(64)),
        good("seed", s -> s.withSeed(Long.MIN_VALUE)),
        good("maxTokens", s -> s.withMaxTokens(Integer.MAX_VALUE)),
        good("stopTexts", s -> s.withStop("</s>", "🐦")),
        good("stopTokens", s -> s.withStopTokens(Set.of(0, 2))),
        good("topLogProbabilities", s -> s.withTopLogProbabilities(5)),
        good("processors", s -> s.withProcessor((tokens, logits) -> {})),
        good("warpers", s -> s.withWarper(new Typical(0.5f))),
        good("constraint", s -> s.withConstraint((tokens, ends) -> null)));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("goodValues")
  void aWitherChangesItsOwnComponentOnly(String name, UnaryOperator<Sampling> change)
      throws ReflectiveOperationException {
    Sampling before = Sampling.plain();
    Sampling after = change.apply(before);
    for (var component : Sampling.class.getRecordComponents()) {
      Object old = component.getAccessor().invoke(before);
      Object now = component.getAccessor().invoke(after);
      if (component.getName().equals(name)) {
        assertNotEquals(old, now, name);
      } else {
        assertEquals(old, now, component.getName());
      }
    }
  }

  @Test
  void everyComponentHasAWither() {
    assertEquals(Sampling.class.getRecordComponents().length, goodValues().size());
  }

  @Test
  void processorsAddUp() {
    LogitsProcessor first = (tokens, logits) -> {};
    LogitsProcessor second = (tokens, logits) -> {};
    assertEquals(
        List.of(first, second),
        Sampling.plain().withProcessor(first).withProcessor(second).processors());
  }

  private static Arguments bad(UnaryOperator<Sampling> change, String message) {
    return Arguments.of(change, message);
  }

  private static Arguments good(String name, UnaryOperator<Sampling> change) {
    return Arguments.of(name, change);
  }
}
