package dev.apus.cli;

import java.io.IOException;
import java.io.PrintWriter;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;

/** How drafts of a text are shown while it sharpens. */
interface CanvasView {

  /** Stands for a position that is noisy. */
  String MARK = "░";

  /** Shows the next draft. */
  void show(String draft);

  /** Makes room for the text itself. */
  void end();

  /** Shows nothing. */
  CanvasView NONE =
      new CanvasView() {
        @Override
        public void show(String draft) {
          // The text alone is asked for.
        }

        @Override
        public void end() {
          // Nothing stands in its place.
        }
      };

  /**
   * Drafts in the place of the text on a terminal, as lines elsewhere.
   *
   * @param asked whether drafts are wanted where there is no terminal, too
   */
  static CanvasView of(PrintWriter out, boolean asked) throws IOException {
    if (!Console.isTerminal()) {
      return asked ? new InLines(out) : NONE;
    }
    try (Terminal terminal =
        TerminalBuilder.builder().system(true).provider("exec").dumb(true).build()) {
      boolean dumb = terminal.getType().startsWith(Terminal.TYPE_DUMB);
      return dumb ? NONE : new InPlace(out, Math.max(1, terminal.getSize().getColumns()));
    }
  }

  /** A line for each draft. */
  record InLines(PrintWriter out) implements CanvasView {
    @Override
    public void show(String draft) {
      out.println(draft.replace("\n", "↵"));
    }

    @Override
    public void end() {
      out.flush();
    }
  }

  /** Each draft where the one before it stood. */
  final class InPlace implements CanvasView {

    private static final String CLEAR_BELOW = "\033[J";

    private final PrintWriter out;
    private final int width;
    private int rowsAbove;

    InPlace(PrintWriter out, int width) {
      this.out = out;
      this.width = width;
    }

    private void back() {
      out.print("\r" + (rowsAbove > 0 ? "\033[" + rowsAbove + "A" : "") + CLEAR_BELOW);
    }

    @Override
    public void show(String draft) {
      back();
      out.print(draft);
      out.flush();
      rowsAbove = rows(draft, width) - 1;
    }

    /** How many rows of a terminal a text takes. */
    static int rows(String text, int width) {
      return text.lines()
              .mapToInt(
                  line -> Math.max(1, Math.ceilDiv(line.codePointCount(0, line.length()), width)))
              .sum()
          + (text.endsWith("\n") ? 1 : 0);
    }

    @Override
    public void end() {
      back();
      out.flush();
      rowsAbove = 0;
    }
  }
}
