package dev.apus.cli;

import dev.apus.core.Answer;
import dev.apus.core.Chat;
import dev.apus.core.Model;
import dev.apus.core.PrefixCache;
import dev.apus.core.chat.ChatTemplate;
import dev.apus.core.chat.Message;
import dev.apus.core.chat.ToolCall;
import dev.apus.core.generate.Sampling;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The conversations that a person has at a time, and what can be done with them. */
final class ChatRoom implements AutoCloseable {

  /** What {@code /help} prints. */
  static final String HELP =
      """
      /undo          take the last turn back
      /fork NAME     go on in a copy of this conversation, called NAME
      /switch NAME   go to another conversation; without a name, list them
      /show          print the conversation so far
      /save FILE     write the conversation, and the model's state beside it
      /load FILE     go on where a conversation was saved
      /stats         memory, and what the prefix cache has saved
      /exit          leave
      A line that ends in \\ goes on in the next one.\
      """;

  static final List<String> COMMANDS =
      List.of("/undo", "/fork", "/switch", "/show", "/save", "/load", "/stats", "/help", "/exit");

  private static final String FIRST = "main";

  /** What a new conversation is given before it begins. */
  interface Preparation {
    void of(Chat chat) throws IOException;
  }

  private final Model model;
  private final ChatTemplate template;
  private final Map<String, ?> variables;
  private final Sampling sampling;
  private final PrintWriter out;
  private final Thinking thinking;
  private final Preparation preparation;
  private final Map<String, Chat> chats = new LinkedHashMap<>();
  private final Map<Chat, List<Message>> results = new IdentityHashMap<>();
  private String current = FIRST;

  ChatRoom(
      Model model,
      ChatTemplate template,
      Map<String, ?> variables,
      int limit,
      String instruction,
      Sampling sampling,
      Thinking thinking,
      Preparation preparation,
      PrintWriter out)
      throws IOException {
    this.model = model;
    this.template = template;
    this.variables = variables;
    this.sampling = sampling;
    this.out = out;
    this.thinking = thinking;
    this.preparation = preparation;
    Chat first = prepared(Chat.with(model, template, limit, variables));
    if (instruction != null) {
      first.instruct(instruction);
    }
    chats.put(FIRST, first);
  }

  private Chat chat() {
    return chats.get(current);
  }

  /** Gives a conversation what it needs before it begins, or closes it. */
  private Chat prepared(Chat chat) throws IOException {
    try {
      preparation.of(chat);
      return chat;
    } catch (RuntimeException | IOException e) {
      chat.close();
      throw e;
    }
  }

  /** What stands before the next line. */
  String prompt() {
    String name = chats.size() == 1 ? "" : current;
    List<ToolCall> waiting = waiting();
    return waiting.isEmpty()
        ? name + "> "
        : name + "[" + waiting.get(results().size()).name() + "] ";
  }

  void cancel() {
    chat().cancel();
  }

  /** The calls that the model has just made, whose results are wanted next. */
  private List<ToolCall> waiting() {
    List<Message> messages = chat().messages();
    return messages.isEmpty() ? List.of() : messages.getLast().calls();
  }

  /** Those of the calls' results that are there. */
  private List<Message> results() {
    return results.computeIfAbsent(chat(), _ -> new ArrayList<>());
  }

  /**
   * Prints the answer to what was said, which is what came of a call if the model has made one.
   *
   * @return null if further results are wanted before the model can answer
   */
  Answer say(String text) {
    List<ToolCall> waiting = waiting();
    List<Message> said = new ArrayList<>(results());
    said.add(
        waiting.isEmpty() ? Message.user(text) : Message.result(waiting.get(said.size()), text));
    if (said.size() < waiting.size()) {
      results().add(said.getLast());
      return null;
    }
    AnswerPrinter printer = new AnswerPrinter(out, thinking);
    try {
      Answer answer = chat().answer(said, sampling, printer);
      results().clear();
      return answer;
    } finally {
      printer.end();
    }
  }

  /**
   * Obeys a line that begins with a slash.
   *
   * @return whether to go on
   * @throws IllegalArgumentException if it is no such line
   */
  boolean obey(String line) throws IOException {
    String[] words = line.strip().split("\\s+", 2);
    String given = words.length == 2 ? words[1].strip() : "";
    switch (words[0]) {
      case "/exit", "/quit" -> {
        return false;
      }
      case "/help" -> out.println(HELP);
      case "/undo" -> {
        results().clear();
        out.println(chat().undo() ? "the last turn is gone" : "nothing to undo");
      }
      case "/fork" -> fork(needed(given, "a name"));
      case "/switch" -> change(given);
      case "/show" -> chat().messages().forEach(this::show);
      case "/save" -> {
        chat().save(Path.of(needed(given, "a file")));
        out.println("saved");
      }
      case "/load" -> load(Path.of(needed(given, "a file")));
      case "/stats" -> statistics();
      default ->
          throw new IllegalArgumentException(
              "there is no " + words[0] + "; there are " + String.join(" ", COMMANDS));
    }
    out.flush();
    return true;
  }

  private static String needed(String given, String what) {
    if (given.isEmpty()) {
      throw new IllegalArgumentException("needed: " + what);
    }
    return given;
  }

  private void fork(String name) {
    if (chats.containsKey(name)) {
      throw new IllegalArgumentException("there is a conversation \"" + name + "\" already");
    }
    Chat fork = chat().fork();
    results.put(fork, new ArrayList<>(results()));
    chats.put(name, fork);
    current = name;
    out.println("now in " + name);
  }

  private void change(String name) {
    if (name.isEmpty()) {
      out.println(String.join(" ", chats.keySet()) + "; now in " + current);
    } else if (chats.containsKey(name)) {
      current = name;
      out.println("now in " + name);
    } else {
      throw new IllegalArgumentException(
          "there is no conversation \"" + name + "\"; there are " + chats.keySet());
    }
  }

  private void show(Message message) {
    out.println(message.role() + ": " + message.content());
  }

  private void load(Path file) throws IOException {
    Chat loaded = prepared(Chat.load(file, model, template, variables));
    results.remove(chat());
    chat().close();
    chats.put(current, loaded);
    out.println(loaded.messages().size() + " messages");
  }

  private void statistics() {
    long bytes = chats.values().stream().mapToLong(chat -> chat.session().bytes()).sum();
    out.printf(
        Locale.ROOT,
        "%d tokens; %d conversations hold %s%n",
        chat().session().length(),
        chats.size(),
        Units.bytes(bytes));
    model
        .prefixCache()
        .map(PrefixCache::statistics)
        .ifPresent(
            cache ->
                out.printf(
                    Locale.ROOT,
                    "prefix cache: %d of %d beginnings found, %d tokens not computed, %s held%n",
                    cache.hits(),
                    cache.lookups(),
                    cache.reusedTokens(),
                    Units.bytes(cache.bytes())));
  }

  @Override
  public void close() {
    chats.values().forEach(Chat::close);
  }
}
