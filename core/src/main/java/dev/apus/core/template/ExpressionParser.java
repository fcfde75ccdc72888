package dev.apus.core.template;

import dev.apus.core.template.Expression.Given;
import dev.apus.core.template.Token.Kind;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Reads expressions, loosest binding first. */
final class ExpressionParser {

  /** Deeper nesting is nobody's template, and would overflow the stack. */
  private static final int DEEPEST = 200;

  private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", ">", "<=", ">=");

  private final TokenCursor in;
  private int depth;

  ExpressionParser(TokenCursor in) {
    this.in = in;
  }

  /** An expression; several with commas between are a tuple. */
  Expression tuple() {
    int line = in.peek().line();
    Expression first = expression();
    if (!in.nextIs(Kind.OPERATOR, ",")) {
      return first;
    }
    List<Expression> items = new ArrayList<>(List.of(first));
    while (in.acceptOperator(",") && beginsExpression()) {
      items.add(expression());
    }
    return new Expression.TupleOf(items, line);
  }

  private boolean beginsExpression() {
    Token token = in.peek();
    return switch (token.kind()) {
      case NAME, STRING, INTEGER, FLOAT -> true;
      case OPERATOR -> Set.of("(", "[", "{", "-", "+").contains(token.text());
      default -> false;
    };
  }

  Expression expression() {
    deeper();
    try {
      int line = in.peek().line();
      Expression value = or();
      while (in.acceptWord("if")) {
        Expression condition = or();
        Expression otherwise = in.acceptWord("else") ? expression() : null;
        value = new Expression.Choice(condition, value, otherwise, line);
      }
      return value;
    } finally {
      depth--;
    }
  }

  /** An expression that ends before an {@code if}, as the items of a loop do. */
  Expression or() {
    Expression left = and();
    while (in.nextIs(Kind.NAME, "or")) {
      int line = in.next().line();
      left = new Expression.Or(left, and(), line);
    }
    return left;
  }

  private Expression and() {
    Expression left = not();
    while (in.nextIs(Kind.NAME, "and")) {
      int line = in.next().line();
      left = new Expression.And(left, not(), line);
    }
    return left;
  }

  private Expression not() {
    if (!in.nextIs(Kind.NAME, "not")) {
      return compare();
    }
    deeper();
    int line = in.next().line();
    Expression value = new Expression.Not(not(), line);
    depth--;
    return value;
  }

  private Expression compare() {
    int line = in.peek().line();
    Expression first = sum();
    List<String> operators = new ArrayList<>();
    List<Expression> others = new ArrayList<>();
    while (true) {
      if (in.peek().kind() == Kind.OPERATOR && COMPARISONS.contains(in.peek().text())) {
        operators.add(in.next().text());
      } else if (in.acceptWord("in")) {
        operators.add("in");
      } else if (in.nextIs(Kind.NAME, "not") && in.second().is(Kind.NAME, "in")) {
        in.next();
        in.next();
        operators.add("not in");
      } else {
        return operators.isEmpty() ? first : new Expression.Compare(first, operators, others, line);
      }
      others.add(sum());
    }
  }

  private Expression sum() {
    Expression left = concatenation();
    while (in.nextIs(Kind.OPERATOR, "+") || in.nextIs(Kind.OPERATOR, "-")) {
      Token operator = in.next();
      left = new Expression.Binary(operator.text(), left, concatenation(), operator.line());
    }
    return left;
  }

  private Expression concatenation() {
    Expression left = product();
    while (in.nextIs(Kind.OPERATOR, "~")) {
      int line = in.next().line();
      left = new Expression.Binary("~", left, product(), line);
    }
    return left;
  }

  private Expression product() {
    Expression left = power();
    while (in.peek().kind() == Kind.OPERATOR
        && Set.of("*", "/", "//", "%").contains(in.peek().text())) {
      Token operator = in.next();
      left = new Expression.Binary(operator.text(), left, power(), operator.line());
    }
    return left;
  }

  private Expression power() {
    Expression left = filtered(signed());
    while (in.nextIs(Kind.OPERATOR, "**")) {
      int line = in.next().line();
      left = new Expression.Binary("**", left, filtered(signed()), line);
    }
    return left;
  }

  private Expression signed() {
    Token sign = in.peek();
    if (!sign.is(Kind.OPERATOR, "-") && !sign.is(Kind.OPERATOR, "+")) {
      return postfix(primary());
    }
    in.next();
    deeper();
    Expression value = new Expression.Signed(sign.text().equals("-"), signed(), sign.line());
    depth--;
    return value;
  }

  private void deeper() {
    if (++depth > DEEPEST) {
      throw in.error("expressions are nested more than " + DEEPEST + " deep");
    }
  }

  private Expression primary() {
    Token token = in.next();
    int line = token.line();
    return switch (token.kind()) {
      case STRING -> strings(token);
      case INTEGER -> new Expression.Literal(integer(token), line);
      case FLOAT -> new Expression.Literal(Double.parseDouble(token.text()), line);
      case NAME ->
          switch (token.text()) {
            case "true", "True" -> new Expression.Literal(true, line);
            case "false", "False" -> new Expression.Literal(false, line);
            case "none", "None" -> new Expression.Literal(null, line);
            default -> new Expression.Name(token.text(), line);
          };
      case OPERATOR ->
          switch (token.text()) {
            case "(" -> parenthesis(line);
            case "[" -> new Expression.ListOf(list("]"), line);
            case "{" -> dict(line);
            default -> throw unexpected(token);
          };
      default -> throw unexpected(token);
    };
  }

