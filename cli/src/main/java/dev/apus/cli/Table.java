package dev.apus.cli;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Rows of text under a heading, printed in aligned columns. */
final class Table {

  private final List<List<String>> rows = new ArrayList<>();

  Table(String... heading) {
    rows.add(List.of(heading));
  }

  /** Adds a row; the last cell may be missing. */
  void add(String... cells) {
    rows.add(List.of(cells));
  }

  /** Prints columns that are as wide as their widest cell, the last one excepted. */
  void print(PrintWriter out) {
    int[] widths = widths();
    for (List<String> row : rows) {
      out.println(row(row, widths, "  ").stripTrailing());
    }
  }

  /** Prints a table of Markdown. */
  void printMarkdown(PrintWriter out) {
    int[] widths = widths();
    for (int i = 0; i < rows.size(); i++) {
      out.println("| " + row(rows.get(i), widths, " | ") + " |");
      if (i == 0) {
        String lines =
            Arrays.stream(widths).mapToObj("-"::repeat).collect(Collectors.joining(" | "));
        out.println("| " + lines + " |");
      }
    }
  }

  private static String row(List<String> cells, int[] widths, String between) {
    return IntStream.range(0, widths.length)
        .mapToObj(i -> pad(i < cells.size() ? cells.get(i) : "", widths[i]))
        .collect(Collectors.joining(between));
  }

  private static String pad(String cell, int width) {
    return cell + " ".repeat(Math.max(0, width - cell.length()));
  }

  private int[] widths() {
    int[] widths = new int[rows.getFirst().size()];
    for (List<String> row : rows) {
      for (int i = 0; i < row.size(); i++) {
        widths[i] = Math.max(widths[i], row.get(i).length());
      }
    }
    return widths;
  }
}
