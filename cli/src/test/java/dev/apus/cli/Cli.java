package dev.apus.cli;

import dev.apus.core.file.ModelFiles;
import dev.apus.fable.Fable;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine;

/**
 * What one run of the command left behind.
 *
 * @param out what it printed as its result
 * @param err what it said besides
 */
record Cli(int exitCode, String out, String err) {

  /** Runs the command in this process. */
  static Cli run(Object... arguments) {
    var out = new StringWriter();
    var err = new StringWriter();
    String[] words = new String[arguments.length];
    for (int i = 0; i < words.length; i++) {
      words[i] = arguments[i].toString();
    }
    CommandLine command = Apus.commandLine(words);
    command.setOut(new PrintWriter(out, true));
    command.setErr(new PrintWriter(err, true));
    int exitCode = command.execute(words);
    return new Cli(exitCode, out.toString(), err.toString());
  }

  /** The error stream without the final line break. */
  String complaint() {
    return err.strip();
  }

  /** Writes the embedded model as a folder. */
  static Path fable(Path folder) throws IOException {
    ModelFiles files = Fable.files();
    Files.createDirectories(folder);
    for (String name :
        List.of("config.json", "tokenizer.json", "tokenizer_config.json", "model.gguf")) {
      Files.write(folder.resolve(name), files.read(name));
    }
    return folder;
  }
}