  private TemplateException unexpected(Token token) {
    return in.errorAt(token, "found " + token.shown() + "; needed: a value");
  }

  private long integer(Token token) {
    try {
      return Long.parseLong(token.text());
    } catch (NumberFormatException e) {
      throw in.errorAt(token, token.text() + " is beyond 2^63");
    }
  }

  /** Strings in a row are one. */
  private Expression strings(Token first) {
    StringBuilder text = new StringBuilder(first.text());
    while (in.peek().kind() == Kind.STRING) {
      text.append(in.next().text());
    }
    return new Expression.Literal(text.toString(), first.line());
  }

  private Expression parenthesis(int line) {
    if (in.acceptOperator(")")) {
      return new Expression.TupleOf(List.of(), line);
    }
    Expression inner = tuple();
    in.expect(Kind.OPERATOR, ")");
    return inner;
  }

  private List<Expression> list(String end) {
    List<Expression> items = new ArrayList<>();
    while (!in.acceptOperator(end)) {
      items.add(expression());
      if (!in.nextIs(Kind.OPERATOR, end)) {
        in.expect(Kind.OPERATOR, ",");
      }
    }
    return items;
  }

  private Expression dict(int line) {
    List<Expression> keys = new ArrayList<>();
    List<Expression> values = new ArrayList<>();
    while (!in.acceptOperator("}")) {
      keys.add(expression());
      in.expect(Kind.OPERATOR, ":");
      values.add(expression());
      if (!in.nextIs(Kind.OPERATOR, "}")) {
        in.expect(Kind.OPERATOR, ",");
      }
    }
    return new Expression.DictOf(keys, values, line);
  }

  private Expression postfix(Expression value) {
    Expression of = value;
    while (true) {
      int line = in.peek().line();
      if (in.acceptOperator(".")) {
        of =
            in.peek().kind() == Kind.INTEGER
                ? new Expression.Item(of, new Expression.Literal(integer(in.next()), line), line)
                : new Expression.Attribute(of, in.expectName(), line);
      } else if (in.acceptOperator("[")) {
        of = subscript(of, line);
      } else if (in.acceptOperator("(")) {
        of = new Expression.Call(of, given(), line);
      } else {
        return of;
      }
    }
  }

  private Expression subscript(Expression of, int line) {
    Expression from = in.nextIs(Kind.OPERATOR, ":") ? null : tuple();
    if (!in.nextIs(Kind.OPERATOR, ":")) {
      in.expect(Kind.OPERATOR, "]");
      return new Expression.Item(of, from, line);
    }
    in.next();
    Expression to = endsSlice() ? null : expression();
    Expression step = null;
    if (in.acceptOperator(":") && !endsSlice()) {
      step = expression();
    }
    in.expect(Kind.OPERATOR, "]");
    return new Expression.Slice(of, from, to, step, line);
  }

  private boolean endsSlice() {
    return in.nextIs(Kind.OPERATOR, ":") || in.nextIs(Kind.OPERATOR, "]");
  }

  /** What is given to a function whose opening bracket has been taken. */
  private Given given() {
    List<Expression> inOrder = new ArrayList<>();
    Map<String, Expression> named = new LinkedHashMap<>();
    while (!in.acceptOperator(")")) {
      if (in.peek().kind() == Kind.NAME && in.second().is(Kind.OPERATOR, "=")) {
        String key = in.next().text();
        in.next();
        if (named.put(key, expression()) != null) {
          throw in.error("\"" + key + "\" is given twice");
        }
      } else if (!named.isEmpty()) {
        throw in.error("found " + in.peek().shown() + "; needed: a name, because one came before");
      } else {
        inOrder.add(expression());
      }
      if (!in.nextIs(Kind.OPERATOR, ")")) {
        in.expect(Kind.OPERATOR, ",");
      }
    }
    return new Given(inOrder, named);
  }

  /** Filters and tests, which bind as tightly as calls do. */
  private Expression filtered(Expression value) {
    Expression of = value;
    while (true) {
      int line = in.peek().line();
      if (in.nextIs(Kind.OPERATOR, "|")) {
        Statement.Filtering filter = filter();
        of = postfix(new Expression.Filter(of, filter.name(), filter.given(), line));
      } else if (in.acceptWord("is")) {
        of = test(of, line);
      } else {
        return of;
      }
    }
  }

  /** A filter with its bar. */
  Statement.Filtering filter() {
    in.expect(Kind.OPERATOR, "|");
    return namedFilter();
  }

  Statement.Filtering namedFilter() {
    int line = in.peek().line();
    String filter = in.expectName();
    return new Statement.Filtering(filter, in.acceptOperator("(") ? given() : Given.NOTHING, line);
  }

  private Expression test(Expression value, int line) {
    boolean not = in.acceptWord("not");
    String test = in.expectName();
    Given given = Given.NOTHING;
    if (in.acceptOperator("(")) {
      given = given();
    } else if (beginsOperand()) {
      given = new Given(List.of(postfix(primary())), Map.of());
    }
    Expression result = new Expression.Test(value, test, given, line);
    return not ? new Expression.Not(result, line) : result;
  }

  /** Whether a test without brackets is followed by what it is about. */
  private boolean beginsOperand() {
    Token token = in.peek();
    return switch (token.kind()) {
      case STRING, INTEGER, FLOAT -> true;
      case NAME -> !Set.of("else", "or", "and", "is", "if", "not", "in").contains(token.text());
      case OPERATOR -> token.text().equals("[") || token.text().equals("{");
      default -> false;
    };
  }
}
