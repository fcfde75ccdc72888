package dev.apus.core.file;

import com.fasterxml.jackson.core.JsonToken;
import dev.apus.core.json.JsonCursor;
import dev.apus.core.json.JsonFault;
import dev.apus.core.json.Printable;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Reads the JSON of a safetensors header. */
final class SafetensorsParser {

  /** A tensor of the header nests three deep; more is another kind of file. */
  private static final int DEEPEST = 8;

  private final String file;
  private final JsonCursor cursor;
  private final Set<String> names = new HashSet<>();
  private final List<Entry> entries = new ArrayList<>();
  private Map<String, String> metadata;

  SafetensorsParser(String file, byte[] json) throws JsonFault {
    this.file = file;
    this.cursor = new JsonCursor(json, DEEPEST);
  }

  /** The tensors, in the order of the header. */
  List<Entry> parse() throws JsonFault {
    if (cursor.next() != JsonToken.START_OBJECT) {
      throw cursor.fault("needs an object, {…}, at the top");
    }
    while (cursor.next() != JsonToken.END_OBJECT) {
      String name = cursor.text();
      if (!names.add(name)) {
        throw Place.tensor(file, name).error("is in the header twice");
      }
      if (name.equals("__metadata__")) {
        metadata = readMetadata();
      } else {
        entries.add(readTensor(name));
      }
    }
    cursor.end();
    return entries;
  }

  /** What the header said about the file, once it is parsed. */
  Map<String, String> metadata() {
    return metadata == null ? Map.of() : Collections.unmodifiableMap(metadata);
  }

  private Map<String, String> readMetadata() throws JsonFault {
    if (cursor.next() != JsonToken.START_OBJECT) {
      throw cursor.fault("__metadata__ needs an object of strings");
    }
    Map<String, String> map = new LinkedHashMap<>();
    while (cursor.next() != JsonToken.END_OBJECT) {
      String key = cursor.text();
      if (cursor.next() != JsonToken.VALUE_STRING) {
        throw cursor.fault("__metadata__ holds strings only, not as " + Printable.value(key));
      }
      if (map.put(key, cursor.text()) != null) {
        throw cursor.fault("__metadata__ holds " + Printable.value(key) + " twice");
      }
    }
    return map;
  }

  private Entry readTensor(String name) throws JsonFault {
    Place place = Place.tensor(file, name);
    if (cursor.next() != JsonToken.START_OBJECT) {
      throw place.error("needs an object with dtype, shape and data_offsets");
    }
    String type = null;
    List<Long> shape = null;
    List<Long> offsets = null;
    while (cursor.next() != JsonToken.END_OBJECT) {
      String field = cursor.text();
      boolean again =
          switch (field) {
            case "dtype" -> type != null;
            case "shape" -> shape != null;
            case "data_offsets" -> offsets != null;
            default ->
                throw place.error(
                    "has a field %s; safetensors knows dtype, shape and data_offsets",
                    Printable.value(field));
          };
      if (again) {
        throw place.error("has %s twice", field);
      }
      switch (field) {
        case "dtype" -> type = readType(place);
        case "shape" -> shape = readIntegers(field, Sizes.LARGEST_DIMENSION, place);
        default -> offsets = readIntegers(field, Long.MAX_VALUE, place);
      }
    }
    if (type == null || shape == null || offsets == null) {
      throw place.error("needs dtype, shape and data_offsets, and one is missing");
    }
    return entry(name, type, shape, offsets, place);
  }

  private String readType(Place place) throws JsonFault {
    if (cursor.next() != JsonToken.VALUE_STRING) {
      throw place.error("has a dtype that is no string: %s", Printable.name(cursor.text()));
    }
    return cursor.text();
  }

  private List<Long> readIntegers(String field, long largest, Place place) throws JsonFault {
    if (cursor.next() != JsonToken.START_ARRAY) {
      throw place.error("has a %s that is no list: %s", field, Printable.name(cursor.text()));
    }
    List<Long> integers = new ArrayList<>();
    JsonToken token = cursor.next();
    while (token != JsonToken.END_ARRAY) {
      if (token != JsonToken.VALUE_NUMBER_INT
          || !(cursor.integer() instanceof Long integer)
          || integer < 0
          || integer > largest) {
        throw place.error(
            "has %s in its %s; needed: whole numbers from 0 to %d",
            Printable.name(cursor.text()), field, largest);
      }
      integers.add(integer);
      token = cursor.next();
    }
    return integers;
  }

  private static Entry entry(
      String name, String type, List<Long> shape, List<Long> offsets, Place place) {
    if (offsets.size() != 2 || offsets.getFirst() > offsets.getLast()) {
      throw place.error(
          "has data_offsets %s; needed: [begin, end]", Printable.name(offsets.toString()));
    }
    long bytes = offsets.getLast() - offsets.getFirst();
    long elements = Sizes.product(shape, place);
    SafetensorsType known = SafetensorsType.named(type);
    if (known != null && known.bytes(elements, place) != bytes) {
      throw place.error(
          "holds %d bytes; %s %s takes %d", bytes, type, shape, known.bytes(elements, place));
    }
    return new Entry(name, type, List.copyOf(shape), offsets.getFirst(), bytes);
  }
}
