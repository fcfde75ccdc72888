package dev.apus.benchmarks.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PageTest {

  @TempDir private Path folder;

  @Test
  void replacesItsSectionAndNothingElse() throws IOException {
    Path file = folder.resolve("page.md");
    String before = "# Title\n\n";
    String after = "\nmore\n<!-- other: begin -->\n<!-- other: end -->\n";
    Files.writeString(file, before + "<!-- x: begin -->\nold\n<!-- x: end -->\n" + after);
    Page page = new Page(file, "x");
    page.write("new\n", Map.of("a.svg", "<svg/>"));
    page.write("newer\n", Map.of());
    assertEquals(
        before + "<!-- x: begin -->\n\nnewer\n\n<!-- x: end -->\n" + after, Files.readString(file));
    assertEquals("<svg/>", Files.readString(folder.resolve("charts/a.svg")));
  }

  @Test
  void writesAFileThatDoesNotExist() throws IOException {
    Path file = folder.resolve("new.md");
    new Page(file, "x").write("text\n", Map.of());
    assertEquals("<!-- x: begin -->\n\ntext\n\n<!-- x: end -->\n", Files.readString(file));
  }

  @Test
  void refusesAPageWithoutTheSection() throws IOException {
    Path file = folder.resolve("page.md");
    Files.writeString(file, "<!-- x: end -->\n<!-- x: begin -->\n");
    IOException e = assertThrows(IOException.class, () -> new Page(file, "x"));
    assertTrue(e.getMessage().contains("<!-- x: begin -->"), e.getMessage());
  }
}
