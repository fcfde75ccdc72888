package dev.apus.core.file;

import dev.apus.core.json.Printable;
import java.util.Locale;

/**
 * A place in a file, so that an error can say where it is.
 *
 * @param file the name of the file
 * @param part what in the file, such as "tensor"; null for the file as a whole
 * @param name which one; taken from the file, so anything may be in it
 */
record Place(String file, String part, String name) {

  static Place file(String file) {
    return new Place(file, null, "");
  }

  static Place tensor(String file, String name) {
    return new Place(file, "tensor", name);
  }

  /** An error whose message starts with this place; {@code predicate} is a format for the rest. */
  FormatException error(String predicate, Object... values) {
    return new FormatException(this + " " + String.format(Locale.ROOT, predicate, values));
  }

  @Override
  public String toString() {
    return part == null ? file + ":" : file + ": " + part + " " + Printable.name(name);
  }
}
