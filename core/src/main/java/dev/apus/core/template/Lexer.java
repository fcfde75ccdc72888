package dev.apus.core.template;

import dev.apus.core.template.Token.Kind;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * Cuts a template into tokens. Spaces before a block that begins its line, and the line's end after
 * a block, do not count as text; a minus at a tag takes all white space on its side, a plus keeps
 * it.
 */
final class Lexer {

  private static final String[] OPERATORS = {
    "**", "//", "==", "!=", "<=", ">=", "+", "-", "*", "/", "%", "~", "<", ">", "=", "(", ")", "[",
    "]", "{", "}", ",", ":", ".", "|"
  };

  private final String name;
  private final String source;
  private final List<Token> tokens = new ArrayList<>();
  private int at;
  private int line = 1;

  /** Whether the white space that follows is to be left out, and whether one line's end is. */
  private boolean trimmed;

  private boolean lineEnded;

  Lexer(String name, String source) {
    this.name = name;
    String text = source.replace("\r\n", "\n").replace('\r', '\n');
    this.source = text.endsWith("\n") ? text.substring(0, text.length() - 1) : text;
  }

  List<Token> tokens() {
    while (at < source.length()) {
      int tag = nextTag();
      text(tag);
      if (tag < source.length()) {
        tag();
      }
    }
    tokens.add(new Token(Kind.END, "", line));
    return tokens;
  }

  private int nextTag() {
    for (int i = at; i + 1 < source.length(); i++) {
      if (source.charAt(i) == '{' && "{%#".indexOf(source.charAt(i + 1)) >= 0) {
        return i;
      }
    }
    return source.length();
  }

  /** Takes the text up to a tag, or to the end. */
  private void text(int end) {
    int from = at;
    int to = end;
    if (trimmed) {
      while (from < to && Character.isWhitespace(source.charAt(from))) {
        from++;
      }
    } else if (lineEnded && from < to && source.charAt(from) == '\n') {
      from++;
    }
    if (end < source.length()) {
      char sign = end + 2 < source.length() ? source.charAt(end + 2) : ' ';
      if (sign == '-') {
        while (to > from && Character.isWhitespace(source.charAt(to - 1))) {
          to--;
        }
      } else if (sign != '+' && source.charAt(end + 1) != '{') {
        to = withoutIndent(from, to);
      }
    }
    if (from < to) {
      tokens.add(new Token(Kind.TEXT, source.substring(from, to), line));
    }
    count(at, end);
    at = end;
    trimmed = false;
    lineEnded = false;
  }

  /** Where the text ends if what follows it begins its line; {@code to} if it does not. */
  private int withoutIndent(int from, int to) {
    int i = to;
    while (i > from && (source.charAt(i - 1) == ' ' || source.charAt(i - 1) == '\t')) {
      i--;
    }
    boolean begins = i == 0 || source.charAt(i - 1) == '\n';
    return begins ? i : to;
  }

  private void count(int from, int to) {
    for (int i = from; i < to; i++) {
      if (source.charAt(i) == '\n') {
        line++;
      }
    }
  }

  private void tag() {
    char kind = source.charAt(at + 1);
    int first = line;
    at += 2;
    if (at < source.length() && (source.charAt(at) == '-' || source.charAt(at) == '+')) {
      at++;
    }
    switch (kind) {
      case '#' -> comment(first);
      case '{' -> {
        tokens.add(new Token(Kind.BEGIN_OUTPUT, "{{", first));
        inside(Kind.END_OUTPUT, "}}", first);
      }
      default -> {
        tokens.add(new Token(Kind.BEGIN_BLOCK, "{%", first));
        inside(Kind.END_BLOCK, "%}", first);
        if (isRaw()) {
          raw(first);
        }
      }
    }
  }

  private void comment(int first) {
    int end = source.indexOf("#}", at);
    if (end < 0) {
      throw error(first, "a comment has no end; needed: #}");
    }
    count(at, end);
    trimmed = end > at && source.charAt(end - 1) == '-';
    lineEnded = !(end > at && source.charAt(end - 1) == '+');
    at = end + 2;
  }

  /** Takes the tokens of a tag up to its end, which inner brackets may hide. */
  private void inside(Kind end, String closing, int first) {
    Deque<Character> open = new ArrayDeque<>();
    while (at < source.length()) {
      char c = source.charAt(at);
      boolean signed = (c == '-' || c == '+') && source.startsWith(closing, at + 1);
      if (open.isEmpty() && (signed || source.startsWith(closing, at))) {
        tokens.add(new Token(end, closing, line));
        at += signed ? 3 : 2;
        trimmed = signed && c == '-';
        lineEnded = end == Kind.END_BLOCK && !(signed && c == '+');
        return;
      }
      if (Character.isWhitespace(c)) {
        count(at, ++at);
      } else {
        token(c, open);
      }
    }
    throw error(first, "a tag has no end; needed: " + closing);
  }

