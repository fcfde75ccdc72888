package dev.apus.benchmarks.report;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Map.Entry;

/**
 * A page of Markdown that one section of is written by a program: what stands between the comments
 * {@code <!-- NAME: begin -->} and {@code <!-- NAME: end -->}. Charts lie in the folder {@code
 * charts} beside it.
 */
public final class Page {

  private final Path file;
  private final String begin;
  private final String end;

  /**
   * The page that a section is to be written into; it need not exist.
   *
   * @throws IOException if it exists and has no such section, or cannot be read
   */
  public Page(Path file, String section) throws IOException {
    this.file = file.toAbsolutePath();
    begin = "<!-- " + section + ": begin -->\n";
    end = "<!-- " + section + ": end -->\n";
    around();
  }

  /** What stands before and after the section. */
  private String[] around() throws IOException {
    String text;
    try {
      text = Files.readString(file);
    } catch (NoSuchFileException e) {
      return new String[] {"", ""};
    }
    int from = text.indexOf(begin);
    int to = text.indexOf(end, Math.max(0, from));
    if (from < 0 || to < 0) {
      throw new IOException(
          file
              + ": has no section to write into; needed: the lines "
              + begin.strip()
              + " and "
              + end.strip()
              + ", or a file that does not exist");
    }
    return new String[] {text.substring(0, from), text.substring(to + end.length())};
  }

  /** What a link in the section to a chart looks like. */
  public static String link(String words, String chart) {
    return "![" + words + "](charts/" + chart + ")\n";
  }

  /**
   * Writes the section and its charts, in place of what was there.
   *
   * @param charts SVG documents by file name
   */
  public void write(String markdown, Map<String, String> charts) throws IOException {
    String[] around = around();
    Path folder = Files.createDirectories(file.resolveSibling("charts"));
    for (Entry<String, String> chart : charts.entrySet()) {
      write(folder.resolve(chart.getKey()), chart.getValue());
    }
    write(file, around[0] + begin + "\n" + markdown + "\n" + end + around[1]);
  }

  private static void write(Path file, String text) throws IOException {
    Files.write(file, text.getBytes(StandardCharsets.UTF_8));
  }
}
