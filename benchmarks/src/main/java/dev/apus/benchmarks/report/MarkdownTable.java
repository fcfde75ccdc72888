package dev.apus.benchmarks.report;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Rows of cells under a heading, as Markdown. */
public final class MarkdownTable {

  private final List<String> lines = new ArrayList<>();
  private final int columns;

  public MarkdownTable(List<String> heading) {
    columns = heading.size();
    add(heading);
    add(Collections.nCopies(columns, "---"));
  }

  /**
   * Adds a row.
   *
   * @throws IllegalArgumentException if it has more or fewer cells than the heading
   */
  public void add(List<String> cells) {
    if (cells.size() != columns) {
      throw new IllegalArgumentException(cells.size() + " cells under " + columns + " columns");
    }
    lines.add("| " + String.join(" | ", cells.stream().map(MarkdownTable::cell).toList()) + " |");
  }

  private static String cell(String text) {
    return text.replaceAll("\\R", " ").replace("|", "\\|");
  }

  @Override
  public String toString() {
    return String.join("\n", lines) + "\n";
  }
}
