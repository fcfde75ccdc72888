package dev.apus.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Document;
import org.xml.sax.InputSource;

class RoutesTest {

  private static final String TEXT = "Once upon a time there was a swift & a <king>.";

  @TempDir private Path folder;

  private static Document parsed(Path svg) throws Exception {
    return DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(new InputSource(new StringReader(Files.readString(svg))));
  }

  /** Cells have titles, and so has the drawing. */
  private static int cells(Document svg) {
    return svg.getElementsByTagName("title").getLength() - 1;
  }

  @Test
  void theLoadOfEachLayerIsPrintedAndDrawn() throws Exception {
    Path svg = folder.resolve("loads.svg");
    Cli run = Cli.run("routes", "--svg", svg, TEXT);
    assertEquals(0, run.exitCode(), run.err());
    List<String> lines = run.out().lines().toList();
    assertTrue(lines.getFirst().startsWith("layer  experts  used"), lines.getFirst());
    int layers = lines.size() - 1;
    assertEquals(6, layers, run.out());
    for (String line : lines.subList(1, lines.size())) {
      String[] cells = line.split(" +");
      double entropy = Double.parseDouble(cells[3]);
      double even = Double.parseDouble(cells[4]);
      double imbalance = Double.parseDouble(cells[5]);
      assertTrue(entropy > 0 && entropy <= even && imbalance >= 1, line);
    }
    assertEquals(layers * 8, cells(parsed(svg)));
  }

  @Test
  void theRoutesOfEachTokenArePrintedAndDrawn() throws Exception {
    Path svg = folder.resolve("tokens.svg");
    Cli run = Cli.run("routes", "--layer", 2, "--svg", svg, TEXT);
    assertEquals(0, run.exitCode(), run.err());
    List<String> lines = run.out().lines().toList();
    assertTrue(lines.get(1).matches("0 +Once +\\d: 0\\.\\d{3}  \\d: 0\\.\\d{3}"), run.out());
    assertEquals((lines.size() - 1) * 8, cells(parsed(svg)));
  }

  @Test
  void aLayerWithoutExpertsIsRefused() {
    Cli run = Cli.run("routes", "--layer", 17, TEXT);
    assertEquals(2, run.exitCode());
    assertTrue(run.err().contains("layer 17 has no experts"), run.err());
  }

  @Test
  void aModelWithoutExpertsIsRefused() throws IOException {
    Path gguf = folder.resolve("dense.gguf");
    Cli made = Cli.run("random", "src/test/resources/configs/llama.json", "-o", gguf);
    assertEquals(0, made.exitCode(), made.err());
    Cli run = Cli.run("routes", "-m", gguf, TEXT);
    assertTrue(run.exitCode() != 0 && !run.err().contains("Exception"), run.err());
  }

  @Test
  void anEmptyTextIsRefused() {
    Cli run = Cli.run("routes", "");
    assertEquals(2, run.exitCode());
    assertTrue(run.err().contains("no tokens"), run.err());
  }
}
