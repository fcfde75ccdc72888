package dev.apus.core.template;

import dev.apus.core.template.Token.Kind;
import java.util.List;

/** A place among tokens, and what is asked of those that come next. */
final class TokenCursor {

  private final String name;
  private final List<Token> tokens;
  private int at;

  /**
   * @param name what errors call the template
   */
  TokenCursor(String name, List<Token> tokens) {
    this.name = name;
    this.tokens = tokens;
  }

  Token peek() {
    return tokens.get(at);
  }

  /** The token after the next one. */
  Token second() {
    return tokens.get(Math.min(at + 1, tokens.size() - 1));
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
    return errorAt(peek(), what);
  }

  TemplateException errorAt(Token token, String what) {
    return new TemplateException(name + ":" + token.line() + ": " + what);
  }
}
