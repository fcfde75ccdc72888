package dev.apus.core.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/** One object of a JSON file that knows its place, and refuses what its reader does not expect. */
record Section(String file, String path, JsonNode node) {

  Section {
    if (!node.isObject()) {
      throw new TokenizerException(
          file + ": " + path + " is " + shorten(node) + "; an object is needed");
    }
  }

  String type() {
    return text("type");
  }

  /** Refuses keys other than these. */
  Section only(String... keys) {
    Set<String> known = Set.of(keys);
    for (var names = node.fieldNames(); names.hasNext(); ) {
      String name = names.next();
      if (!known.contains(name)) {
        throw new TokenizerException(
            String.format(
                Locale.ROOT,
                "%s: %s is not supported here; supported: %s",
                file,
                at(name),
                Arrays.stream(keys).collect(Collectors.joining(", "))));
      }
    }
    return this;
  }

  /** Whether the key is there and not null. */
  boolean has(String key) {
    return node.hasNonNull(key);
  }

  String text(String key) {
    JsonNode value = node.path(key);
    if (!value.isTextual()) {
      throw wrong(key, "a string");
    }
    return value.textValue();
  }

  boolean flag(String key, boolean otherwise) {
    if (!has(key)) {
      return otherwise;
    }
    if (!node.get(key).isBoolean()) {
      throw wrong(key, "true or false");
    }
    return node.get(key).booleanValue();
  }

  int number(String key, int min, int max) {
    JsonNode value = node.path(key);
    if (!value.canConvertToInt()
        || !value.isIntegralNumber()
        || value.intValue() < min
        || value.intValue() > max) {
      throw wrong(key, "an integer from " + min + " to " + max);
    }
    return value.intValue();
  }

  Section child(String key) {
    return new Section(file, at(key), node.path(key));
  }

  List<Section> children(String key) {
    JsonNode values = node.path(key);
    if (!values.isArray()) {
      throw wrong(key, "an array");
    }
    List<Section> sections = new ArrayList<>();
    for (int i = 0; i < values.size(); i++) {
      sections.add(new Section(file, at(key) + "[" + i + "]", values.get(i)));
    }
    return sections;
  }

  /** Reads each section of an array. */
  <T> List<T> each(String key, Function<Section, T> reader) {
    return children(key).stream().map(reader).toList();
  }

  String at(String key) {
    return path.isEmpty() ? key : path + "." + key;
  }

  /** The file and the place of a key, as an error begins. */
  String where(String key) {
    return file + ": " + at(key);
  }

  TokenizerException wrong(String key, String needed) {
    JsonNode value = node.path(key);
    String found = value.isMissingNode() ? "missing" : shorten(value);
    return new TokenizerException(where(key) + " is " + found + "; needed: " + needed);
  }

  TokenizerException unsupported(String... types) {
    return wrongValue("type", String.join(", ", types));
  }

  TokenizerException wrongValue(String key, String supported) {
    return new TokenizerException(
        String.format(
            Locale.ROOT,
            "%s=%s is not supported; supported: %s",
            where(key),
            shorten(node.path(key)),
            supported));
  }

  private static String shorten(JsonNode value) {
    if (value.isMissingNode()) {
      return "missing";
    }
    if (value.isContainerNode()) {
      return value.isArray() ? "an array" : "an object";
    }
    String text = value.toString();
    return text.length() <= 80 ? text : text.substring(0, 80) + "…";
  }
}
