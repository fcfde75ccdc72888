package dev.apus.core.chat;

import dev.apus.core.template.Template;
import dev.apus.core.tokenizer.Tokenizer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/**
 * How a model wants conversations written down: the template of its makers, and its tokens.
 *
 * <p>Special tokens come out of the template alone. Their names in a message, in the description of
 * a tool, and in all other variables but those whose names end in {@code _token}, are plain text,
 * so that nobody can end a turn, or begin one, by writing so.
 */
public final class ChatTemplate {

  private final Template template;
  private final String source;
  private final Tokenizer tokenizer;
  private final Guard guard;
  private final Marks marks;

  private ChatTemplate(Template template, String source, Tokenizer tokenizer) {
    this.template = template;
    this.source = source;
    this.marks = Marks.of(source, tokenizer);
    this.tokenizer = tokenizer;
    this.guard = new Guard(tokenizer);
  }

  /**
   * A template in the Jinja language.
   *
   * @param name what errors call it
   * @throws dev.apus.core.template.TemplateException if it cannot be read
   */
  public static ChatTemplate of(String name, String source, Tokenizer tokenizer) {
    return new ChatTemplate(Template.of(name, source), source, tokenizer);
  }

  /**
   * For models that were never taught to converse: what is said is one text that goes on, message
   * after message.
   */
  public static ChatTemplate continuing(Tokenizer tokenizer) {
    String source = "{{ bos_token }}{% for message in messages %}{{ message.content }}{% endfor %}";
    return of("continuing", source, tokenizer);
  }

  /**
   * The text of a conversation.
   *
   * @param reply whether the text ends where the model's next turn begins
   * @param variables what the template may ask for besides, such as {@code tools} or {@code
   *     enable_thinking}: null, booleans, numbers, strings, lists and maps
   * @throws dev.apus.core.template.TemplateException if the template refuses the conversation
   */
  public String render(List<Message> messages, boolean reply, Map<String, ?> variables) {
    return render(messages, reply, variables, text -> text);
  }

  /** The tokens of {@link #render}'s text. */
  public int[] encode(List<Message> messages, boolean reply, Map<String, ?> variables) {
    return tokens(write(messages, reply, variables));
  }

  /**
   * The text of {@link #render} in a form that still tells the template's own special tokens from
   * their names in messages; for {@link #tokens}.
   */
  public String write(List<Message> messages, boolean reply, Map<String, ?> variables) {
    return render(messages, reply, variables, this::guarded);
  }

  /** What somebody said, as {@link #write} writes it. */
  public String guarded(String content) {
    return guard.guarded(content);
  }

  /** The tokens of a text that {@link #write} wrote, or of its beginning or end. */
  public int[] tokens(String written) {
    return guard.tokens(written);
  }

  /**
   * Tells the parts of an answer apart: thoughts, calls of tools, and what is said. Which marks
   * models of this kind write is seen from the template and the vocabulary.
   *
   * @param prompt the text that the answer follows
   * @param tools that the model knows of
   * @param listener receives the parts as they come, in pieces
   */
  public AnswerReader reader(String prompt, List<Tool> tools, Consumer<? super Part> listener) {
    return new AnswerReader(marks, prompt, tools, listener);
  }

  /**
   * The form of answers to a prompt that call tools well: texts and thoughts as the model likes,
   * and where a call begins, in the model's own marks, the name of one of the tools and arguments
   * by its schema.
   *
   * @param prompt the text that the answer follows
   * @throws IllegalArgumentException if the way of the model's calls is not known, or cannot write
   *     a tool's names; if there are no tools; or the one that must be called is not among them
   */
  public AnswerForm callingForm(String prompt, List<Tool> tools, ToolChoice choice) {
    if (tools.isEmpty()) {
      throw new IllegalArgumentException("no tools; needed: one at least that may be called");
    }
    AnswerForms forms = new AnswerForms(marks, prompt);
    return marks.harmony()
        ? forms.harmony(tools, choice)
        : forms.recipients()
            ? forms.recipients(tools, choice)
            : forms.calling(CallSyntax.of(source, this::knows), tools, choice);
  }

  /**
   * The form of answers to a prompt that have a form of somebody's, {@link AnswerForm.Wanted},
   * after thoughts, which are free, and may be absent unless the prompt begins them.
   *
   * @param prompt the text that the answer follows
   */
  public AnswerForm wantedForm(String prompt) {
    return new AnswerForms(marks, prompt).wanted();
  }

  private boolean knows(String mark) {
    return source.contains(mark) || tokenizer.id(mark).isPresent();
  }

  /** The name of a special token, or null if a token is none. */
  public String special(int token) {
    return tokenizer.isSpecial(token) ? tokenizer.token(token) : null;
  }

  /** Tools as templates expect them in their variable {@code tools}. */
  public static List<Map<String, Object>> describe(List<Tool> tools) {
    return tools.stream().map(Tool::value).toList();
  }

  private String render(
      List<Message> messages,
      boolean reply,
      Map<String, ?> variables,
      UnaryOperator<String> content) {
    Map<String, Object> values = new HashMap<>();
    token(tokenizer.beginning(), "bos_token", values);
    token(tokenizer.end(), "eos_token", values);
    // Descriptions of tools and documents are written by others, too; tokens are the template's.
    variables.forEach(
        (name, value) ->
            values.put(name, name.endsWith("_token") ? value : TurnValues.mapped(value, content)));
    values.put("add_generation_prompt", reply);
    values.put(
        "messages", messages.stream().map(message -> TurnValues.of(message, content)).toList());
    return template.render(values);
  }

  private void token(OptionalInt id, String name, Map<String, Object> values) {
    values.put(name, id.isPresent() ? tokenizer.token(id.getAsInt()) : "");
  }
}
