package dev.apus.attention.rope;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.of;

import dev.apus.core.config.Config;
import dev.apus.core.config.ConfigException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Which settings a rotary embedding has, and which values they may have. */
class RopeSettingsTest {

  private static Rope.Spec spec(int headDim, int context, Map<String, ?> settings) {
    return Rope.Spec.read(Config.of("rope", settings), headDim, context);
  }

  static Stream<Arguments> refusals() {
    return Stream.of(
        of(Map.of("dims", 3), "dims=3 must be even and at most headDim=4"),
        of(Map.of("dims", 6), "dims=6 must be even and at most headDim=4"),
        of(Map.of("theta", 0), "theta=0.0 must be at least 1"),
        of(Map.of("theta", 1e-300), "theta=1.0E-300 must be at least 1"),
        of(linear(0), "factor=0.0 must be at least 1.0E-6"),
        of(linear(-2), "factor=-2.0 must be at least 1.0E-6"),
        of(linear(1e-40), "factor=1.0E-40 must be at least 1.0E-6"),
        of(Map.of("attentionFactor", -1), "attentionFactor=-1.0 must not be negative"),
        of(
            Map.of("attentionFactor", 1e300),
            "attentionFactor=1.0E300 must be a finite number within the range of a float"),
        of(
            Map.of("type", "xpos"),
            "type=\"xpos\" is not supported; supported: default, linear, dynamic, llama3, yarn,"
                + " longrope, factors, proportional"),
        of(
            Map.of("layout", "thirds"),
            "layout=\"thirds\" is not supported; supported: halves, interleaved"),
        of(
            Map.of("type", "dynamic", "original", 0),
            "original=0 must be a whole number from 1 to 2147483647"),
        of(Map.of("type", "llama3", "lowFrequency", 0), "lowFrequency=0.0 must be above 0"),
        of(
            Map.of("type", "llama3", "lowFrequency", 5),
            "highFrequency=4.0 must not be below lowFrequency=5.0"),
        of(Map.of("type", "yarn", "theta", 1), "theta=1.0 must be above 1"),
        of(Map.of("type", "yarn", "betaSlow", 0), "betaSlow=0.0 must be above 0"),
        of(Map.of("type", "yarn", "betaFast", 0.5), "betaFast=0.5 must not be below betaSlow=1.0"),
        of(
            Map.of("type", "longrope", "shortFactors", List.of(1, 2)),
            "longFactors is missing; it must be a list"),
        of(
            longRope(List.of(1, 2), List.of(1)),
            "longFactors must hold dims / 2 = 2 numbers of at least 1.0E-6, found [1.0]"),
        of(
            longRope(List.of(1, 2), List.of(0, 2)),
            "longFactors must hold dims / 2 = 2 numbers of at least 1.0E-6, found [0.0, 2.0]"),
        of(
            longRope(List.of(-1, 2), List.of(1, 2)),
            "shortFactors must hold dims / 2 = 2 numbers of at least 1.0E-6, found [-1.0, 2.0]"),
        of(
            longRope(List.of(1, 2), List.of(1, Double.POSITIVE_INFINITY)),
            "longFactors must be finite, found [1.0, Infinity]"),
        of(
            with(longRope(List.of(1, 2), List.of(1, 2)), "original", 1),
            "original=1 must be above 1"),
        of(
            Map.of("type", "factors", "factors", List.of(1)),
            "factors must hold dims / 2 = 2 numbers of at least 1.0E-6, found [1.0]"),
        of(
            Map.of("type", "factors", "factors", List.of(1, 0)),
            "factors must hold dims / 2 = 2 numbers of at least 1.0E-6, found [1.0, 0.0]"));
  }

  private static Map<String, Object> linear(double factor) {
    return Map.of("type", "linear", "factor", factor);
  }

  private static Map<String, Object> longRope(List<?> shorts, List<?> longs) {
    return Map.of("type", "longrope", "shortFactors", shorts, "longFactors", longs);
  }

  private static Map<String, Object> with(Map<String, Object> settings, String key, Object value) {
    Map<String, Object> more = new LinkedHashMap<>(settings);
    more.put(key, value);
    return more;
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("refusals")
  void whatCannotBeTurnedIsRefused(Map<String, ?> settings, String message) {
    var e = assertThrows(ConfigException.class, () -> spec(4, 100, settings));
    assertEquals("rope: " + message, e.getMessage());
  }

  /** Whoever reads a document refuses what nobody asked for. */
  @ParameterizedTest
  @CsvSource({
    "default, factor original lowFrequency highFrequency betaFast betaSlow truncate shortFactors"
        + " longFactors factors",
    "linear, original lowFrequency highFrequency betaFast betaSlow truncate shortFactors"
        + " longFactors factors",
    "dynamic, lowFrequency highFrequency betaFast betaSlow truncate shortFactors longFactors"
        + " factors",
    "llama3, betaFast betaSlow truncate shortFactors longFactors factors",
    "yarn, lowFrequency highFrequency shortFactors longFactors factors",
    "longrope, lowFrequency highFrequency betaFast betaSlow truncate factors",
    "factors, factor original lowFrequency highFrequency betaFast betaSlow truncate shortFactors"
        + " longFactors",
    "proportional, original lowFrequency highFrequency betaFast betaSlow truncate shortFactors"
        + " longFactors factors"
  })
  void aTypeReadsNoSettingOfAnother(String type, String unread) {
    Map<String, Object> settings = new LinkedHashMap<>();
    settings.put("type", type);
    settings.put("layout", "halves");
    settings.put("dims", 4);
    settings.put("theta", 10_000);
    settings.put("attentionFactor", 1);
    settings.put("factor", 8);
    settings.put("original", 64);
    settings.put("lowFrequency", 1);
    settings.put("highFrequency", 4);
    settings.put("betaFast", 3);
    settings.put("betaSlow", 1);
    settings.put("truncate", true);
    for (String list : List.of("shortFactors", "longFactors", "factors")) {
      settings.put(list, List.of(1, 2));
    }
    Config config = Config.of("rope", settings);
    Rope.Spec.read(config, 4, 100);
    assertEquals(unread, String.join(" ", config.unread()));
  }

  /** The smallest and the largest that is read, at the last position there can be. */
  @ParameterizedTest
  @CsvSource({
    "linear, 1, 1e-6",
    "linear, 1e300, 1e300",
    "dynamic, 1, 1e-6",
    "dynamic, 1e300, 1e300",
    "llama3, 1, 1e-6",
    "llama3, 1e300, 1e300",
    "yarn, 1.0001, 1e-6",
    "yarn, 1e300, 1e300",
    "proportional, 1, 1e-6"
  })
  void whatIsReadGivesFiniteAngles(String type, double theta, double factor) {
    for (int dims : new int[] {2, 4}) {
      Map<String, ?> settings =
          Map.of("type", type, "theta", theta, "factor", factor, "dims", dims);
      Rope rope = Rope.of(spec(4, 100, settings), Integer.MAX_VALUE);
      Rope.Tables tables = RopeTest.tables(rope, Integer.MAX_VALUE, 1);
      for (int i = 0; i < rope.dims() / 2; i++) {
        boolean finite = Float.isFinite(tables.cos()[i]) && Float.isFinite(tables.sin()[i]);
        assertTrue(finite, dims + " dims, pair " + i);
      }
    }
  }
}