  private void token(char c, Deque<Character> open) {
    if (c == '"' || c == '\'') {
      string(c);
    } else if (c >= '0' && c <= '9') {
      number();
    } else if (Character.isJavaIdentifierStart(c) && c != '$') {
      int from = at;
      while (at < source.length()
          && Character.isJavaIdentifierPart(source.charAt(at))
          && source.charAt(at) != '$') {
        at++;
      }
      tokens.add(new Token(Kind.NAME, source.substring(from, at), line));
    } else {
      operator(c, open);
    }
  }

  private void operator(char c, Deque<Character> open) {
    for (String operator : OPERATORS) {
      if (source.startsWith(operator, at)) {
        if ("([{".contains(operator)) {
          open.push(c);
        } else if (")]}".contains(operator)) {
          open.poll();
        }
        tokens.add(new Token(Kind.OPERATOR, operator, line));
        at += operator.length();
        return;
      }
    }
    throw error(line, "the character '" + c + "' has no meaning here");
  }

  private void number() {
    int from = at;
    digits();
    boolean real = false;
    if (at + 1 < source.length() && source.charAt(at) == '.' && isDigit(at + 1)) {
      real = true;
      at++;
      digits();
    }
    if (at < source.length() && (source.charAt(at) == 'e' || source.charAt(at) == 'E')) {
      int exponent = at + 1;
      if (exponent < source.length() && "+-".indexOf(source.charAt(exponent)) >= 0) {
        exponent++;
      }
      if (isDigit(exponent)) {
        real = true;
        at = exponent;
        digits();
      }
    }
    String text = source.substring(from, at).replace("_", "");
    tokens.add(new Token(real ? Kind.FLOAT : Kind.INTEGER, text, line));
  }

  private boolean isDigit(int i) {
    return i < source.length() && source.charAt(i) >= '0' && source.charAt(i) <= '9';
  }

  private void digits() {
    while (isDigit(at) || (at < source.length() && source.charAt(at) == '_' && isDigit(at + 1))) {
      at++;
    }
  }

  private void string(char quote) {
    int first = line;
    StringBuilder text = new StringBuilder();
    for (at++; at < source.length(); at++) {
      char c = source.charAt(at);
      if (c == quote) {
        at++;
        tokens.add(new Token(Kind.STRING, text.toString(), first));
        return;
      }
      if (c == '\n') {
        line++;
      }
      if (c == '\\' && at + 1 < source.length()) {
        at++;
        escape(text, first);
      } else {
        text.append(c);
      }
    }
    throw error(first, "a string has no end; needed: " + quote);
  }

  /** Takes what follows a backslash, as Python reads it. */
  private void escape(StringBuilder text, int first) {
    char c = source.charAt(at);
    switch (c) {
      case 'n' -> text.append('\n');
      case 't' -> text.append('\t');
      case 'r' -> text.append('\r');
      case 'b' -> text.append('\b');
      case 'f' -> text.append('\f');
      case 'a' -> text.append('\u0007');
      case 'v' -> text.append('\u000b');
      case '0' -> text.append('\0');
      case '\\', '\'', '"' -> text.append(c);
      case '\n' -> line++;
      case 'x' -> codePoint(text, 2, first);
      case 'u' -> codePoint(text, 4, first);
      case 'U' -> codePoint(text, 8, first);
      default -> text.append('\\').append(c);
    }
  }

  private void codePoint(StringBuilder text, int digits, int first) {
    int end = at + 1 + digits;
    try {
      text.appendCodePoint(Integer.parseInt(source.substring(at + 1, end), 16));
    } catch (IndexOutOfBoundsException | IllegalArgumentException e) {
      throw error(first, "\\" + source.charAt(at) + " needs " + digits + " hexadecimal digits");
    }
    at = end - 1;
  }

  private boolean isRaw() {
    int count = tokens.size();
    return count >= 3
        && tokens.get(count - 2).is(Kind.NAME, "raw")
        && tokens.get(count - 3).kind() == Kind.BEGIN_BLOCK;
  }

  /** Takes text up to the end of a raw block, which is not looked into. */
  private void raw(int first) {
    tokens.subList(tokens.size() - 3, tokens.size()).clear();
    for (int i = source.indexOf("{%", at); i >= 0; i = source.indexOf("{%", i + 2)) {
      int word = i + 2;
      if (word < source.length() && "+-".indexOf(source.charAt(word)) >= 0) {
        word++;
      }
      while (word < source.length() && Character.isWhitespace(source.charAt(word))) {
        word++;
      }
      if (source.startsWith("endraw", word)) {
        text(i);
        tag();
        tokens.subList(tokens.size() - 3, tokens.size()).clear();
        return;
      }
    }
    throw error(first, "raw has no end; needed: endraw");
  }

  private TemplateException error(int where, String what) {
    return new TemplateException(name + ":" + where + ": " + what);
  }
}
