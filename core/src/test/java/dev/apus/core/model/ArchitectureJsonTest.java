package dev.apus.core.model;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.apus.core.config.Config;
import dev.apus.core.config.ConfigException;
import dev.apus.core.model.Architecture.Branch;
import dev.apus.core.model.Architecture.Embedding;
import dev.apus.core.model.Architecture.Head;
import dev.apus.core.model.Architecture.Layer;
import dev.apus.core.model.Architecture.Step;
import dev.apus.core.model.Wiring.Reads;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What an architecture document says when it is wrong, and that nothing of a right one is lost. */
class ArchitectureJsonTest {

  private static final String DOCUMENT =
      """
      {"family": "tiny", "vocabulary": 7, "width": 3, "context": 9,
       "embedding": {"scale": 1},
       "layers": [{"repeat": 2, "steps": [{"mixer": {"type": "m"}}]}],
       "head": {"tied": true}}
      """
          .replace("\n", "");

  private static Architecture read(String json) {
    return Architecture.read(Config.parse("a.json", json.getBytes(UTF_8)));
  }

  @Test
  void nothingIsLost() {
    Branch mixer =
        Branch.mixer(
                Part.of("m")
                    .with("real", 0.1f)
                    .with("list", List.of(1, 2))
                    .with("map", Map.of("long", 5L)),
                NormSpec.layer(1e-5, true))
            .after(NormSpec.rms(0.25).unweighted())
            .scaled(0.3f);
    Branch channel = Branch.channel(Part.of("c"), null);
    Layer plain = Layer.of(mixer, channel);
    var architecture =
        new Architecture(
            "tiny",
            7,
            3,
            9,
            new Embedding(1.1f, 5, NormSpec.rms(1e-6)),
            List.of(
                plain,
                plain,
                Layer.parallel(mixer, channel),
                plain,
                new Layer(
                    List.of(
                        new Step(List.of(mixer), NormSpec.AFFINE),
                        new Step(List.of(mixer, channel), NormSpec.rms(0.5)))),
                new Layer(List.of())),
            NormSpec.layer(1e-7, false),
            new Head(false, true, 0.7f, 30));
    assertEquals(architecture, read(architecture.toJson()));
    assertEquals(architecture.toJson(), read(architecture.toJson()).toJson());
  }

  @Test
  void severalResidualStreamsAreNotLost() {
    for (boolean mean : new boolean[] {true, false}) {
      Architecture architecture =
          read(DOCUMENT).joined(new HyperSpec(4, 20, 1e-6, 1e-5, mean)).withStream("t", 5);
      assertEquals(architecture, read(architecture.toJson()));
      assertEquals(architecture.toJson(), read(architecture.toJson()).toJson());
      assertEquals(architecture.hyper(), architecture.bidirectional().withoutHead().hyper());
    }
  }

  @Test
  void wiringIsNotLostEither() {
    Branch plain = Branch.channel(Part.of("c"), null);
    Wiring all =
        Wiring.PLAIN
            .named("n")
            .reading(Reads.join(Wiring.RESIDUAL, "t", Wiring.EMBEDDING))
            .writing("u")
            .weightsOf(0)
            .stateOf(1);
    for (Wiring wiring :
        List.of(
            Wiring.PLAIN,
            all,
            Wiring.PLAIN.reading(Reads.of("t")),
            Wiring.PLAIN.reading(Reads.sum("t", "u")),
            Wiring.PLAIN.reading(Reads.of("t").beside("u")),
            Wiring.PLAIN.reading(Reads.join("t", "u").beside(Wiring.RESIDUAL)))) {
      Architecture architecture =
          new Architecture(
                  "tiny",
                  7,
                  3,
                  9,
                  new Embedding(1, 0, null, 4),
                  List.of(Layer.of(plain), Layer.of(plain.wired(wiring))),
                  null,
                  Head.of(true))
              .withStream("t", 5)
              .withStream("u", 3);
      assertEquals(architecture, read(architecture.toJson()));
      assertEquals(
          wiring,
          read(architecture.toJson())
              .layers()
              .getLast()
              .steps()
              .getFirst()
              .branches()
              .getFirst()
              .wiring());
    }
  }

  @Test
  void whatIsNotSaidIsUsual() {
    Layer layer = Layer.of(Branch.mixer(Part.of("m"), null));
    assertEquals(
        new Architecture(
            "tiny", 7, 3, 9, Embedding.PLAIN, List.of(layer, layer), null, Head.of(true)),
        read(DOCUMENT));
  }

