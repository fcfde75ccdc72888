package dev.apus.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is chosen for JVMs of every kind. */
class SelectionTest {

  private static final Runtime.Version SOUND = Runtime.Version.parse("25.0.3+9");

  private static JvmFacts facts(String choice, int vectorBits) {
    return facts(choice, vectorBits, "mixed mode, sharing", 4, false);
  }

  private static JvmFacts facts(
      String choice, int vectorBits, String mode, int compilerLevel, boolean jvmci) {
    return new JvmFacts(choice, vectorBits, mode, compilerLevel, jvmci, true, SOUND, "a JVM");
  }

  @ParameterizedTest
  @ValueSource(ints = {128, 256, 512})
  void takesVectorsWhereTheyAreFast(int bits) {
    assumeTrue(VectorApi.isPresent());
    for (String choice : new String[] {null, "auto", "vector"}) {
      Selection selection = Selection.of(facts(choice, bits));
      assertSame(Kernels.vector(), selection.kernels());
      assertEquals(bits, selection.report().vectorBits());
      assertEquals("a JVM", selection.report().jdk());
      assertEquals(List.of(), selection.report().warnings());
    }
  }

  @Test
  void withoutTheModuleTakesTheScalarSetAndSaysWhatToAdd() {
    assertScalar(facts(null, 0), "--add-modules jdk.incubator.vector");
  }

  @ParameterizedTest
  @ValueSource(ints = {64, 1024})
  void refusesVectorsOfOtherLengths(int bits) {
    assertScalar(facts("auto", bits), "-XX:MaxVectorSize");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "interpreted mode, sharing; 4; false; -Xint",
        "mixed mode, emulated-client, sharing; 4; false; TieredStopAtLevel",
        "mixed mode; 1; false; TieredStopAtLevel",
        "mixed mode; 3; false; TieredStopAtLevel",
        "mixed mode; 4; true; JVMCI"
      })
  void withoutTheCompilerTakesTheScalarSet(String mode, int level, boolean jvmci, String remedy) {
    assertScalar(facts(null, 512, mode, level, jvmci), remedy);
  }

  @Test
  void takesTheScalarSetOnRequestWithoutAWarning() {
    Selection selection = Selection.of(facts("scalar", 512));
    assertSame(Kernels.scalar(), selection.kernels());
    assertEquals(List.of(), selection.report().warnings());
    assertEquals(0, selection.report().vectorBits());
    assertEquals("scalar", selection.report().kernels());
  }

  @Test
  void aForcedChoiceNeverFallsBack() {
    var e = assertThrows(IllegalStateException.class, () -> Selection.of(facts("vector", 0)));
    assertEquals(
        "apus.kernels=vector: the vector kernels need the module jdk.incubator.vector; "
            + "add --add-modules jdk.incubator.vector to the java command line",
        e.getMessage());
  }

  @Test
  void aForcedChoiceThatWillBeSlowIsTakenWithAWarning() {
    assumeTrue(VectorApi.isPresent());
    Selection selection = Selection.of(facts("vector", 512, "interpreted mode", 4, false));
    assertSame(Kernels.vector(), selection.kernels());
    assertEquals(1, selection.report().warnings().size());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "simd", "VECTOR"})
  void namesThePropertyThatHoldsJunk(String junk) {
    var e = assertThrows(IllegalArgumentException.class, () -> Selection.of(facts(junk, 512)));
    assertEquals(
        "system property apus.kernels is \"" + junk + "\"; it may be auto, vector or scalar",
        e.getMessage());
  }

  @ParameterizedTest
  @CsvSource({
    "25, true, true",
    "25.0.2, true, true",
    "25.0.2, false, false",
    "25.0.3, true, false",
    "26, true, false"
  })
  void warnsOfTheCollectorThatCorruptsItsHeap(String version, boolean g1, boolean warned) {
    var facts =
        new JvmFacts(
            "scalar", 0, "mixed mode", 4, false, g1, Runtime.Version.parse(version), "a JVM");
    List<String> warnings = Selection.of(facts).report().warnings();
    assertEquals(warned ? 1 : 0, warnings.size());
    assertTrue(!warned || warnings.getFirst().contains("-XX:+UseParallelGC"));
  }

  @Test
  void readsTheFactsOfThisJvm() {
    JvmFacts facts = JvmFacts.read();
    assertEquals(VectorApi.isPresent(), facts.vectorBits() > 0);
    assertEquals(Runtime.version(), facts.version());
    assertTrue(facts.compilerLevel() > 0);
  }

  private static void assertScalar(JvmFacts facts, String remedy) {
    Selection selection = Selection.of(facts);
    assertSame(Kernels.scalar(), selection.kernels());
    assertEquals(1, selection.report().warnings().size());
    String warning = selection.report().warnings().getFirst();
    assertTrue(warning.contains(remedy), warning);
  }
}
