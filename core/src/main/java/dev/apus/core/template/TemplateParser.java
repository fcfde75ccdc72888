package dev.apus.core.template;

import dev.apus.core.template.Token.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Reads the statements of a template. */
final class TemplateParser {

  /** Deeper nesting is nobody's template, and would overflow the stack. */
  private static final int DEEPEST = 100;

  private final TokenCursor in;
  private final ExpressionParser expressions;
  private int depth;
  private int loops;

  private TemplateParser(TokenCursor in) {
    this.in = in;
    this.expressions = new ExpressionParser(in);
  }

  static List<Statement> parse(String name, String source) {
    var parser = new TemplateParser(new TokenCursor(name, new Lexer(name, source).tokens()));
    List<Statement> all = parser.statements(Set.of());
    if (parser.in.peek().kind() != Kind.END) {
      throw parser.in.error("found " + parser.in.peek().shown() + ", which nothing began");
    }
    return all;
  }

  /** Statements up to a block that begins with one of these words, whose word comes next. */
  private List<Statement> statements(Set<String> ends) {
    if (++depth > DEEPEST) {
      throw in.error("blocks are nested more than " + DEEPEST + " deep");
    }
    List<Statement> all = new ArrayList<>();
    while (true) {
      Token token = in.peek();
      switch (token.kind()) {
        case TEXT -> all.add(new Statement.Text(in.next().text()));
        case BEGIN_OUTPUT -> {
          in.next();
          all.add(new Statement.Output(expressions.tuple()));
          in.expect(Kind.END_OUTPUT, "}}");
        }
        case BEGIN_BLOCK -> {
          in.next();
          if (ends.contains(in.peek().text())) {
            depth--;
            return all;
          }
          all.add(block());
        }
        default -> {
          if (!ends.isEmpty()) {
            throw in.error("found the end; needed: one of " + String.join(", ", sorted(ends)));
          }
          depth--;
          return all;
        }
      }
    }
  }

  private static List<String> sorted(Set<String> words) {
    return words.stream().sorted().toList();
  }

  /** The statements of a body, and the block that ends it. */
  private List<Statement> body(String end) {
    endBlock();
    List<Statement> body = statements(Set.of(end));
    in.next();
    endBlock();
    return body;
  }

  private void endBlock() {
    in.expect(Kind.END_BLOCK, "%}");
  }

  private Statement block() {
    int line = in.peek().line();
    String word = in.expectName();
    return switch (word) {
      case "if" -> conditional();
      case "for" -> loop(line);
      case "set" -> assignment(line);
      case "macro" -> macro();
      case "call" -> callBlock();
      case "filter" -> filterBlock();
      case "with" -> with();
      case "generation" -> new Statement.With(List.of(), List.of(), body("endgeneration"));
      case "break" -> leave(new Statement.Break());
      case "continue" -> leave(new Statement.Continue());
      default ->
          throw in.error(
              "\""
                  + word
                  + "\" is not supported; supported: if, for, set, macro, call, filter, with,"
                  + " generation, break, continue, raw");
    };
  }

  private Statement leave(Statement statement) {
    if (loops == 0) {
      throw in.error("there is no loop to leave here");
    }
    endBlock();
    return statement;
  }

  private Statement conditional() {
    Expression condition = expressions.tuple();
    endBlock();
    List<Statement> then = statements(Set.of("elif", "else", "endif"));
    String word = in.next().text();
    if (word.equals("elif")) {
      return new Statement.If(condition, then, List.of(conditional()));
    }
    List<Statement> otherwise = word.equals("else") ? body("endif") : List.of();
    if (word.equals("endif")) {
      endBlock();
    }
    return new Statement.If(condition, then, otherwise);
  }

  private Statement loop(int line) {
    List<String> targets = targets();
    in.expect(Kind.NAME, "in");
    Expression items = items();
    Expression condition = in.acceptWord("if") ? expressions.expression() : null;
    if (in.nextIs(Kind.NAME, "recursive")) {
      throw in.error("recursive loops are not supported");
    }
    endBlock();
    loops++;
    List<Statement> body = statements(Set.of("else", "endfor"));
    loops--;
    List<Statement> otherwise = List.of();
    if (in.next().text().equals("else")) {
      otherwise = body("endfor");
    } else {
      endBlock();
    }
    return new Statement.For(targets, items, condition, body, otherwise, line);
  }

