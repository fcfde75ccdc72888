package dev.apus.core.config;

import dev.apus.core.json.JsonFault;
import dev.apus.core.json.JsonObject;
import dev.apus.core.json.JsonObject.Member;
import dev.apus.core.json.JsonTree;
import dev.apus.core.json.Printable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Settings from a JSON file, read strictly.
 *
 * <p>A setting has the type that is asked for or reading it fails: {@code "4096"} and {@code
 * 4096.0} are no whole numbers. A key that is null counts as absent. Every message starts with the
 * file and, where there is one, the line of the key. A {@code Config} remembers which keys were
 * asked for, so that whoever reads it can refuse the rest ({@link #unread}).
 *
 * <p>A file of another format may be read as settings too ({@link #of(String, Map, Map)}): messages
 * then call each key what that file calls it.
 *
 * <p>For one thread at a time.
 */
public final class Config {

  private static final int LARGEST_FILE = 4 << 20;

  private final String name;
  private final String path;
  private final JsonObject object;
  private final Spelling spelling;
  private final Set<String> read = new LinkedHashSet<>();
  private final Map<String, List<Config>> opened = new LinkedHashMap<>();

  private Config(String name, String path, JsonObject object, Spelling spelling) {
    this.name = name;
    this.path = path;
    this.object = object;
    this.spelling = spelling;
  }

  /**
   * Reads a JSON file that holds one object.
   *
   * @throws ConfigException if the file cannot be read, is larger than 4 MiB, or is not such a file
   */
  public static Config read(Path file) {
    String name = Printable.fileName(file);
    if (!Files.isRegularFile(file)) {
      String found = Files.exists(file) ? "is no file" : "is not there";
      throw new ConfigException(name + ": " + found + "; needed: a JSON file at " + file);
    }
    try (InputStream in = Files.newInputStream(file)) {
      return parse(name, in.readNBytes(LARGEST_FILE + 1));
    } catch (IOException e) {
      throw new ConfigException(name + ": cannot be read: " + e, e);
    }
  }

  /**
   * Reads JSON text that holds one object.
   *
   * @param name what messages call it
   * @throws ConfigException if the text is malformed, repeats a key, is nested deeper than 64 or is
   *     larger than 4 MiB
   */
  public static Config parse(String name, byte[] json) {
    if (json.length > LARGEST_FILE) {
      throw new ConfigException(name + ": is larger than 4 MiB, too large for settings");
    }
    try {
      return new Config(name, "", JsonTree.read(json), Spelling.AS_IS);
    } catch (JsonFault e) {
      throw new ConfigException(
          name + ":" + e.line() + ": column " + e.column() + ": " + e.getMessage(), e);
    }
  }

  /**
   * Settings made in code.
   *
   * @param values strings, booleans, numbers, null, and lists, maps and primitive arrays of these
   * @throws IllegalArgumentException if a value is anything else
   */
  public static Config of(String name, Map<String, ?> values) {
    return of(name, values, Map.of());
  }

  /**
   * Settings that a file holds under other keys.
   *
   * @param spelled what the file calls a key, dotted if it is in a section; messages use these
   *     words
   * @throws IllegalArgumentException if a value is none that {@link #of(String, Map)} takes
   */
  public static Config of(String name, Map<String, ?> values, Map<String, String> spelled) {
    return new Config(name, "", Settings.object(values), Spelling.of(spelled));
  }

  /** What messages call these settings: the file's name. */
  public String name() {
    return name;
  }

  /** Whether the key is there and not null. */
  public boolean has(String key) {
    return value(key) != null;
  }

  /** Whether the key is there and null, for settings where that is not the same as being absent. */
  public boolean isNull(String key) {
    return object.members().containsKey(key) && !has(key);
  }

  /** A whole number from 1 to 2147483647. */
  public int positive(String key) {
    return (int) whole(key, 1, Integer.MAX_VALUE);
  }

  public int positive(String key, int absent) {
    return asked(key) ? positive(key) : absent;
  }

  /** A whole number from 0 to 2147483647. */
  public int count(String key) {
    return (int) whole(key, 0, Integer.MAX_VALUE);
  }

  public int count(String key, int absent) {
    return asked(key) ? count(key) : absent;
  }

  /** A whole number of 64 bits. */
  public long integer(String key) {
    return whole(key, Long.MIN_VALUE, Long.MAX_VALUE);
  }

  public long integer(String key, long absent) {
    return asked(key) ? integer(key) : absent;
  }

  /** A finite number; one that a float can only hold as zero or infinity is refused. */
  public float real(String key) {
    return Settings.real(required(key, Settings.FLOAT), refusal(key));
  }

  public float real(String key, float absent) {
    return asked(key) ? real(key) : absent;
  }

  /** A finite number. */
  public double number(String key) {
    return Settings.number(required(key, Settings.NUMBER), refusal(key));
  }

  public double number(String key, double absent) {
    return asked(key) ? number(key) : absent;
  }

  public boolean flag(String key) {
    return Settings.flag(required(key, Settings.FLAG), refusal(key));
  }

  public boolean flag(String key, boolean absent) {
    return asked(key) ? flag(key) : absent;
  }

  /** A string. */
  public String word(String key) {
    return Settings.word(required(key, Settings.WORD), refusal(key));
  }

  public String word(String key, String absent) {
    return asked(key) ? word(key) : absent;
  }

  /**
   * One of the allowed strings.
   *
   * @param absent what stands for a missing key; null if there must be one
   */
  public String choice(String key, String absent, String... allowed) {
    String supported = "supported: " + String.join(", ", allowed);
    if (!asked(key)) {
      if (absent == null) {
        throw errorAt(key, "%s%s is missing; %s", path, Printable.name(key), supported);
      }
      return absent;
    }
    String word = word(key);
    if (!Arrays.asList(allowed).contains(word)) {
      throw errorAt(key, "%s is not supported; %s", assignment(key), supported);
    }
    return word;
  }

  /** A list of strings. */
  public List<String> words(String key) {
    return list(key, Settings::word);
  }

  /** A list of whole numbers of 32 bits. */
  public List<Integer> integers(String key) {
    return list(
        key,
        (value, refusal) ->
            (int) Settings.whole(value, Integer.MIN_VALUE, Integer.MAX_VALUE, refusal));
  }

  /** A list of numbers, which may be infinite: limits often are. */
  public List<Double> numbers(String key) {
    return list(key, Settings::limit);
  }

  /** Whether there is an object under the key; anything else there is an error. */
  public boolean hasSection(String key) {
    return has(key) && Settings.section(value(key), refusal(key)) != null;
  }

  /** The settings in the object under the key; its unread keys count as this file's. */
  public Config section(String key) {
    JsonObject section = Settings.section(present(key, Settings.SECTION), refusal(key));
    return opened
        .computeIfAbsent(
            key, k -> List.of(new Config(name, path + Printable.name(k) + ".", section, spelling)))
        .getFirst();
  }

  /** The settings in each object of the list under the key. */
  public List<Config> sections(String key) {
    List<JsonObject> list = list(key, present(key, Settings.LIST), Settings::section);
    return opened.computeIfAbsent(
        key,
        k -> {
          List<Config> sections = new ArrayList<>();
          for (JsonObject section : list) {
            sections.add(
                new Config(
                    name,
                    path + Printable.name(k) + "[" + sections.size() + "].",
                    section,
                    spelling));
          }
          return Collections.unmodifiableList(sections);
        });
  }

  /** {@code key} divided by {@code by}, both positive, which must leave nothing over. */
  public int share(String key, String by) {
    int whole = positive(key);
    int parts = positive(by);
    if (whole % parts != 0) {
      throw errorAt(key, "%s is not divisible by %s", assignment(key), assignment(by));
    }
    return whole / parts;
  }

  /** Counts keys as read that change nothing. */
  public void ignore(String... keys) {
    read.addAll(Arrays.asList(keys));
  }

  /** The plain Java value under the key, or null; all that is in it counts as read. */
  public Object raw(String key) {
    read.add(key);
    return JsonObject.plain(value(key));
  }

  /** The keys that nobody asked for, as dotted paths; keys that are null are left out. */
  public List<String> unread() {
    List<String> unread = new ArrayList<>();
    for (String key : object.members().keySet()) {
      if (!has(key) || read.contains(key)) {
        continue;
      }
      List<Config> sections = opened.get(key);
      if (sections == null) {
        unread.add(path + Printable.name(key));
      } else {
        sections.forEach(section -> unread.addAll(section.unread()));
      }
    }
    return unread;
  }

  /** The keys that somebody asked for, in that order. */
  public List<String> asked() {
    return List.copyOf(read);
  }

  /**
   * An error about these settings.
   *
   * @param message a format for {@code parts}; taken as it is if there are none
   */
  public ConfigException error(String message, Object... parts) {
    return new ConfigException(where(path.isEmpty() ? 0 : object.line()) + text(message, parts));
  }

  /** An error about one key: {@link #error} with the line of that key. */
  public ConfigException errorAt(String key, String message, Object... parts) {
    Member member = object.members().get(key);
    return member == null
        ? error(message, parts)
        : new ConfigException(where(member.line()) + text(message, parts));
  }

  /** All settings as plain Java values; asking for this counts nothing as read. */
  public Map<String, Object> asMap() {
    return object.plain();
  }

  private Object value(String key) {
    Member member = object.members().get(key);
    return member == null ? null : member.value();
  }

  private boolean asked(String key) {
    read.add(key);
    return has(key);
  }

  private Object required(String key, String rule) {
    read.add(key);
    return present(key, rule);
  }

  private Object present(String key, String rule) {
    Object value = value(key);
    if (value == null) {
      throw errorAt(key, "%s%s is missing; it must be %s", path, Printable.name(key), rule);
    }
    return value;
  }

  private long whole(String key, long least, long most) {
    return Settings.whole(
        required(key, Settings.wholeNumber(least, most)), least, most, refusal(key));
  }

  private <T> List<T> list(String key, Settings.Conversion<T> conversion) {
    return list(key, required(key, Settings.LIST), conversion);
  }

  private <T> List<T> list(String key, Object value, Settings.Conversion<T> conversion) {
    List<?> values = Settings.list(value, refusal(key));
    List<T> list = new ArrayList<>(values.size());
    for (int i = 0; i < values.size(); i++) {
      int at = i;
      list.add(
          conversion.convert(
              values.get(i), (found, rule) -> refuse(key, key + "[" + at + "]", found, rule)));
    }
    return Collections.unmodifiableList(list);
  }

  private Settings.Refusal refusal(String key) {
    return (found, rule) -> refuse(key, key, found, rule);
  }

  private ConfigException refuse(String key, String place, Object found, String rule) {
    return errorAt(
        key, "%s%s=%s must be %s", path, Printable.name(place), Printable.value(found), rule);
  }

  private String assignment(String key) {
    return path + Printable.name(key) + "=" + Printable.value(value(key));
  }

  private String where(int line) {
    return line > 0 ? name + ":" + line + ": " : name + ": ";
  }

  private String text(String message, Object... parts) {
    return spelling.apply(parts.length == 0 ? message : String.format(Locale.ROOT, message, parts));
  }
}
