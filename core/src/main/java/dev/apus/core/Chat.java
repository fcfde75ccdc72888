package dev.apus.core;

import dev.apus.core.chat.AnswerForm;
import dev.apus.core.chat.ChatTemplate;
import dev.apus.core.chat.Message;
import dev.apus.core.chat.Part;
import dev.apus.core.chat.Tool;
import dev.apus.core.chat.ToolChoice;
import dev.apus.core.generate.Constraint;
import dev.apus.core.generate.Generation;
import dev.apus.core.generate.Sampling;
import dev.apus.core.generate.Token;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * A conversation with a model. Its session goes along, so that a turn computes what is new alone;
 * where a template writes earlier turns anew, the session goes back as far as it must.
 *
 * <pre>{@code
 * try (Chat chat = Chat.with(model, 4096)) {
 *   chat.instruct("You are brief.");
 *   Answer answer = chat.say("Why do swifts scream?", model.sampling(), token -> {});
 * }
 * }</pre>
 *
 * <p>A chat belongs to one thread at a time; {@link #cancel} may come from any. A turn that fails
 * leaves it as it was.
 */
public final class Chat implements AutoCloseable {

  private final ChatTemplate template;
  private final Map<String, ?> variables;
  private final List<Message> messages;
  private List<Tool> tools = List.of();

  /** What answers must be; null if anything. */
  private AnswerRule rule;

  private final Deque<Turn> turns = new ArrayDeque<>();
  private volatile Session session;

  /** The guarded text that the session's tokens stand for. */
  private String written;

  /**
   * The place before a turn.
   *
   * @param of the session that can go back there, if it is still the one in use
   * @param written what the session stood for there
   * @param messages how many there were
   */
  private record Turn(Session of, Session.SessionMark mark, String written, int messages) {}

  private Chat(
      ChatTemplate template,
      Session session,
      Map<String, ?> variables,
      List<Message> messages,
      String written) {
    this.template = template;
    this.session = session;
    this.variables = Map.copyOf(variables);
    this.messages = new ArrayList<>(messages);
    this.written = written;
  }

  /**
   * A new conversation of at most {@code limit} tokens, in the words of the model's own template.
   *
   * @throws IllegalStateException if the model has no tokenizer or no template
   */
  public static Chat with(Model model, int limit) {
    ChatTemplate template =
        model
            .chatTemplate()
            .orElseThrow(
                () ->
                    new IllegalStateException(
                        "the model has no chat template; give one, or ChatTemplate.continuing"));
    return with(model, template, limit, Map.of());
  }

  /**
   * A new conversation.
   *
   * @param variables what the template may ask for besides the messages
   */
  public static Chat with(Model model, ChatTemplate template, int limit, Map<String, ?> variables) {
    return new Chat(template, model.newSession(limit), variables, List.of(), "");
  }

  /** What has been said so far. */
  public List<Message> messages() {
    return List.copyOf(messages);
  }

  /** The session that goes along; to be looked at, not to be changed. */
  public Session session() {
    return session;
  }

  /** Adds a message that tells the model how to behave; it is read with the next turn. */
  public void instruct(String content) {
    messages.add(Message.system(content));
  }

  /**
   * Offers tools to the model from the next turn on, instead of any before, if its template has a
   * place for them. What it wants used is in {@link Answer#calls}; the results are given by {@link
   * #answer}, as {@link Message#result}. How it writes its calls is left to it.
   */
  public void offer(List<Tool> tools) {
    this.tools = List.copyOf(tools);
    this.rule = null;
  }

  /**
   * Offers tools like {@link #offer(List)}, and lets the model write nothing but well-formed calls
   * of them: once it begins one, in its own marks, the name is one of theirs, and the arguments are
   * valid by the tool's schema. Outside of calls texts and thoughts are free. It takes the place of
   * {@link #require}.
   *
   * @param choice whether the model must call one
   * @param constraints makes a constraint of a form, such as {@code Structure::answer} of the
   *     module {@code dev.apus.structure}
   * @throws IllegalArgumentException if the way of the model's calls is not known or cannot write a
   *     tool's names, or if a tool's schema cannot be honoured
   */
  public void offer(
      List<Tool> tools,
      ToolChoice choice,
      Function<? super AnswerForm, ? extends Constraint> constraints) {
    List<Tool> all = List.copyOf(tools);
    rule =
        new AnswerRule((its, prompt) -> its.callingForm(prompt, all, choice), constraints)
            .checked(template);
    this.tools = all;
  }

  /**
   * Lets answers have a form from the next turn on, after their thoughts, which stay free. It takes
   * the place of the form that calls of tools have.
   *
   * @param constraints makes a constraint of a form of which a part is {@link AnswerForm.Wanted},
   *     such as {@code structure::within} of the module {@code dev.apus.structure}; null for
   *     answers of any form
   */
  public void require(Function<? super AnswerForm, ? extends Constraint> constraints) {
    rule =
        constraints == null
            ? null
            : new AnswerRule(ChatTemplate::wantedForm, constraints).checked(template);
  }

  /**
   * Says something and lets the model answer. An answer that is cancelled counts as far as it went.
   *
   * @param callback receives every token as soon as it is chosen
   * @throws dev.apus.core.template.TemplateException if the template refuses the conversation
   * @throws IllegalArgumentException if it does not fit into the session any more
   * @throws dev.apus.core.generate.GenerationException if the model or the callback failed
   */
  public Answer say(String text, Sampling sampling, Consumer<? super Token> callback) {
    return turn(List.of(Message.user(text)), sampling, callback, part -> {});
  }

  /**
   * Goes on after any messages, such as the results of tools, like {@link #say}.
   *
   * @param listener receives the parts of the answer as they come: texts and thoughts in pieces
   *     that hold no mark, nor half of one, and calls as a whole
   */
  public Answer answer(List<Message> said, Sampling sampling, Consumer<? super Part> listener) {
    return turn(said, sampling, token -> {}, listener);
  }

  private Answer turn(
      List<Message> said,
      Sampling sampling,
      Consumer<? super Token> callback,
      Consumer<? super Part> listener) {
    List<Message> next = new ArrayList<>(messages);
    next.addAll(said);
    String wanted = template.write(next, true, variables());
    Turn before = new Turn(session, session.mark(), written, messages.size());
    try {
      goBackFor(wanted);
      int[] prompt = template.tokens(wanted.substring(written.length()));
      Telling telling = new Telling(template, wanted, tools, listener);
      Sampling own = rule == null ? sampling : rule.over(sampling, template, wanted);
      Generation generation = session.start(prompt, own);
      generation.forEachRemaining(
          token -> {
            boolean ends = sampling.stopTokens().contains(token.id());
            telling.accept(token, ends || session.model().endTokens().contains(token.id()));
            callback.accept(token);
          });
      Answer answer = telling.answer(generation.stopReason().orElseThrow(), generation.usage());
      next.add(new Message("assistant", answer.text(), answer.reasoning(), answer.calls(), null));
      messages.clear();
      messages.addAll(next);
      written = wanted + telling.written();
      turns.push(before);
      if (session != before.of()) {
        before.of().close();
      }
      return answer;
    } catch (RuntimeException | Error e) {
      goBackTo(before);
      before.mark().close();
      throw e;
    }
  }

  private Map<String, ?> variables() {
    if (tools.isEmpty()) {
      return variables;
    }
    Map<String, Object> all = new HashMap<>(variables);
    all.put("tools", ChatTemplate.describe(tools));
    return all;
  }

  /** Takes the session to the last place whose text begins the wanted one. */
  private void goBackFor(String wanted) {
    if (wanted.startsWith(written)) {
      return;
    }
    for (Turn turn : turns) {
      if (turn.of() == session && wanted.startsWith(turn.written())) {
        turn.mark().rewind();
        written = turn.written();
        return;
      }
    }
    session = session.model().newSession(session.limit());
    written = "";
  }

  private void goBackTo(Turn turn) {
    if (session != turn.of()) {
      session.close();
      session = turn.of();
    }
    turn.mark().rewind();
    written = turn.written();
  }

  /**
   * Takes the last turn back, what was said and what was answered.
   *
   * @return whether there was one
   */
  public boolean undo() {
    if (turns.isEmpty()) {
      return false;
    }
    Turn turn = turns.pop();
    if (session == turn.of()) {
      goBackTo(turn);
      turn.mark().close();
    } else {
      Session begun = session.model().newSession(session.limit());
      session.close();
      session = begun;
      written = "";
    }
    messages.subList(turn.messages(), messages.size()).clear();
    return true;
  }

  /** A conversation of its own that is where this one is. Its turns so far cannot be undone. */
  public Chat fork() {
    Chat fork = new Chat(template, session.fork(), variables, messages, written);
    fork.tools = tools;
    fork.rule = rule;
    return fork;
  }

  /**
   * Writes the conversation to a file, and the session's state to another beside it whose name ends
   * in {@value ChatFile#STATE}.
   *
   * @throws IOException if they cannot be written
   */
  public void save(Path file) throws IOException {
    ChatFile.write(file, new ChatFile(messages, written), session);
  }

  /**
   * Goes on where a conversation was saved. Its turns so far cannot be undone.
   *
   * @param template as the conversation had it
   * @throws IOException if the files cannot be read, or are no conversation
   * @throws dev.apus.core.file.FormatException if the state is damaged or another model's
   */
  public static Chat load(Path file, Model model, ChatTemplate template, Map<String, ?> variables)
      throws IOException {
    ChatFile saved = ChatFile.read(file);
    Session session = model.restore(ChatFile.state(file));
    return new Chat(template, session, variables, saved.messages(), saved.written());
  }

  /** Stops the answer that is being given, if any; any thread may call this. */
  public void cancel() {
    session.cancel();
  }

  @Override
  public void close() {
    session.close();
  }
}
