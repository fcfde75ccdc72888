package dev.apus.core.chat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BiPredicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads calls whose arguments stand between tags of their own, without quotes: {@code
 * <function=name><parameter=key>value</parameter></function>}, the same as {@code <invoke
 * name="name"><parameter name="key">}, and {@code
 * name<arg_key>key</arg_key><arg_value>value</arg_value>}.
 *
 * <p>A value is a text if the tool takes one there, and ends at the first tag that ends it.
 * Otherwise it is JSON and ends at the first such tag up to which it can be read, for its strings
 * may hold tags; what cannot be read is a text.
 */
final class TaggedCalls {

  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

  private static final Pattern FUNCTION =
      Pattern.compile("<(?:function=|invoke name=\"?)([^>\"]+)\"?>\\s*");
  private static final Pattern FUNCTION_END = Pattern.compile("</function>|</invoke>|\\z");
  private static final Pattern PARAMETER =
      Pattern.compile("<parameter(?:=| name=\"?)([^>\"]+)\"?>");
  private static final Pattern PARAMETER_END =
      Pattern.compile("</parameter>|(?=<parameter[= ]|</function>|</invoke>)|\\z");
  private static final Pattern KEY =
      Pattern.compile("<arg_key>(.*?)</arg_key>\\s*<arg_value>", Pattern.DOTALL);
  private static final Pattern VALUE_END = Pattern.compile("</arg_value>");

  private final String text;
  private final BiPredicate<String, String> isText;
  private final List<CallFormat.Named> calls = new ArrayList<>();
  private int at;
  private boolean sure = true;

  private TaggedCalls(String text, BiPredicate<String, String> isText) {
    this.text = text;
    this.isText = isText;
  }

  /**
   * @param isText whether a tool takes a text as a parameter
   * @param sure whether a value that begins like JSON must be some, so that a text is no call yet
   */
  static Optional<List<CallFormat.Named>> read(
      String text, BiPredicate<String, String> isText, boolean sure) {
    TaggedCalls reading = new TaggedCalls(text, isText);
    boolean read =
        text.startsWith("<function=") || text.startsWith("<invoke name=")
            ? reading.functions()
            : reading.keysAndValues();
    return read && (reading.sure || !sure) ? Optional.of(reading.calls) : Optional.empty();
  }

  private boolean functions() {
    Matcher function = FUNCTION.matcher(text);
    Matcher parameter = PARAMETER.matcher(text);
    Matcher end = FUNCTION_END.matcher(text);
    while (function.find(at)) {
      String name = function.group(1).strip();
      at = function.end();
      ObjectNode arguments = JSON.objectNode();
      if (text.startsWith("{", at)) {
        if (!(json(FUNCTION_END) instanceof ObjectNode object)) {
          return false;
        }
        arguments = object;
      } else {
        end.find(at);
        while (parameter.find(at) && parameter.start() < end.start()) {
          at = parameter.end();
          String key = parameter.group(1).strip();
          arguments.set(key, value(name, key, PARAMETER_END, true));
          end.find(at);
        }
        at = end.end();
      }
      calls.add(new CallFormat.Named(null, name, arguments.toString()));
    }
    return !calls.isEmpty();
  }

  private boolean keysAndValues() {
    int from = text.indexOf("<arg_key>");
    String name = (from < 0 ? text : text.substring(0, from)).strip();
    ObjectNode arguments = JSON.objectNode();
    Matcher key = KEY.matcher(text);
    while (key.find(at)) {
      at = key.end();
      if (text.indexOf("</arg_value>", at) < 0) {
        sure = false;
        break;
      }
      String named = key.group(1).strip();
      arguments.set(named, value(name, named, VALUE_END, false));
    }
    calls.add(new CallFormat.Named(null, name, arguments.toString()));
    return !name.isEmpty();
  }

  /**
   * The value that begins here; what comes next begins after its end.
   *
   * @param lines whether the end of a line before a text, and one after it, are none of its own
   */
  private JsonNode value(String tool, String key, Pattern end, boolean lines) {
    boolean wanted = isText.test(tool, key);
    JsonNode json = wanted ? null : json(end);
    if (json != null) {
      return json;
    }
    Matcher first = end.matcher(text);
    first.find(at);
    String raw = text.substring(at, first.start());
    at = first.end();
    sure &= wanted || raw.isBlank() || "{[\"".indexOf(raw.strip().charAt(0)) < 0;
    if (lines) {
      raw = raw.startsWith("\n") ? raw.substring(1) : raw;
      raw = raw.endsWith("\n") ? raw.substring(0, raw.length() - 1) : raw;
    }
    return JSON.textNode(raw);
  }

  /** The JSON that begins here, up to the first of the ends that is one of it; null if none is. */
  private JsonNode json(Pattern ends) {
    Matcher end = ends.matcher(text);
    for (boolean found = end.find(at); found; found = end.find()) {
      Optional<JsonNode> json = CallFormat.tree(text.substring(at, end.start()).strip());
      if (json.isPresent()) {
        at = end.end();
        return json.get();
      }
    }
    return null;
  }
}
