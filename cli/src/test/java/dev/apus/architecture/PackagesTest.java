package dev.apus.architecture;

import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static java.util.stream.Collectors.toCollection;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClass;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** The arrows between packages. */
class PackagesTest {

  private static final String CORE = "dev.apus.core";

  /** Which packages each package of the core may use; the core's own package, its facade, all. */
  private static final Map<String, Set<String>> ARROWS =
      Map.ofEntries(
          Map.entry("json", Set.of()),
          Map.entry("text", Set.of()),
          Map.entry("file", Set.of("json", "text", "kernels")),
          Map.entry("config", Set.of("json")),
          Map.entry("tokenizer", Set.of("json", "text", "config", "file")),
          Map.entry("tensor", Set.of("kernels")),
          Map.entry("compute", Set.of("tensor", "kernels")),
          Map.entry("weight", Set.of("file", "config", "tensor", "compute", "kernels")),
          Map.entry("template", Set.of()),
          Map.entry("chat", Set.of("template", "tokenizer")),
          Map.entry("service", Set.of()),
          Map.entry("hub", Set.of("json", "file")),
          Map.entry("routing", Set.of("config", "tensor", "kernels")),
          Map.entry(
              "model",
              Set.of("json", "config", "service", "weight", "tensor", "compute", "kernels")),
          Map.entry("family", Set.of("json", "config", "file", "service", "weight", "model")),
          Map.entry("generate", Set.of("tokenizer", "model")),
          Map.entry("verify", Set.of("config", "file", "model", "tensor", "facade")));

  @Test
  void theClassesOfAllModulesWereRead() {
    for (String type : List.of("kernels.Kernels", "core.file.FormatException", "cli.Apus")) {
      assertTrue(Compiled.classes().contain("dev.apus." + type), type);
    }
  }

  @Test
  void thePackagesOfTheCoreUseOnlyWhatTheyMay() {
    Set<String> broken =
        Compiled.classes().stream()
            .filter(type -> type.getPackageName().startsWith(CORE + "."))
            .flatMap(type -> type.getDirectDependenciesFromSelf().stream())
            .filter(use -> !mayUse(use.getOriginClass(), use.getTargetClass()))
            .map(use -> use.getOriginClass().getName() + " → " + use.getTargetClass().getName())
            .collect(toCollection(TreeSet::new));
    assertEquals(Set.of(), broken);
  }

  private static boolean mayUse(JavaClass user, JavaClass used) {
    String target = place(used);
    return target.isEmpty() || target.equals(place(user)) || arrows(user).contains(target);
  }

  private static Set<String> arrows(JavaClass user) {
    Set<String> arrows = ARROWS.get(place(user));
    if (arrows == null) {
      throw new AssertionError(user.getPackageName() + " has no place in " + PackagesTest.class);
    }
    return arrows;
  }

  /** The part of the house a class lives in; empty if it is not ours. */
  private static String place(JavaClass type) {
    String name = type.getBaseComponentType().getPackageName();
    if (name.startsWith(CORE + ".")) {
      return name.substring(CORE.length() + 1).split("\\.")[0];
    }
    if (name.equals(CORE)) {
      return "facade";
    }
    return name.startsWith("dev.apus.kernels") ? "kernels" : "";
  }

  @Test
  void noPackagesUseOneAnotherInACircle() {
    slices().matching("dev.apus.(**)").should().beFreeOfCycles().check(Compiled.classes());
  }
}
