package dev.apus.architecture;

import static java.util.stream.Collectors.toCollection;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What the compiler throws away. */
class SourcesTest {

  private static final int LONGEST = 400;

  @Test
  void noFileIsTooLongToReadInOneSitting() throws IOException {
    List<Path> sources = sources();
    assertTrue(sources.size() > 30, "the sources were not found: " + sources);
    Set<String> tooLong =
        sources.stream()
            .filter(source -> lines(source) > LONGEST)
            .map(source -> source + ": " + lines(source) + " lines")
            .collect(toCollection(TreeSet::new));
    assertEquals(Set.of(), tooLong, "no file is longer than " + LONGEST + " lines");
  }

  /** Every Java file of every module, from the folder above this module's. */
  private static List<Path> sources() throws IOException {
    try (Stream<Path> modules = Files.list(Path.of("..").toRealPath())) {
      return modules.map(module -> module.resolve("src")).flatMap(SourcesTest::javaFiles).toList();
    }
  }

  private static Stream<Path> javaFiles(Path folder) {
    if (!Files.isDirectory(folder)) {
      return Stream.of();
    }
    try (Stream<Path> files = Files.walk(folder)) {
      return files.filter(file -> file.toString().endsWith(".java")).toList().stream();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static long lines(Path source) {
    try (Stream<String> lines = Files.lines(source)) {
      return lines.count();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
