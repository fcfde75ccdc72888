package dev.apus.architecture;

import static java.util.stream.Collectors.toSet;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleDescriptor.Provides;
import java.lang.module.ModuleDescriptor.Requires;
import java.net.URI;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The arrows between the modules, read from what each module-info requires. */
class ModulesTest {

  /** What each module may require, the JDK's exported modules apart. */
  private static final Map<String, Set<String>> ARROWS =
      Map.of(
          "dev.apus.kernels",
          Set.of("jdk.incubator.vector"),
          "dev.apus.core",
          Set.of(
              "dev.apus.kernels",
              "com.fasterxml.jackson.core",
              "com.fasterxml.jackson.databind",
              "org.slf4j"),
          "dev.apus.attention",
          Set.of("dev.apus.core"),
          "dev.apus.ssm",
          Set.of("dev.apus.core"),
          "dev.apus.moe",
          Set.of("dev.apus.core"),
          "dev.apus.diffusion",
          Set.of("dev.apus.core"),
          "dev.apus.structure",
          Set.of("dev.apus.core", "com.fasterxml.jackson.databind"),
          "dev.apus.fable",
          Set.of("dev.apus.core"),
          "dev.apus.cli",
          Set.of(
              "dev.apus.kernels",
              "dev.apus.core",
              "dev.apus.attention",
              "dev.apus.ssm",
              "dev.apus.moe",
              "dev.apus.diffusion",
              "dev.apus.structure",
              "dev.apus.fable",
              "info.picocli",
              "me.tongfei.progressbar",
              "org.jline.reader",
              "org.slf4j"));

  /** Where each module's root is. */
  private static final Map<String, URI> ROOTS = new TreeMap<>();

  private static final Map<String, ModuleDescriptor> MODULES = new TreeMap<>();

  @BeforeAll
  static void readTheModulesOnTheClassPath() throws IOException {
    var loader = ModulesTest.class.getClassLoader();
    for (URL url : Collections.list(loader.getResources("module-info.class"))) {
      try (InputStream in = url.openStream()) {
        ModuleDescriptor module = ModuleDescriptor.read(in);
        if (module.name().startsWith("dev.apus.")) {
          MODULES.put(module.name(), module);
          ROOTS.put(
              module.name(), URI.create(url.toString().replaceFirst("module-info.class$", "")));
        }
      }
    }
  }

  static Stream<String> modules() {
    return ARROWS.keySet().stream().sorted();
  }

  @Test
  void everyModuleHasItsPlace() {
    assertEquals(new TreeSet<>(ARROWS.keySet()), MODULES.keySet());
  }

  @ParameterizedTest
  @MethodSource("modules")
  void requiresOnlyWhatItMay(String name) {
    Set<String> others =
        MODULES.get(name).requires().stream()
            .map(Requires::name)
            .filter(required -> !isOfTheJdk(required))
            .filter(required -> !ARROWS.get(name).contains(required))
            .collect(toSet());
    assertEquals(Set.of(), others, name + " requires what it may not");
  }

  private static boolean isOfTheJdk(String module) {
    boolean open = module.startsWith("java.") || module.startsWith("jdk.");
    return open && !module.startsWith("jdk.incubator.") && !module.equals("jdk.unsupported");
  }

  /** A provider that is named in module-info alone is lost on the class path, and the reverse. */
  @ParameterizedTest
  @MethodSource("modules")
  void providesTheSameOnTheModulePathAndTheClassPath(String name) throws IOException {
    Map<String, Set<String>> declared = new TreeMap<>();
    for (Provides provides : MODULES.get(name).provides()) {
      declared.put(provides.service(), new TreeSet<>(provides.providers()));
    }
    Map<String, Set<String>> listed = new TreeMap<>();
    for (String service : services()) {
      Set<String> providers = listed(ROOTS.get(name), service);
      if (!providers.isEmpty()) {
        listed.put(service, providers);
      }
    }
    assertEquals(declared, listed, name + ": module-info and META-INF/services differ");
  }

  /** Every service that a module of ours provides or uses. */
  private static Set<String> services() {
    Set<String> services = new TreeSet<>();
    for (ModuleDescriptor module : MODULES.values()) {
      services.addAll(module.uses());
      module.provides().forEach(provides -> services.add(provides.service()));
    }
    return services;
  }

  private static Set<String> listed(URI root, String service) throws IOException {
    URL file = URI.create(root + "META-INF/services/" + service).toURL();
    try (InputStream in = file.openStream()) {
      List<String> lines = new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList();
      return lines.stream()
          .map(line -> line.replaceFirst("#.*", "").strip())
          .filter(line -> !line.isEmpty())
          .collect(toSet());
    } catch (FileNotFoundException e) {
      return Set.of();
    }
  }
}
