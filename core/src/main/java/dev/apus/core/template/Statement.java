package dev.apus.core.template;

import java.util.List;

/** What is done. */
sealed interface Statement {

  record Text(String text) implements Statement {}

  record Output(Expression value) implements Statement {}

  /** {@code otherwise} is empty if there is none. */
  record If(Expression condition, List<Statement> then, List<Statement> otherwise)
      implements Statement {}

  /**
   * @param targets names that each item, or its parts, are given
   * @param condition which items are taken; null for all
   */
  record For(
      List<String> targets,
      Expression items,
      Expression condition,
      List<Statement> body,
      List<Statement> otherwise,
      int line)
      implements Statement {}

  record Break() implements Statement {}

  record Continue() implements Statement {}

  /** Gives names a value, or its parts if there are several. */
  record Assign(List<String> targets, Expression value, int line) implements Statement {}

  /** {@code set namespace.name = value} */
  record AssignMember(String namespace, String name, Expression value, int line)
      implements Statement {}

  /** Gives a name the text of a body, sent through filters. */
  record Capture(String target, List<Filtering> filters, List<Statement> body)
      implements Statement {}

  /** Writes the text of a body, sent through filters. */
  record Filtered(List<Filtering> filters, List<Statement> body) implements Statement {}

  /**
   * @param defaults one for each parameter; null where it has none
   */
  record MacroOf(
      String name, List<String> parameters, List<Expression> defaults, List<Statement> body)
      implements Statement {}

  /** Calls a macro, which may ask for the body by {@code caller()}. */
  record CallBlock(List<String> parameters, Expression.Call call, List<Statement> body)
      implements Statement {}

  /** A body with names of its own. */
  record With(List<String> names, List<Expression> values, List<Statement> body)
      implements Statement {}

  /** A filter that text is sent through. */
  record Filtering(String name, Expression.Given given, int line) {}
}
