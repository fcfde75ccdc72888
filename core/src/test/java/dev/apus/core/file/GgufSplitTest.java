package dev.apus.core.file;

import static dev.apus.core.file.GgufBuilder.INT32;
import static dev.apus.core.file.GgufBuilder.STRING;
import static dev.apus.core.file.GgufBuilder.UINT16;
import static dev.apus.core.file.GgufBuilder.i16;
import static dev.apus.core.file.GgufBuilder.i32;
import static dev.apus.core.file.GgufBuilder.string;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A model split into three files, and ways in which the files can disagree. */
class GgufSplitTest {

  @TempDir Path folder;

  @BeforeEach
  void writeThreeParts() throws IOException {
    write(0, part(0, 3).key("general.architecture", STRING, string("llama")));
    write(1, part(1, 3).tensor("a", 24, 2, 2));
    write(2, part(2, 3).tensor("b", 24, 5, 5));
  }

  @Test
  void theFirstPartOpensAll() {
    try (Gguf gguf = Gguf.open(file(0))) {
      assertEquals(List.of("a", "b"), List.copyOf(gguf.tensors().keySet()));
      assertEquals("llama", gguf.metadata().get("general.architecture"));
      assertEquals(4, gguf.tensors().get("b").data().get(ValueLayout.JAVA_BYTE, 4));
      assertEquals("m-00003-of-00003.gguf", gguf.tensors().get("b").file());
    }
  }

  @Test
  void closingTheModelClosesAllParts() {
    Gguf gguf = Gguf.open(file(0));
    var data = gguf.tensors().get("b").data();
    gguf.close();
    gguf.close();
    assertThrows(IllegalStateException.class, () -> data.get(ValueLayout.JAVA_BYTE, 0));
  }

  @Test
  void anotherPartPointsToTheFirst() {
    assertFault(
        1,
        "m-00002-of-00003.gguf: has split.no=1 and split.count=3; open the first part, whose name"
            + " ends in -00001-of-00003.gguf");
  }

  @Test
  void aMissingPartIsNamed() throws IOException {
    Files.delete(file(2));
    assertFault(0, "m-00003-of-00003.gguf: is not there; needed: a file at " + file(2));
  }

  @Test
  void aPartMustSayWhichItIs() throws IOException {
    Files.copy(file(1), file(2), StandardCopyOption.REPLACE_EXISTING);
    assertFault(0, "m-00003-of-00003.gguf: has split.no=1 and split.count=3; needed: 2 and 3");
  }

  @Test
  void aPartMustCountAlike() throws IOException {
    write(2, part(2, 4));
    assertFault(0, "m-00003-of-00003.gguf: has split.no=2 and split.count=4; needed: 2 and 3");
  }

  @Test
  void aTensorMayBeInOnePartOnly() throws IOException {
    write(2, part(2, 3).tensor("a", 24, 2, 2));
    assertFault(
        0,
        "m-00003-of-00003.gguf: tensor a is in m-00002-of-00003.gguf too; a checkpoint holds each"
            + " tensor once");
  }

  @Test
  void thePartsMustHoldAsManyTensorsAsTheFirstSays() throws IOException {
    write(2, part(2, 3).tensor("b", 24, 1, 1).tensor("c", 24, 1, 1));
    assertFault(0, "m-00001-of-00003.gguf: claims 2 tensors in all parts; they have 3");
  }

  @Test
  void aRenamedFirstPartIsRefused() throws IOException {
    Files.move(file(0), folder.resolve("first.gguf"));
    var e = assertThrows(FormatException.class, () -> Gguf.open(folder.resolve("first.gguf")));
    assertEquals(
        "first.gguf: has split.no=0 and split.count=3; open the first part, whose name ends in"
            + " -00001-of-00003.gguf",
        e.getMessage());
  }

  @Test
  void theCountMustBeANumber() {
    byte[] file = new GgufBuilder().key("split.count", STRING, string("3")).build();
    var e =
        assertThrows(FormatException.class, () -> Gguf.of("m.gguf", MemorySegment.ofArray(file)));
    assertEquals("m.gguf: metadata key split.count is no whole number", e.getMessage());
  }

  @Test
  void oneOfSeveralPartsInMemoryIsRefused() {
    byte[] file = part(0, 3).build();
    var e =
        assertThrows(FormatException.class, () -> Gguf.of("m.gguf", MemorySegment.ofArray(file)));
    assertEquals("m.gguf: is one of 3 parts; open them as files", e.getMessage());
  }

  private void assertFault(int part, String message) {
    var e = assertThrows(FormatException.class, () -> Gguf.open(file(part)));
    assertEquals(message, e.getMessage());
  }

  private static GgufBuilder part(int number, int count) {
    return new GgufBuilder()
        .key("split.no", UINT16, i16(number))
        .key("split.count", UINT16, i16(count))
        .key("split.tensors.count", INT32, i32(2));
  }

  private Path file(int number) {
    return folder.resolve("m-0000" + (number + 1) + "-of-00003.gguf");
  }

  private void write(int number, GgufBuilder part) throws IOException {
    Files.write(file(number), part.build());
  }
}
