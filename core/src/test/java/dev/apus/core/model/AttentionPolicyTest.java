package dev.apus.core.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.config.ConfigException;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AttentionPolicyTest {

  @Test
  void valuesHaveTheTypesTheyLookLike() {
    AttentionPolicy policy = AttentionPolicy.parse("some:a=7,b=0.5,c=true,d=0/1+2/*,e=1e-3");
    assertEquals("some", policy.kind());
    assertEquals(
        Map.of("a", 7, "b", 0.5, "c", true, "d", "0/1+2/*", "e", 0.001), policy.settings());
    assertEquals(policy, AttentionPolicy.parse(policy.toString()));
    assertTrue(AttentionPolicy.parse("full").isFull());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "''|it has no name",
        ":a=1|it has no name",
        "some:|\"\" is not key=value",
        "some:a|\"a\" is not key=value",
        "some:a=1,|\"\" is not key=value",
        "some:=1|\"=1\" is not key=value",
        "some:kind=x|\"kind=x\" is not key=value",
        "some:a=1,a=2|a is there twice",
        "full:a=1|full has no settings"
      })
  void whatIsMalformedIsRefused(String text, String what) {
    var e = assertThrows(ConfigException.class, () -> AttentionPolicy.parse(text));
    assertEquals(
        "attention \"" + text + "\": " + what + "; needed: NAME or NAME:KEY=VALUE,KEY=VALUE",
        e.getMessage());
  }
}
