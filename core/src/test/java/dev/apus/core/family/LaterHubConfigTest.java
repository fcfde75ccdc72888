package dev.apus.core.family;

import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Configs of the hub open as they are: every key of theirs is read, or known to be harmless. */
class LaterHubConfigTest {

  @ParameterizedTest
  @EnumSource
  void opensWithItsTraits(LaterHubConfig config) {
    assertOpens(config.json, config.trait);
  }

  @ParameterizedTest
  @EnumSource
  void opensWithItsTraits(RecurrentHubConfig config) {
    assertOpens(config.json, config.trait);
  }

  @ParameterizedTest
  @EnumSource
  void opensWithItsTraits(ExpertHubConfig config) {
    assertOpens(config.json, config.trait);
  }

  @ParameterizedTest
  @EnumSource
  void opensWithItsTraits(VariantHubConfig config) {
    assertOpens(config.json, config.trait);
  }

  private static void assertOpens(String json, String trait) {
    String document = FamilyFixtures.describe(json).toJson();
    assertTrue(document.contains(trait), () -> trait + " must be in " + document);
  }
}
