package dev.apus.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.UserInterruptException;
import org.jline.reader.impl.DefaultParser;
import org.jline.reader.impl.completer.StringsCompleter;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;

/** Where a person's lines come from: a terminal with history and editing, or a plain stream. */
interface Lines extends AutoCloseable {

  /** The next line, or null after the last. */
  String next(String prompt) throws IOException;

  /** Calls this when the person interrupts while no line is read. */
  void onInterrupt(Runnable action);

  /** A text as it stands out on a terminal; the text itself elsewhere. */
  String styled(String text);

  @Override
  void close() throws IOException;

  /**
   * The lines of this process.
   *
   * @param words what Tab completes
   */
  static Lines ofProcess(List<String> words, PrintWriter out) throws IOException {
    if (!Console.isTerminal()) {
      return new Plain(
          new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8)));
    }
    // This provider asks stty, and needs no native code.
    Terminal terminal = TerminalBuilder.builder().system(true).provider("exec").dumb(true).build();
    return new Edited(terminal, words);
  }

  /** Lines of a pipe or a file. */
  record Plain(BufferedReader in) implements Lines {

    @Override
    public String next(String prompt) throws IOException {
      return in.readLine();
    }

    @Override
    public void onInterrupt(Runnable action) {
      // An interrupt ends the process, which is what whoever wrote the pipe expects.
    }

    @Override
    public String styled(String text) {
      return text;
    }

    @Override
    public void close() throws IOException {
      in.close();
    }
  }

  /** Lines that a person types. */
  final class Edited implements Lines {

    private static final String BOLD = "\u001b[1m";
    private static final String PLAIN = "\u001b[0m";

    private final Terminal terminal;
    private final LineReader reader;

    private Edited(Terminal terminal, List<String> words) throws IOException {
      this.terminal = terminal;
      DefaultParser parser = new DefaultParser();
      parser.setEscapeChars(null);
      parser.setQuoteChars(new char[0]);
      this.reader =
          LineReaderBuilder.builder()
              .appName("apus")
              .terminal(terminal)
              .parser(parser)
              .completer(new StringsCompleter(words))
              .option(LineReader.Option.DISABLE_EVENT_EXPANSION, true)
              .variable(LineReader.HISTORY_FILE, history())
              .build();
    }

    private static Path history() throws IOException {
      String state = System.getenv("XDG_STATE_HOME");
      Path folder =
          state != null && !state.isBlank()
              ? Path.of(state, "apus")
              : Path.of(System.getProperty("user.home"), ".local", "state", "apus");
      return Files.createDirectories(folder).resolve("chat-history");
    }

    @Override
    public String next(String prompt) {
      while (true) {
        try {
          return reader.readLine(styled(prompt));
        } catch (UserInterruptException e) {
          // What was being typed is gone, as in a shell.
        } catch (EndOfFileException e) {
          return null;
        }
      }
    }

    @Override
    public void onInterrupt(Runnable action) {
      terminal.handle(Terminal.Signal.INT, signal -> action.run());
    }

    @Override
    public String styled(String text) {
      return terminal.getType().startsWith(Terminal.TYPE_DUMB) ? text : BOLD + text + PLAIN;
    }

    @Override
    public void close() throws IOException {
      terminal.close();
    }
  }
}
