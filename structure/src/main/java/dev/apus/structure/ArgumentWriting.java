package dev.apus.structure;

import dev.apus.core.chat.AnswerForm;
import java.util.Set;
import java.util.function.Function;

/**
 * Members without braces, each between marks of its own: how models write the arguments of calls
 * that are not JSON as a whole.
 */
final class ArgumentWriting implements MemberWriting {

  private static final String NAME = "[A-Za-z0-9_.-]+";

  private final AnswerForm.Members form;
  private final Alphabet alphabet;
  private final Function<AnswerForm, Node> forms;
  private final Function<Schema, Node> values;
  private final RawText raw;
  private final Node end;

  /**
   * @param forms makes nodes of what stands around values
   * @param values makes nodes of the schemas of values
   */
  ArgumentWriting(
      AnswerForm.Members form,
      Alphabet alphabet,
      Function<AnswerForm, Node> forms,
      Function<Schema, Node> values) {
    this.form = form;
    this.alphabet = alphabet;
    this.forms = forms;
    this.values = values;
    this.end = alphabet.text(form.spelling().end());
    this.raw = new RawText(alphabet, form.spelling().end(), form.spelling().never());
  }

  private Node named(Node name) {
    Node begin = alphabet.text(form.spelling().begin());
    return Nodes.sequence(begin, name, forms.apply(form.spelling().named()));
  }

  @Override
  public Node key(String name) {
    return named(alphabet.characters().containsAll(name) ? Nodes.text(name) : Nodes.NONE);
  }

  @Override
  public Node otherThan(Set<String> names) {
    String what = "the names of arguments";
    Regex regex = RegexParser.parse(what, NAME, false);
    Node any = Structure.node(regex, what, alphabet.characters());
    Node known = Nodes.choice(names.stream().map(Nodes::text).toList());
    return named(names.isEmpty() ? any : Product.without(any, known, what));
  }

  @Override
  public Node value(String name, Schema schema) {
    return form.texts().contains(name) ? raw.node(schema) : other(schema);
  }

  @Override
  public Node other(Schema schema) {
    return Nodes.sequence(values.apply(schema), end);
  }

  @Override
  public Node between() {
    return forms.apply(form.spelling().between());
  }

  @Override
  public Node object(Node members) {
    return members;
  }
}
