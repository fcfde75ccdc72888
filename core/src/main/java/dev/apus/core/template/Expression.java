package dev.apus.core.template;

import java.util.List;
import java.util.Map;

/** What has a value. */
sealed interface Expression {

  int line();

  /** A value that is written out. */
  record Literal(Object value, int line) implements Expression {}

  record ListOf(List<Expression> items, int line) implements Expression {}

  record TupleOf(List<Expression> items, int line) implements Expression {}

  record DictOf(List<Expression> keys, List<Expression> values, int line) implements Expression {}

  record Name(String name, int line) implements Expression {}

  /** {@code of.name} */
  record Attribute(Expression of, String name, int line) implements Expression {}

  /** {@code of[key]} */
  record Item(Expression of, Expression key, int line) implements Expression {}

  /** {@code of[from:to:step]}; parts that are absent are null. */
  record Slice(Expression of, Expression from, Expression to, Expression step, int line)
      implements Expression {}

  record Call(Expression callee, Given given, int line) implements Expression {}

  record Filter(Expression value, String name, Given given, int line) implements Expression {}

  /** {@code value is name(…)} */
  record Test(Expression value, String name, Given given, int line) implements Expression {}

  /** A minus or a plus. */
  record Signed(boolean minus, Expression value, int line) implements Expression {}

  record Not(Expression value, int line) implements Expression {}

  record And(Expression left, Expression right, int line) implements Expression {}

  record Or(Expression left, Expression right, int line) implements Expression {}

  record Binary(String operator, Expression left, Expression right, int line)
      implements Expression {}

  /** {@code first < second <= third}: all of them must hold. */
  record Compare(Expression first, List<String> operators, List<Expression> others, int line)
      implements Expression {}

  /** {@code then if condition else otherwise}; without an else, nothing. */
  record Choice(Expression condition, Expression then, Expression otherwise, int line)
      implements Expression {}

  /** What a call gives to a function. */
  record Given(List<Expression> inOrder, Map<String, Expression> named) {

    static final Given NOTHING = new Given(List.of(), Map.of());
  }
}
