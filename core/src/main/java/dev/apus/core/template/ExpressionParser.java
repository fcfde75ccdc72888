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

  private final String name;
  private final List<Token> tokens;
  private int at;
  private int depth;

  ExpressionParser(String name, List<Token> tokens) {
    this.name = name;
    this.tokens = tokens;
  }

  Token peek() {
    return tokens.get(at);
  }

  Token next() {
    Token token = tokens.get(at);
    at = Math.min(at + 1, tokens.size() - 1);
    return token;
  }

  boolean nextIs(Kind kind, String text) {
    return peek().is(kind, text);
  }

  /** Takes a token if it is this one. */
  boolean accept(Kind kind, String text) {
    boolean is = nextIs(kind, text);
    if (is) {
      next();
    }
    return is;
  }

  boolean acceptWord(String word) {
    return accept(Kind.NAME, word);
  }

  boolean acceptOperator(String operator) {
    return accept(Kind.OPERATOR, operator);
  }

  void expect(Kind kind, String text) {
    if (!accept(kind, text)) {
      throw error("found " + peek().shown() + "; needed: \"" + text + "\"");
    }
  }

  String expectName() {
    if (peek().kind() != Kind.NAME) {
      throw error("found " + peek().shown() + "; needed: a name");
    }
    return next().text();
  }

  TemplateException error(String what) {
    return new TemplateException(name + ":" + peek().line() + ": " + what);
  }

  /** An expression; several with commas between are a tuple. */
  Expression tuple() {
    int line = peek().line();
    Expression first = expression();
    if (!nextIs(Kind.OPERATOR, ",")) {
      return first;
    }
    List<Expression> items = new ArrayList<>(List.of(first));
    while (acceptOperator(",") && beginsExpression()) {
      items.add(expression());
    }
    return new Expression.TupleOf(items, line);
  }

  private boolean beginsExpression() {
    Token token = peek();
    return switch (token.kind()) {
      case NAME, STRING, INTEGER, FLOAT -> true;
      case OPERATOR -> Set.of("(", "[", "{", "-", "+").contains(token.text());
      default -> false;
    };
  }

  Expression expression() {
    deeper();
    try {
      int line = peek().line();
      Expression value = or();
      while (acceptWord("if")) {
        Expression condition = or();
        Expression otherwise = acceptWord("else") ? expression() : null;
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
    while (nextIs(Kind.NAME, "or")) {
      int line = next().line();
      left = new Expression.Or(left, and(), line);
    }
    return left;
  }

  private Expression and() {
    Expression left = not();
    while (nextIs(Kind.NAME, "and")) {
      int line = next().line();
      left = new Expression.And(left, not(), line);
    }
    return left;
  }

  private Expression not() {
    if (!nextIs(Kind.NAME, "not")) {
      return compare();
    }
    deeper();
    int line = next().line();
    Expression value = new Expression.Not(not(), line);
    depth--;
    return value;
  }

  private Expression compare() {
    int line = peek().line();
    Expression first = sum();
    List<String> operators = new ArrayList<>();
    List<Expression> others = new ArrayList<>();
    while (true) {
      if (peek().kind() == Kind.OPERATOR && COMPARISONS.contains(peek().text())) {
        operators.add(next().text());
      } else if (acceptWord("in")) {
        operators.add("in");
      } else if (nextIs(Kind.NAME, "not") && tokens.get(at + 1).is(Kind.NAME, "in")) {
        at += 2;
        operators.add("not in");
      } else {
        return operators.isEmpty() ? first : new Expression.Compare(first, operators, others, line);
      }
      others.add(sum());
    }
  }

  private Expression sum() {
    Expression left = concatenation();
    while (nextIs(Kind.OPERATOR, "+") || nextIs(Kind.OPERATOR, "-")) {
      Token operator = next();
      left = new Expression.Binary(operator.text(), left, concatenation(), operator.line());
    }
    return left;
  }

  private Expression concatenation() {
    Expression left = product();
    while (nextIs(Kind.OPERATOR, "~")) {
      int line = next().line();
      left = new Expression.Binary("~", left, product(), line);
    }
    return left;
  }

  private Expression product() {
    Expression left = power();
    while (peek().kind() == Kind.OPERATOR && Set.of("*", "/", "//", "%").contains(peek().text())) {
      Token operator = next();
      left = new Expression.Binary(operator.text(), left, power(), operator.line());
    }
    return left;
  }

  private Expression power() {
    Expression left = filtered(signed());
    while (nextIs(Kind.OPERATOR, "**")) {
      int line = next().line();
      left = new Expression.Binary("**", left, filtered(signed()), line);
    }
    return left;
  }

  private Expression signed() {
    Token sign = peek();
    if (!sign.is(Kind.OPERATOR, "-") && !sign.is(Kind.OPERATOR, "+")) {
      return postfix(primary());
    }
    next();
    deeper();
    Expression value = new Expression.Signed(sign.text().equals("-"), signed(), sign.line());
    depth--;
    return value;
  }

  private void deeper() {
    if (++depth > DEEPEST) {
      throw error("expressions are nested more than " + DEEPEST + " deep");
    }
  }

  private Expression primary() {
    Token token = next();
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
    return new TemplateException(
        name + ":" + token.line() + ": found " + token.shown() + "; needed: a value");
  }

  private long integer(Token token) {
    try {
      return Long.parseLong(token.text());
    } catch (NumberFormatException e) {
      throw new TemplateException(
          name + ":" + token.line() + ": " + token.text() + " is beyond 2^63", e);
    }
  }

  /** Strings in a row are one. */
  private Expression strings(Token first) {
    StringBuilder text = new StringBuilder(first.text());
    while (peek().kind() == Kind.STRING) {
      text.append(next().text());
    }
    return new Expression.Literal(text.toString(), first.line());
  }

  private Expression parenthesis(int line) {
    if (acceptOperator(")")) {
      return new Expression.TupleOf(List.of(), line);
    }
    Expression inner = tuple();
    expect(Kind.OPERATOR, ")");
    return inner;
  }

  private List<Expression> list(String end) {
    List<Expression> items = new ArrayList<>();
    while (!acceptOperator(end)) {
      items.add(expression());
      if (!nextIs(Kind.OPERATOR, end)) {
        expect(Kind.OPERATOR, ",");
      }
    }
    return items;
  }

  private Expression dict(int line) {
    List<Expression> keys = new ArrayList<>();
    List<Expression> values = new ArrayList<>();
    while (!acceptOperator("}")) {
      keys.add(expression());
      expect(Kind.OPERATOR, ":");
      values.add(expression());
      if (!nextIs(Kind.OPERATOR, "}")) {
        expect(Kind.OPERATOR, ",");
      }
    }
    return new Expression.DictOf(keys, values, line);
  }

  private Expression postfix(Expression value) {
    Expression of = value;
    while (true) {
      int line = peek().line();
      if (acceptOperator(".")) {
        of =
            peek().kind() == Kind.INTEGER
                ? new Expression.Item(of, new Expression.Literal(integer(next()), line), line)
                : new Expression.Attribute(of, expectName(), line);
      } else if (acceptOperator("[")) {
        of = subscript(of, line);
      } else if (acceptOperator("(")) {
        of = new Expression.Call(of, given(), line);
      } else {
        return of;
      }
    }
  }

  private Expression subscript(Expression of, int line) {
    Expression from = nextIs(Kind.OPERATOR, ":") ? null : tuple();
    if (!nextIs(Kind.OPERATOR, ":")) {
      expect(Kind.OPERATOR, "]");
      return new Expression.Item(of, from, line);
    }
    next();
    Expression to = endsSlice() ? null : expression();
    Expression step = null;
    if (acceptOperator(":") && !endsSlice()) {
      step = expression();
    }
    expect(Kind.OPERATOR, "]");
    return new Expression.Slice(of, from, to, step, line);
  }

  private boolean endsSlice() {
    return nextIs(Kind.OPERATOR, ":") || nextIs(Kind.OPERATOR, "]");
  }

  /** What is given to a function whose opening bracket has been taken. */
  private Given given() {
    List<Expression> inOrder = new ArrayList<>();
    Map<String, Expression> named = new LinkedHashMap<>();
    while (!acceptOperator(")")) {
      if (peek().kind() == Kind.NAME && tokens.get(at + 1).is(Kind.OPERATOR, "=")) {
        String key = next().text();
        next();
        if (named.put(key, expression()) != null) {
          throw error("\"" + key + "\" is given twice");
        }
      } else if (!named.isEmpty()) {
        throw error("found " + peek().shown() + "; needed: a name, because one came before");
      } else {
        inOrder.add(expression());
      }
      if (!nextIs(Kind.OPERATOR, ")")) {
        expect(Kind.OPERATOR, ",");
      }
    }
    return new Given(inOrder, named);
  }

  /** Filters and tests, which bind as tightly as calls do. */
  private Expression filtered(Expression value) {
    Expression of = value;
    while (true) {
      int line = peek().line();
      if (nextIs(Kind.OPERATOR, "|")) {
        Statement.Filtering filter = filter();
        of = postfix(new Expression.Filter(of, filter.name(), filter.given(), line));
      } else if (acceptWord("is")) {
        of = test(of, line);
      } else {
        return of;
      }
    }
  }

  /** A filter with its bar. */
  Statement.Filtering filter() {
    expect(Kind.OPERATOR, "|");
    return namedFilter();
  }

  Statement.Filtering namedFilter() {
    int line = peek().line();
    String filter = expectName();
    return new Statement.Filtering(filter, acceptOperator("(") ? given() : Given.NOTHING, line);
  }

  private Expression test(Expression value, int line) {
    boolean not = acceptWord("not");
    String test = expectName();
    Given given = Given.NOTHING;
    if (acceptOperator("(")) {
      given = given();
    } else if (beginsOperand()) {
      given = new Given(List.of(postfix(primary())), Map.of());
    }
    Expression result = new Expression.Test(value, test, given, line);
    return not ? new Expression.Not(result, line) : result;
  }

  /** Whether a test without brackets is followed by what it is about. */
  private boolean beginsOperand() {
    Token token = peek();
    return switch (token.kind()) {
      case STRING, INTEGER, FLOAT -> true;
      case NAME -> !Set.of("else", "or", "and", "is", "if", "not", "in").contains(token.text());
      case OPERATOR -> token.text().equals("[") || token.text().equals("{");
      default -> false;
    };
  }
}
