package dev.apus.core.template;

import java.time.Clock;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * A text with places to fill in, in the Jinja language. Immutable; any number of threads may render
 * it.
 *
 * <p>A template comes from whoever made the model: it reaches nothing but the values that it is
 * given, and ends with an error where it takes more steps, depth or text than any conversation
 * needs.
 */
public final class Template {

  /** Longer lists of numbers are refused, as by jinja2's sandbox. */
  private static final int LONGEST_RANGE = 100_000;

  private final String name;
  private final List<Statement> statements;
  private final Clock clock;

  private Template(String name, List<Statement> statements, Clock clock) {
    this.name = name;
    this.statements = statements;
    this.clock = clock;
  }

  /**
   * Reads a template.
   *
   * @param name what errors call it, such as its file
   * @throws TemplateException if it breaks the rules of the language, or uses what is not supported
   */
  public static Template of(String name, String source) {
    return new Template(name, TemplateParser.parse(name, source), Clock.systemDefaultZone());
  }

  /** The same template, with another idea of the time. */
  public Template at(Clock other) {
    return new Template(name, statements, other);
  }

  /**
   * The text with values filled in: null, booleans, numbers, strings, lists, and maps with strings
   * as keys.
   *
   * @throws TemplateException if the template says that it cannot, or fails
   */
  public String render(Map<String, ?> values) {
    Scope globals = new Scope(null);
    globals.set("raise_exception", (Callable) Template::refuse);
    globals.set("namespace", (Callable) given -> new Namespace(members(given)));
    globals.set("dict", (Callable) Template::members);
    globals.set("range", (Callable) Template::range);
    globals.set("strftime_now", (Callable) given -> time(Values.text(given.single())));
    Scope scope = new Scope(globals);
    values.forEach((key, value) -> scope.set(key, FromJson.inner(value)));
    try {
      return new Renderer(name, new Budget()).text(statements, scope);
    } catch (TemplateException e) {
      throw e.getMessage().startsWith(name + ":")
          ? e
          : new TemplateException(name + ": " + e.getMessage(), e);
    } catch (StackOverflowError e) {
      throw new TemplateException(name + ": it is nested too deep", e);
    }
  }

  private static Object refuse(Arguments given) {
    throw new TemplateException("the template refuses: " + Values.text(given.single()));
  }

  private static Map<String, Object> members(Arguments given) {
    Map<String, Object> members = new LinkedHashMap<>();
    for (Object value : given.inOrder()) {
      if (!(value instanceof Map<?, ?> map)) {
        throw Values.needed("a dict", value);
      }
      map.forEach((key, member) -> members.put(Values.text(key), member));
    }
    members.putAll(given.named());
    return members;
  }

  private static Object range(Arguments given) {
    List<Object> bounds = given.inOrder();
    if (bounds.isEmpty() || bounds.size() > 3) {
      throw new TemplateException("range takes one to three whole numbers");
    }
    long from = bounds.size() == 1 ? 0 : Values.integer(bounds.get(0));
    long to = Values.integer(bounds.size() == 1 ? bounds.get(0) : bounds.get(1));
    long step = bounds.size() == 3 ? Values.integer(bounds.get(2)) : 1;
    if (step == 0) {
      throw new TemplateException("range cannot go in steps of 0");
    }
    List<Object> numbers = new ArrayList<>();
    for (long i = from; step > 0 ? i < to : i > to; i += step) {
      if (numbers.size() == LONGEST_RANGE) {
        throw new TemplateException("range has more than " + LONGEST_RANGE + " numbers");
      }
      numbers.add(i);
    }
    return numbers;
  }

  /** The time in the words of C's strftime. */
  private String time(String format) {
    ZonedDateTime now = ZonedDateTime.now(clock);
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < format.length(); i++) {
      char c = format.charAt(i);
      if (c != '%' || i + 1 == format.length()) {
        out.append(c);
        continue;
      }
      // A minus leaves out the zeros before a number.
      boolean bare = format.charAt(i + 1) == '-' && i + 2 < format.length();
      i += bare ? 2 : 1;
      String pattern = pattern(format.charAt(i));
      if (bare && pattern.matches("(.)\\1")) {
        pattern = pattern.substring(1);
      }
      out.append(
          pattern.equals("%")
              ? "%"
              : now.format(DateTimeFormatter.ofPattern(pattern, Locale.ENGLISH)));
    }
    return out.toString();
  }

  private static String pattern(char c) {
    return switch (c) {
      case 'Y' -> "yyyy";
      case 'y' -> "yy";
      case 'm' -> "MM";
      case 'd' -> "dd";
      case 'e' -> "ppd";
      case 'B' -> "MMMM";
      case 'b', 'h' -> "MMM";
      case 'A' -> "EEEE";
      case 'a' -> "EEE";
      case 'H' -> "HH";
      case 'I' -> "hh";
      case 'M' -> "mm";
      case 'S' -> "ss";
      case 'p' -> "a";
      case 'j' -> "DDD";
      case 'Z' -> "zzz";
      case 'z' -> "xx";
      case 'F' -> "yyyy-MM-dd";
      case 'T' -> "HH:mm:ss";
      case '%' -> "%";
      default ->
          throw new TemplateException(
              "%"
                  + c
                  + " is not supported in a time; supported: "
                  + "%Y %y %m %d %e %B %b %A %a %H %I %M %S %p %j %Z %z %F %T");
    };
  }
}
