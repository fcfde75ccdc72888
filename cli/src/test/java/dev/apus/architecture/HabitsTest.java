package dev.apus.architecture;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaCall.Predicates.target;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.assignableTo;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.nameMatching;
import static com.tngtech.archunit.core.domain.properties.HasOwner.Predicates.With.owner;
import static com.tngtech.archunit.core.domain.properties.HasParameterTypes.Predicates.rawParameterTypes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noFields;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.lang.ArchRule;
import dev.apus.core.compute.Pass;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.stream.BaseStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What no class of Apus does. Each rule comes with a class that breaks it, to show that it bites.
 */
class HabitsTest {

  private static final List<String> FORMAT_IN_A_LOCALE =
      List.of(Locale.class.getName(), String.class.getName(), Object[].class.getName());

  static Stream<Arguments> habits() {
    return Stream.of(
        Arguments.of(
            noClasses()
                .that()
                .resideOutsideOfPackages("dev.apus.cli..", "dev.apus.benchmarks..")
                .should()
                .accessField(System.class, "out")
                .orShould()
                .accessField(System.class, "err")
                .because("a library logs and throws; it does not print"),
            Prints.class),
        Arguments.of(
            noClasses()
                .should()
                .dependOnClassesThat()
                .areAssignableTo(ThreadLocal.class)
                .because("what a call needs is an argument"),
            HidesState.class),
        Arguments.of(
            noClasses()
                .should()
                .callMethodWhere(
                    target(nameMatching("parallel|parallelStream"))
                        .and(
                            target(
                                owner(
                                    assignableTo(Collection.class)
                                        .or(assignableTo(BaseStream.class))))))
                .because("threads come from the workers that were passed in"),
            RunsParallel.class),
        Arguments.of(
            noClasses()
                .should()
                .callMethodWhere(
                    target(nameMatching("format|formatted|printf"))
                        .and(
                            target(
                                owner(
                                    assignableTo(String.class)
                                        .or(assignableTo(PrintStream.class))
                                        .or(assignableTo(PrintWriter.class)))))
                        .and(not(target(rawParameterTypes(FORMAT_IN_A_LOCALE)))))
                .because("digits, and so names and documents, are the same in every locale"),
            FormatsAsTheLocaleHasIt.class),
        Arguments.of(
            noFields()
                .that()
                .areNotDeclaredIn(Pass.Frame.class)
                .should()
                .haveName("$assertionsDisabled")
                .because(
                    "an assert is off where it is needed: input is checked with exceptions; scratch"
                        + " alone is poisoned where assertions are on"),
            Asserts.class),
        Arguments.of(
            fields().that().areStatic().should().beFinal().because("there is no hidden state"),
            KeepsState.class));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("habits")
  void noClassDoesIt(ArchRule rule, Class<?> offender) {
    rule.check(Compiled.classes());
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("habits")
  void theRuleBites(ArchRule rule, Class<?> offender) {
    var classes = new ClassFileImporter().importClasses(offender);
    assertTrue(rule.evaluate(classes).hasViolation());
  }

  private static final class Prints {
    void print() {
      System.err.println();
    }
  }

  private static final class HidesState {
    private final ThreadLocal<float[]> scratch = new ThreadLocal<>();

    float[] scratch() {
      return scratch.get();
    }
  }

  private static final class RunsParallel {
    int sum(List<Integer> values) {
      return values.parallelStream().reduce(0, Integer::sum);
    }
  }

  private static final class FormatsAsTheLocaleHasIt {
    String layer(int index) {
      return "layers.%d".formatted(index);
    }
  }

  private static final class Asserts {
    int half(int value) {
      assert value % 2 == 0;
      return value / 2;
    }
  }

  private static final class KeepsState {
    private static int calls;

    int count() {
      return ++calls;
    }
  }
}
