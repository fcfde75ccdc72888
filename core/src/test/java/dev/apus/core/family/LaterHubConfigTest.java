package dev.apus.core.family;

import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Configs of the hub open as they are: every key of theirs is read, or known to be harmless. */
class LaterHubConfigTest {

  @ParameterizedTest
  @EnumSource
  void opensWithItsTraits(LaterHubConfig config) {
    String document = FamilyFixtures.describe(config.json).toJson();
    assertTrue(document.contains(config.trait), () -> config.trait + " must be in " + document);
  }
}