  @ParameterizedTest(name = "{0} instead of {1}")
  @CsvSource(
      delimiter = '|',
      value = {
        "\"width\": 0|\"width\": 3|width=0 must be a whole number from 1 to 2147483647",
        "\"x\": 1|\"width\": 3|width is missing; it must be a whole number from 1 to 2147483647",
        "\"width\": 3, \"hyperConnections\": {\"rate\": 65}|\"width\": 3" + "|rate=65 is above 64",
        "\"width\": 3, \"hyperConnections\": {\"rate\": 2, \"x\": 1}|\"width\": 3"
            + "|hyperConnections.x is not a setting of hyper-connections",
        "\"width\": 3, \"hyperConnections\": {\"rate\": 2, \"epsilon\": 1}|\"width\": 3"
            + "|epsilon=1.0 must be at least 0 and below 1",
        "\"width\": 3, \"x\": 1|\"width\": 3|x is not a setting of an architecture",
        "{\"scale\": 1, \"x\": 1}|{\"scale\": 1}"
            + "|embedding.x is not a setting of an architecture",
        "\"head\": {}|\"head\": {\"tied\": true}|head.tied is missing; it must be true or false",
        "{\"repeat\": 2, \"x\": []|{\"repeat\": 2"
            + "|layers[0].x is not a setting of an architecture",
        "\"repeat\": 0|\"repeat\": 2"
            + "|layers[0].repeat=0 must be a whole number from 1 to 2147483647",
        "\"repeat\": 2147483647|\"repeat\": 2|layers must be at most 65536 in all",
        "\"repeat\": 65537|\"repeat\": 2|layers must be at most 65536 in all",
        "{}|{\"mixer\": {\"type\": \"m\"}}"
            + "|layers[0].steps[0].channel is missing; it must be an object",
        "{\"mixer\": {}}|{\"mixer\": {\"type\": \"m\"}}"
            + "|layers[0].steps[0].mixer.type is missing; it must be a string",
        "{\"mixer\": {\"type\": \"m\"}, \"channel\": {\"type\": \"c\"}}"
            + "|{\"mixer\": {\"type\": \"m\"}}"
            + "|layers[0].steps[0].channel is not a setting of an architecture",
        "{\"parallel\": [{}]}|{\"mixer\": {\"type\": \"m\"}}"
            + "|layers[0].steps[0].parallel[0].channel is missing; it must be an object",
        "{\"parallel\": [], \"residual\": {}}|{\"mixer\": {\"type\": \"m\"}}"
            + "|residual needs a branch, and parallel is empty",
        "{\"parallel\": [], \"sum\": {}}|{\"mixer\": {\"type\": \"m\"}}"
            + "|sum needs a branch, and parallel is empty",
        "{\"scale\": 1, \"skipped\": 2}|{\"scale\": 1}"
            + "|skipped=2: there are no positions to skip any of",
        "\"width\": 3, \"visibility\": \"all\"|\"width\": 3"
            + "|visibility=\"all\" is not supported; supported: causal, bidirectional",
        "{\"tied\": true, \"transform\": {\"x\": 1}}|{\"tied\": true}"
            + "|head.transform.x is not a setting of an architecture",
        "{\"parallel\": [], \"scale\": 2}|{\"mixer\": {\"type\": \"m\"}}"
            + "|layers[0].steps[0].scale is not a setting of an architecture",
        "{\"scale\": 1, \"metaTokens\": 2, \"positions\": 3}|{\"scale\": 1}"
            + "|metaTokens=2 and positions=3: there can be one of them",
        "\"width\": 3, \"streams\": {\"t\": 0}|\"width\": 3"
            + "|streams.t=0 must be a whole number from 1 to 2147483647",
        "{\"mixer\": {\"type\": \"m\"}, \"stateOf\": -1}|{\"mixer\": {\"type\": \"m\"}}"
            + "|layers[0].steps[0].stateOf=-1 must be a whole number from 0 to 2147483647",
        "{\"mixer\": {\"type\": \"m\"}, \"reads\": {\"join\": [\"t\"]}}"
            + "|{\"mixer\": {\"type\": \"m\"}}|join must name two streams at least",
        "{\"mixer\": {\"type\": \"m\"},"
            + " \"reads\": {\"join\": [\"t\", \"u\"], \"add\": [\"t\"]}}"
            + "|{\"mixer\": {\"type\": \"m\"}}"
            + "|layers[0].steps[0].reads.add cannot be beside join",
        "{\"norm\": {\"epsilon\": 2}, \"mixer\": {\"type\": \"m\"}}"
            + "|{\"mixer\": {\"type\": \"m\"}}|epsilon must be in [0, 1), found 2.0",
      })
  void whatIsWrongIsNamed(String instead, String right, String message) {
    String wrong = DOCUMENT.replace(right, instead);
    var e = assertThrows(ConfigException.class, () -> read(wrong));
    assertEquals(message, e.getMessage().replaceFirst("^a.json:(1:)? ", ""));
  }
}
