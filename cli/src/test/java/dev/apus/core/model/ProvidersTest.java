package dev.apus.core.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.model.Architecture.Role;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Test;

/** Whoever lacks a part of Apus is told the artifact that it is in. */
class ProvidersTest {

  @Test
  void everyPartOfApusHasAnArtifactToAdd() {
    int parts = 0;
    for (MixerType type : ServiceLoader.load(MixerType.class)) {
      assertProvided(Role.MIXER, type.name(), type.getClass());
      parts++;
    }
    for (ChannelType type : ServiceLoader.load(ChannelType.class)) {
      assertProvided(Role.CHANNEL, type.name(), type.getClass());
      parts++;
    }
    assertTrue(parts > 2, parts + " parts are installed");
  }

  private static void assertProvided(Role role, String name, Class<?> type) {
    String module = type.getPackageName().split("\\.")[2];
    assertEquals(
        "the artifact dev.apus:apus-" + module + ", which provides it",
        Mixers.provider(role, name));
  }
}
