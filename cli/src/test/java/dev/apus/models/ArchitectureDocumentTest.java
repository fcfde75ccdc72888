package dev.apus.models;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/**
 * What each family makes of a config is written down. After a change that is meant, run with {@code
 * -Dapus.test.accept=true} and read what has changed before it is committed.
 */
class ArchitectureDocumentTest {

  static final List<String> families = TinyModels.ALL_FAMILIES;

  static final List<String> models = TinyModels.ALL;

  @ParameterizedTest
  @FieldSource("families")
  void aConfigGivesTheDocumentOnRecord(String family) throws IOException {
    String document = TinyModels.architecture(family).toJson() + "\n";
    if (Boolean.getBoolean("apus.test.accept")) {
      Path folder = Path.of("src/test/resources/architectures");
      Files.createDirectories(folder);
      Files.writeString(folder.resolve(family + ".json"), document);
    }
    String recorded = new String(TinyModels.resource("/architectures/" + family + ".json"), UTF_8);
    assertEquals(recorded, document);
  }

  /** So that each is run by the tests of models. */
  @Test
  void everyDocumentWrittenByHandIsNamed() throws IOException {
    try (Stream<Path> files = Files.list(TinyModels.DOCUMENT_FOLDER)) {
      List<String> names =
          files.map(file -> file.getFileName().toString().replace(".json", "")).sorted().toList();
      Stream<String> known =
          Stream.of(TinyModels.DOCUMENTS, TinyModels.WHOLE_DOCUMENTS, TinyModels.ENCODER_DOCUMENTS)
              .flatMap(List::stream);
      assertEquals(names, known.sorted().toList());
    }
  }

  @ParameterizedTest
  @FieldSource("models")
  void aDocumentReadsBackAsItself(String family) {
    Architecture architecture = TinyModels.architecture(family);
    Config document = Config.parse(family, architecture.toJson().getBytes(UTF_8));
    Architecture read = Architecture.read(document);
    assertEquals(architecture, read);
    assertEquals(architecture.toJson(), read.toJson());
  }
}
