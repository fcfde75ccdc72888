package dev.apus.structure;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.lang.reflect.GenericArrayType;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Instant;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/** Describes Java's types in the words of JSON schemas. */
final class TypeSchema {

  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

  private static final Map<Class<?>, String> FORMATS =
      Map.of(
          LocalDate.class, "date",
          OffsetDateTime.class, "date-time",
          Instant.class, "date-time",
          UUID.class, "uuid");

  private static final Map<Class<?>, long[]> WHOLE =
      Map.of(
          byte.class, new long[] {Byte.MIN_VALUE, Byte.MAX_VALUE},
          Byte.class, new long[] {Byte.MIN_VALUE, Byte.MAX_VALUE},
          short.class, new long[] {Short.MIN_VALUE, Short.MAX_VALUE},
          Short.class, new long[] {Short.MIN_VALUE, Short.MAX_VALUE},
          int.class, new long[] {Integer.MIN_VALUE, Integer.MAX_VALUE},
          Integer.class, new long[] {Integer.MIN_VALUE, Integer.MAX_VALUE},
          long.class, new long[] {Long.MIN_VALUE, Long.MAX_VALUE},
          Long.class, new long[] {Long.MIN_VALUE, Long.MAX_VALUE});

  private static final Set<Class<?>> REAL =
      Set.of(float.class, Float.class, double.class, Double.class, Number.class, BigDecimal.class);

  private final ObjectNode records = JSON.objectNode();

  private TypeSchema() {}

  static JsonNode of(Class<?> type) {
    TypeSchema schemas = new TypeSchema();
    ObjectNode root = schemas.schema(type, type.getSimpleName());
    root.set("$defs", schemas.records);
    return root;
  }

  private ObjectNode schema(Type type, String where) {
    return switch (type) {
      case Class<?> plain -> plain(plain, where);
      case GenericArrayType array -> list(array.getGenericComponentType(), where);
      case ParameterizedType generic -> generic(generic, where);
      default -> throw unknown(type, where);
    };
  }

  private ObjectNode plain(Class<?> type, String where) {
    ObjectNode schema = JSON.objectNode();
    if (WHOLE.containsKey(type)) {
      long[] bounds = WHOLE.get(type);
      return schema.put("type", "integer").put("minimum", bounds[0]).put("maximum", bounds[1]);
    }
    if (FORMATS.containsKey(type)) {
      return schema.put("type", "string").put("format", FORMATS.get(type));
    }
    if (REAL.contains(type)) {
      return schema.put("type", "number");
    }
    if (type == BigInteger.class) {
      return schema.put("type", "integer");
    }
    if (type == String.class || type == CharSequence.class) {
      return schema.put("type", "string");
    }
    if (type == char.class || type == Character.class) {
      return schema.put("type", "string").put("pattern", "^[\\u0000-\\uFFFF]$");
    }
    if (type == boolean.class || type == Boolean.class) {
      return schema.put("type", "boolean");
    }
    if (type.isEnum()) {
      ArrayNode names = schema.putArray("enum");
      for (Object constant : type.getEnumConstants()) {
        names.add(((Enum<?>) constant).name());
      }
      return schema;
    }
    if (type.isArray()) {
      return list(type.getComponentType(), where);
    }
    if (type.isRecord()) {
      return record(type);
    }
    throw unknown(type, where);
  }

  private ObjectNode generic(ParameterizedType type, String where) {
    Class<?> raw = (Class<?>) type.getRawType();
    Type[] arguments = type.getActualTypeArguments();
    if (Collection.class.isAssignableFrom(raw) && raw.isAssignableFrom(List.class)) {
      return list(arguments[0], where);
    }
    if (raw == Map.class && arguments[0] == String.class) {
      ObjectNode schema = JSON.objectNode().put("type", "object");
      schema.set("additionalProperties", schema(arguments[1], where));
      return schema;
    }
    throw unknown(type, where);
  }

  private ObjectNode list(Type items, String where) {
    ObjectNode schema = JSON.objectNode().put("type", "array");
    schema.set("items", schema(items, where));
    return schema;
  }

  private ObjectNode record(Class<?> type) {
    String name = type.getName();
    if (!records.has(name)) {
      ObjectNode schema = records.putObject(name);
      schema.put("type", "object");
      ObjectNode properties = schema.putObject("properties");
      ArrayNode required = schema.putArray("required");
      schema.put("additionalProperties", false);
      for (RecordComponent component : type.getRecordComponents()) {
        String where = type.getSimpleName() + "." + component.getName();
        Type of = component.getGenericType();
        boolean optional =
            of instanceof ParameterizedType given && given.getRawType() == Optional.class;
        if (optional) {
          of = ((ParameterizedType) of).getActualTypeArguments()[0];
        } else {
          required.add(component.getName());
        }
        properties.set(component.getName(), schema(of, where));
      }
    }
    return JSON.objectNode().put("$ref", "#/$defs/" + name.replace("$", "%24"));
  }

  private static StructureException unknown(Type type, String where) {
    return new StructureException(
        where
            + " is of the type "
            + type.getTypeName()
            + "; needed: a record, an enum, a number, a String, a boolean, LocalDate,"
            + " OffsetDateTime, Instant, UUID, or a List, an array, or a Map from String of these");
  }
}
