package dev.apus.cli;

import dev.apus.core.Answer;
import dev.apus.core.Chat;
import dev.apus.core.Model;
import dev.apus.core.ModelOptions;
import dev.apus.core.PrefixReuse;
import dev.apus.core.chat.ChatTemplate;
import dev.apus.core.file.FormatException;
import dev.apus.core.generate.GenerationException;
import dev.apus.core.template.TemplateException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code apus chat}: a conversation. */
@Command(
    name = "chat",
    description = "Converses: reads what you say line by line, and prints the answers.",
    footer = {
      "  apus chat -m models/Qwen3-0.6B",
      "  apus chat -m models/granite-4.0-h-350m --system \"You are brief.\" --temp 0.6",
      "  apus chat -m models/Qwen3-0.6B --tools tools.json --tool-choice required",
      "  apus chat -m models/Qwen3-0.6B --json-schema recipe.json",
      "In a conversation, /help lists what can be done: /undo, /fork, /save and more."
    })
final class Converse implements Callable<Integer> {

  private static final long MEGABYTE = 1 << 20;

  @Spec private CommandSpec command;
  @ParentCommand private Apus apus;
  @Mixin private ModelChoice choice;
  @Mixin private SamplingOptions sampling;
  @Mixin private Opening opening;
  @Mixin private CacheChoice cache;
  @Mixin private AttentionChoice attention;
  @Mixin private StructureOptions structure;
  @Mixin private ToolOptions tools;

  @Option(
      names = "--system",
      paramLabel = "TEXT",
      description = "What the model is told before the conversation begins.")
  private String system;

  @Option(
      names = "--template",
      paramLabel = "FILE",
      description = "A chat template in the Jinja language, instead of the model's own.")
  private Path templateFile;

  @Option(
      names = "--set",
      paramLabel = "NAME=VALUE",
      description = "Gives the template a variable, such as enable_thinking=false.")
  private Map<String, String> variables = Map.of();

  @Option(
      names = "--think",
      paramLabel = "HOW",
      defaultValue = "ON",
      description = {
        "What becomes of thoughts: ${COMPLETION-CANDIDATES}. OFF asks the template to do without"
            + " (default: ${DEFAULT-VALUE})."
      })
  private Thinking thinking;

  @Option(
      names = "--limit",
      paramLabel = "TOKENS",
      description = "Tokens of a conversation at most; the model's context, if absent.")
  private Integer limit;

  @Option(
      names = "--prefix-cache",
      paramLabel = "MB",
      defaultValue = "1024",
      description = {
        "Memory for what other conversations have computed, from which new ones with the same"
            + " beginning go on; 0 for none (default: ${DEFAULT-VALUE})."
      })
  private int prefixCache;

  @Override
  public Integer call() throws IOException {
    if (prefixCache < 0) {
      throw new ParameterException(command.commandLine(), "--prefix-cache must not be negative");
    }
    ModelOptions options =
        attention
            .over(cache.over(opening.options()))
            .withPrefixReuse(PrefixReuse.of(prefixCache * MEGABYTE));
    PrintWriter out = command.commandLine().getOut();
    try (Model model = choice.open(options);
        ChatRoom room = room(model, out);
        Lines lines = Lines.ofProcess(ChatRoom.COMMANDS, out)) {
      lines.onInterrupt(room::cancel);
      return converse(room, lines) ? Failures.OK : Failures.FAILED;
    }
  }

  private ChatRoom room(Model model, PrintWriter out) throws IOException {
    if (structure.wanted() && tools.areGiven()) {
      throw new ParameterException(
          command.commandLine(), "--tools does not go together with a form of the answers");
    }
    choice.tokenizer(model);
    int context = model.architecture().context();
    int most = limit == null ? context : Math.min(limit, context);
    return new ChatRoom(
        model,
        template(model),
        templateVariables(),
        most,
        system,
        sampling.over(model.sampling(), model::tokenizer),
        thinking,
        this::prepare,
        out);
  }

  private void prepare(Chat chat) throws IOException {
    tools.over(chat);
    structure.over(chat);
  }

  private Map<String, Object> templateVariables() {
    Map<String, Object> all = ChatVariables.of(variables);
    if (thinking == Thinking.OFF) {
      all.putIfAbsent("enable_thinking", false);
    }
    return all;
  }

  private ChatTemplate template(Model model) {
    if (templateFile != null) {
      try {
        String source = Files.readString(templateFile);
        return ChatTemplate.of(templateFile.toString(), source, model.tokenizer());
      } catch (IOException e) {
        throw new UncheckedIOException(templateFile + ": cannot be read", e);
      }
    }
    return model
        .chatTemplate()
        .orElseGet(
            () -> {
              apus.note(
                  command.commandLine().getErr(),
                  choice.name()
                      + ": the model has no chat template; what is said goes on as one text");
              return ChatTemplate.continuing(model.tokenizer());
            });
  }

  /** Goes on until the last line; false if a turn failed. */
  private boolean converse(ChatRoom room, Lines lines) throws IOException {
    boolean well = true;
    for (String text = read(room, lines); text != null; text = read(room, lines)) {
      try {
        if (text.startsWith("/")) {
          if (!room.obey(text)) {
            break;
          }
        } else if (!text.isBlank()) {
          Answer answer = room.say(text);
          if (answer != null) {
            note(answer);
          }
        }
      } catch (IllegalArgumentException
          | IOException
          | FormatException
          | TemplateException
          | GenerationException e) {
        well = false;
        boolean ofLine = e instanceof IllegalArgumentException;
        command.commandLine().getErr().println(ofLine ? e.getMessage() : Failures.sentence(e));
      }
    }
    return well;
  }

  /** A line, with those that go on from it. */
  private static String read(ChatRoom room, Lines lines) throws IOException {
    String line = lines.next(room.prompt());
    while (line != null && line.endsWith("\\")) {
      String next = lines.next("… ");
      line = line.substring(0, line.length() - 1) + "\n" + (next == null ? "" : next);
    }
    return line;
  }

  private void note(Answer answer) {
    apus.note(
        command.commandLine().getErr(),
        String.format(
            Locale.ROOT,
            "%d tokens read, %d written at %s/s",
            answer.usage().promptTokens(),
            answer.usage().generatedTokens(),
            Units.rate(answer.usage().tokensPerSecond())));
  }
}
