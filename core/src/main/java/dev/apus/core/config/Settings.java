package dev.apus.core.config;

import dev.apus.core.json.JsonObject;
import dev.apus.core.json.JsonObject.Member;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What a value must be to count as a number, a string, and so on, and the words for it. */
final class Settings {

  static final String NUMBER = "a finite number";
  static final String FLOAT = "a finite number within the range of a float";
  static final String LIMIT = "a number, finite or infinite";
  static final String FLAG = "true or false";
  static final String WORD = "a string";
  static final String LIST = "a list";
  static final String SECTION = "an object";

  private Settings() {}

  /** Makes the error for a value that breaks a rule; knows the value's place. */
  interface Refusal {
    ConfigException of(Object found, String rule);
  }

  /** Turns a value into what was asked for, or refuses it. */
  interface Conversion<T> {
    T convert(Object value, Refusal refusal);
  }

  static long whole(Object value, long least, long most, Refusal refusal) {
    if (value instanceof Long number && number >= least && number <= most) {
      return number;
    }
    throw refusal.of(value, wholeNumber(least, most));
  }

  static String wholeNumber(long least, long most) {
    return "a whole number from " + least + " to " + most;
  }

  static double number(Object value, Refusal refusal) {
    double number = limit(value, NUMBER, refusal);
    if (!Double.isFinite(number)) {
      throw refusal.of(value, NUMBER);
    }
    return number;
  }

  static float real(Object value, Refusal refusal) {
    double number = number(value, refusal);
    float real = (float) number;
    if (Float.isInfinite(real) || (real == 0 && number != 0)) {
      throw refusal.of(value, FLOAT);
    }
    return real;
  }

  static double limit(Object value, Refusal refusal) {
    return limit(value, LIMIT, refusal);
  }

  private static double limit(Object value, String rule, Refusal refusal) {
    return switch (value) {
      case Long number -> number;
      case Double number when !number.isNaN() -> number;
      case null, default -> throw refusal.of(value, rule);
    };
  }

  static boolean flag(Object value, Refusal refusal) {
    if (value instanceof Boolean flag) {
      return flag;
    }
    throw refusal.of(value, FLAG);
  }

  static String word(Object value, Refusal refusal) {
    if (value instanceof String word) {
      return word;
    }
    throw refusal.of(value, WORD);
  }

  static JsonObject section(Object value, Refusal refusal) {
    if (value instanceof JsonObject section) {
      return section;
    }
    throw refusal.of(value, SECTION);
  }

  /** A list's elements, or a primitive array's. */
  static List<?> list(Object value, Refusal refusal) {
    return switch (value) {
      case List<?> list -> list;
      case int[] array -> Arrays.stream(array).mapToObj(i -> (long) i).toList();
      case long[] array -> Arrays.stream(array).boxed().toList();
      case double[] array -> Arrays.stream(array).boxed().toList();
      case float[] array -> {
        List<Double> list = new ArrayList<>(array.length);
        for (float number : array) {
          list.add((double) number);
        }
        yield list;
      }
      case boolean[] array -> {
        List<Boolean> list = new ArrayList<>(array.length);
        for (boolean flag : array) {
          list.add(flag);
        }
        yield list;
      }
      case null, default -> throw refusal.of(value, LIST);
    };
  }

  /** Settings made in code, in the shape in which files are read. */
  static JsonObject object(Map<?, ?> values) {
    Map<String, Member> members = new LinkedHashMap<>();
    values.forEach(
        (key, value) -> {
          if (!(key instanceof String name)) {
            throw new IllegalArgumentException("a key must be a string, not " + key);
          }
          members.put(name, new Member(value(name, value), 0));
        });
    return new JsonObject(members, 0);
  }

  private static Object value(String key, Object value) {
    return switch (value) {
      case null -> null;
      case Map<?, ?> map -> object(map);
      case List<?> list -> {
        List<Object> copy = new ArrayList<>(list.size());
        list.forEach(element -> copy.add(value(key, element)));
        yield copy;
      }
      case Byte number -> number.longValue();
      case Short number -> number.longValue();
      case Integer number -> number.longValue();
      case Float number -> number.doubleValue();
      case String text -> text;
      case Boolean flag -> flag;
      case Long number -> number;
      case Double number -> number;
      case BigInteger number ->
          number.bitLength() < Long.SIZE ? (Object) number.longValue() : number;
      case BigDecimal number -> number;
      case byte[] array -> unsigned(array);
      case int[] array -> array;
      case long[] array -> array;
      case float[] array -> array;
      case double[] array -> array;
      case boolean[] array -> array;
      default ->
          throw new IllegalArgumentException(
              key + " holds a " + value.getClass().getName() + ", which no setting can be");
    };
  }

  private static int[] unsigned(byte[] bytes) {
    int[] numbers = new int[bytes.length];
    Arrays.setAll(numbers, i -> Byte.toUnsignedInt(bytes[i]));
    return numbers;
  }
}
