package dev.apus.structure;

import static java.util.stream.Collectors.toSet;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.PathType;
import com.networknt.schema.SchemaValidatorsConfig;
import com.networknt.schema.SpecVersion;
import com.networknt.schema.ValidationMessage;
import dev.apus.core.tokenizer.TokenBytes;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What holds of every schema: its documents pass, and whatever passes is one of its documents. */
class SchemaLawsTest {

  private static final TokenBytes TOKENS = Texts.vocabulary();

  private static JsonSchema validator(JsonNode schema) {
    SchemaValidatorsConfig config =
        SchemaValidatorsConfig.builder()
            .formatAssertionsEnabled(true)
            .pathType(PathType.JSON_POINTER)
            .build();
    return JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012).getSchema(schema, config);
  }

  private static void assertValid(JsonNode schema, String document) {
    Set<ValidationMessage> faults =
        validator(schema).validate(Walk.read(document)).stream()
            .filter(fault -> !isUnknownDomain(fault))
            .collect(toSet());
    assertEquals(Set.of(), faults, () -> document + " by " + schema);
  }

  /** The validator knows a list of top-level domains, which changes with the years. */
  private static boolean isUnknownDomain(ValidationMessage fault) {
    String value = String.valueOf(fault.getInstanceNode().textValue());
    return fault.getMessage().contains("email")
        && value.matches("[\\w.+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\\.)+[A-Za-z]{2,24}");
  }

  @Test
  void itsDocumentsPassHoweverTheyAreCut() {
    for (int seed = 0; seed < 150; seed++) {
      RandomSchemas schemas = new RandomSchemas(seed);
      JsonNode schema = schemas.schema();
      Walk walk = new Walk(TOKENS, Structure.schema(schema));
      for (int i = 0; i < 4; i++) {
        String document = schemas.document(schema, 4);
        assertValid(schema, document);
        walk.passes(document, new SplittableRandom(seed * 31L + i), 3);
      }
    }
  }

  @Test
  void whateverPassesIsOneOfItsDocuments() {
    int ended = 0;
    for (int seed = 0; seed < 150; seed++) {
      JsonNode schema = new RandomSchemas(seed).schema();
      Walk walk = new Walk(TOKENS, Structure.schema(schema));
      for (int i = 0; i < 4; i++) {
        String text = walk.random(new SplittableRandom(seed * 37L + i), 10 + 20 * i);
        if (text != null) {
          assertValid(schema, text);
          ended++;
        }
      }
    }
    assertTrue(ended > 550, "only " + ended + " walks came to an end");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"allOf\":[{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\",\"minimum\":3}},"
            + "\"required\":[\"a\"]},{\"properties\":{\"a\":{\"maximum\":5},\"b\":{\"type\":\"null\"}}}]}",
        "{\"oneOf\":[{\"type\":\"object\",\"properties\":{\"kind\":{\"const\":\"x\"},\"v\":{\"type\":"
            + "\"integer\"}},\"required\":[\"kind\",\"v\"]},{\"type\":\"object\",\"properties\":{\"kind\":"
            + "{\"const\":\"y\"}},\"required\":[\"kind\"]},{\"type\":\"null\"}]}",
        "{\"type\":\"object\",\"patternProperties\":{\"^x\":{\"type\":\"integer\"},\"^y\":{\"type\":"
            + "\"boolean\"}},\"properties\":{\"xa\":{\"minimum\":7},\"b\":{\"type\":\"null\"}},"
            + "\"additionalProperties\":{\"type\":\"string\",\"maxLength\":2}}",
        "{\"type\":\"string\",\"pattern\":\"[ab]+c\",\"minLength\":4,\"maxLength\":9}",
        "{\"type\":\"string\",\"format\":\"date\",\"pattern\":\"^20\"}",
        "{\"type\":[\"string\",\"null\",\"integer\"],\"maxLength\":3,\"minimum\":-2}",
        "{\"$ref\":\"#/$defs/t\",\"minimum\":0,\"$defs\":{\"t\":{\"type\":\"number\",\"maximum\":1}}}",
        "{\"type\":\"object\",\"properties\":{\"a\":{},\"b\":true,\"c\":{\"type\":\"null\"}},"
            + "\"minProperties\":2,\"maxProperties\":2,\"additionalProperties\":false}",
        "{\"anyOf\":[{\"minLength\":3},{\"maxLength\":1}],\"type\":\"string\"}",
        "{\"type\":\"object\",\"required\":[\"z\"],\"properties\":{\"a\":{\"$ref\":\"#\"},\"z\":{\"enum\":"
            + "[1,\"1\",[1,{\"a\":null}]]}}}",
        "{\"type\":\"number\",\"exclusiveMinimum\":-0.125,\"exclusiveMaximum\":0.0625}",
        "{\"type\":\"number\",\"minimum\":-1.5,\"maximum\":-1.5}",
        "{\"type\":\"integer\",\"minimum\":-12345678901234567890123,\"exclusiveMaximum\":-99.5}",
        "{\"type\":\"array\",\"items\":{\"type\":\"string\",\"maxLength\":1},\"maxItems\":1000000000}",
        "{\"type\":\"object\"}",
        "{}",
        "true"
      })
  void walksOfParticularSchemasAreValid(String text) {
    JsonNode schema = Walk.read(text);
    Walk walk = new Walk(TOKENS, Structure.schema(text));
    int ended = 0;
    for (int seed = 0; seed < 60; seed++) {
      String document = walk.random(new SplittableRandom(seed), seed);
      if (document != null) {
        assertValid(schema, document);
        ended++;
      }
    }
    assertTrue(ended > 30, "only " + ended + " walks came to an end");
  }
}