  private Expression items() {
    Expression first = expressions.or();
    if (!in.nextIs(Kind.OPERATOR, ",")) {
      return first;
    }
    List<Expression> all = new ArrayList<>(List.of(first));
    while (in.acceptOperator(",")) {
      all.add(expressions.or());
    }
    return new Expression.TupleOf(all, first.line());
  }

  private List<String> targets() {
    List<String> targets = new ArrayList<>();
    boolean bracketed = in.acceptOperator("(");
    do {
      targets.add(in.expectName());
    } while (in.acceptOperator(","));
    if (bracketed) {
      in.expect(Kind.OPERATOR, ")");
    }
    return targets;
  }

  private Statement assignment(int line) {
    List<String> targets = targets();
    if (targets.size() == 1 && in.acceptOperator(".")) {
      String member = in.expectName();
      in.expect(Kind.OPERATOR, "=");
      Expression value = expressions.tuple();
      endBlock();
      return new Statement.AssignMember(targets.getFirst(), member, value, line);
    }
    if (in.acceptOperator("=")) {
      Expression value = expressions.tuple();
      endBlock();
      return new Statement.Assign(targets, value, line);
    }
    if (targets.size() > 1) {
      throw in.error("found " + in.peek().shown() + "; needed: \"=\"");
    }
    List<Statement.Filtering> filters = new ArrayList<>();
    while (in.nextIs(Kind.OPERATOR, "|")) {
      filters.add(expressions.filter());
    }
    return new Statement.Capture(targets.getFirst(), filters, body("endset"));
  }

  private Statement macro() {
    String name = in.expectName();
    List<String> parameters = new ArrayList<>();
    List<Expression> defaults = new ArrayList<>();
    in.expect(Kind.OPERATOR, "(");
    while (!in.acceptOperator(")")) {
      parameters.add(in.expectName());
      defaults.add(in.acceptOperator("=") ? expressions.expression() : null);
      if (!in.nextIs(Kind.OPERATOR, ")")) {
        in.expect(Kind.OPERATOR, ",");
      }
    }
    return new Statement.MacroOf(name, parameters, defaults, withoutLoop("endmacro"));
  }

  /** A body that runs elsewhere, so that it cannot leave the loops around it. */
  private List<Statement> withoutLoop(String end) {
    int around = loops;
    loops = 0;
    List<Statement> body = body(end);
    loops = around;
    return body;
  }

  private Statement callBlock() {
    List<String> parameters = new ArrayList<>();
    if (in.acceptOperator("(")) {
      while (!in.acceptOperator(")")) {
        parameters.add(in.expectName());
        if (!in.nextIs(Kind.OPERATOR, ")")) {
          in.expect(Kind.OPERATOR, ",");
        }
      }
    }
    if (!(expressions.expression() instanceof Expression.Call call)) {
      throw in.error("needed: a call of a macro");
    }
    return new Statement.CallBlock(parameters, call, withoutLoop("endcall"));
  }

  private Statement filterBlock() {
    List<Statement.Filtering> filters = new ArrayList<>(List.of(expressions.namedFilter()));
    while (in.nextIs(Kind.OPERATOR, "|")) {
      filters.add(expressions.filter());
    }
    return new Statement.Filtered(filters, body("endfilter"));
  }

  private Statement with() {
    List<String> names = new ArrayList<>();
    List<Expression> values = new ArrayList<>();
    while (!in.nextIs(Kind.END_BLOCK, "%}")) {
      names.add(in.expectName());
      in.expect(Kind.OPERATOR, "=");
      values.add(expressions.expression());
      if (!in.nextIs(Kind.END_BLOCK, "%}")) {
        in.expect(Kind.OPERATOR, ",");
      }
    }
    return new Statement.With(names, values, body("endwith"));
  }
}
