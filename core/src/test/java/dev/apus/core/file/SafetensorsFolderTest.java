package dev.apus.core.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A checkpoint in two shards, and ways in which the index and the shards can disagree. */
class SafetensorsFolderTest {

  private static final String INDEX =
      """
      {"metadata":{"total_size":12},"weight_map":{"a":"1.safetensors","b":"2.safetensors"}}\
      """;

  @TempDir Path home;
  private Path folder;

  @BeforeEach
  void writeTwoShards() throws IOException {
    folder = Files.createDirectory(home.resolve("model"));
    new SafetensorsWriter().add("a", new float[] {1, 2}, 2).write(folder.resolve("1.safetensors"));
    new SafetensorsWriter().add("b", new float[] {3}).write(folder.resolve("2.safetensors"));
    writeIndex(INDEX);
  }

  @Test
  void theIndexOpensAllShards() {
    try (TensorFile file = Safetensors.openFolder(folder)) {
      assertEquals("model", file.name());
      assertEquals(List.of("a", "b"), List.copyOf(file.tensors().keySet()));
      assertEquals("2.safetensors", file.tensors().get("b").file());
    }
  }

  @Test
  void closingTheFolderClosesAllShards() {
    TensorFile file = Safetensors.openFolder(folder);
    var data = file.tensors().get("b").data();
    file.close();
    file.close();
    assertThrows(IllegalStateException.class, () -> data.get(ValueLayout.JAVA_BYTE, 0));
    var e = assertThrows(IllegalStateException.class, file::tensors);
    assertEquals("model is closed", e.getMessage());
  }

  @Test
  void aSingleFileComesFirst() throws IOException {
    new SafetensorsWriter().add("c", new float[1]).write(folder.resolve("model.safetensors"));
    try (TensorFile file = Safetensors.openFolder(folder)) {
      assertEquals("model.safetensors", file.name());
    }
  }

  @Test
  void anEmptyFolderSaysWhatItNeeds() throws IOException {
    Path empty = Files.createDirectory(home.resolve("empty"));
    var e = assertThrows(FormatException.class, () -> Safetensors.openFolder(empty));
    assertEquals(
        "empty: holds neither model.safetensors nor model.safetensors.index.json; looked in "
            + empty,
        e.getMessage());
  }

  @Test
  void aFileIsNoFolder() {
    var e =
        assertThrows(
            FormatException.class, () -> Safetensors.openFolder(folder.resolve("1.safetensors")));
    assertEquals("1.safetensors: is no folder; needed: the folder of a checkpoint", e.getMessage());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "../../etc/passwd",
        "/etc/passwd",
        "..",
        ".",
        "",
        "sub/1.safetensors",
        "C:1.safetensors",
        "..\\\\1.safetensors"
      })
  void onlyFilesBesideTheIndexAreRead(String name) throws IOException {
    assertIndexFault(
        INDEX.replace("1.safetensors", name),
        "names a file \"%s\"; only files beside it are read".formatted(name.replace("\\\\", "\\")));
  }

  @Test
  void aNameThatNoFileHasIsRefused() throws IOException {
    assertIndexFault(
        INDEX.replace("1.safetensors", "a\\u0000b"),
        "names a file \"a\\u{0}b\", which is no file name");
  }

  @Test
  void aLinkOutOfTheFolderIsNotFollowed() throws IOException {
    Path outside = Files.move(folder.resolve("1.safetensors"), home.resolve("outside"));
    Files.createSymbolicLink(folder.resolve("1.safetensors"), outside);
    assertIndexFault(
        INDEX,
        "names a file \"1.safetensors\", which links out of its folder, to "
            + outside.toRealPath());
  }

  @Test
  void theLinksOfTheHubCacheAreFollowed() throws IOException {
    Path snapshots = Files.createDirectories(home.resolve("hub/snapshots"));
    Path blobs = Files.createDirectories(home.resolve("hub/blobs"));
    folder = Files.move(folder, snapshots.resolve("c0ffee"));
    Path blob = Files.move(folder.resolve("1.safetensors"), blobs.resolve("1234"));
    Files.createSymbolicLink(
        folder.resolve("1.safetensors"), Path.of("../../blobs").resolve(blob.getFileName()));
    Safetensors.openFolder(folder).close();
  }

  @Test
  void aShardThatIsAFolderIsRefused() throws IOException {
    Files.delete(folder.resolve("1.safetensors"));
    Files.createDirectory(folder.resolve("1.safetensors"));
    assertFault("1.safetensors: is a folder; needed: a file at " + folder.resolve("1.safetensors"));
  }

  @Test
  void aMissingShardIsNamed() throws IOException {
    Files.delete(folder.resolve("2.safetensors"));
    assertIndexFault(INDEX, "names a file \"2.safetensors\", which is not there");
  }

  @Test
  void aTensorInTwoShardsIsRefused() throws IOException {
    new SafetensorsWriter().add("a", new float[1]).write(folder.resolve("2.safetensors"));
    assertFault(
        "2.safetensors: tensor a is in 1.safetensors too; a checkpoint holds each tensor once");
  }

  @Test
  void aTensorInTheIndexOnlyIsRefused() throws IOException {
    writeIndex(INDEX.replace("\"b\":", "\"c\":\"1.safetensors\",\"b\":"));
    assertFault("model.safetensors.index.json: tensor c should be in 1.safetensors and is not");
  }

  @Test
  void aTensorInAnotherShardThanTheIndexSaysIsRefused() throws IOException {
    writeIndex(
        INDEX
            .replace("\"a\":\"1", "\"a\":\"x")
            .replace("\"b\":\"2", "\"b\":\"1")
            .replace("\"a\":\"x", "\"a\":\"2"));
    assertFault("model.safetensors.index.json: tensor a should be in 2.safetensors and is not");
  }

  @Test
  void aTensorInAShardOnlyIsRefused() throws IOException {
    new SafetensorsWriter()
        .add("b", new float[1])
        .add("c", new float[1])
        .write(folder.resolve("2.safetensors"));
    assertFault("2.safetensors: tensor c is not in model.safetensors.index.json");
  }

  @Test
  void theIndexMustBeSound() throws IOException {
    assertIndexFault(
        INDEX.replace(":12}", ":13}"), "claims a total_size of 13; the tensors have 12 bytes");
    assertIndexFault(
        INDEX.replace(":12}", ":\"12\"}"),
        "claims a total_size of \"12\"; the tensors have 12 bytes");
    assertIndexFault(
        INDEX.replace("\"metadata\"", "\"extra\""),
        "has a key \"extra\"; known: metadata, weight_map");
    assertIndexFault("{\"weight_map\":[]}", "needs an object weight_map");
    assertIndexFault("{}", "needs an object weight_map");
  }

  @Test
  void aFileNameMustBeAString() throws IOException {
    writeIndex(INDEX.replace("\"1.safetensors\"", "1"));
    assertFault("model.safetensors.index.json: tensor a needs the name of a file, not 1");
  }

  @Test
  void aMalformedIndexSaysWhere() throws IOException {
    assertIndexFault("{\n\"a\":", "line 2, column 5: the text ends here, unfinished");
    assertIndexFault(
        "{\"weight_map\":{\"a\":\"x\",\n\"a\":\"y\"}}",
        "line 2, column 1: key \"a\" is here a second time; first on line 1");
  }

  @Test
  void aBrokenShardLeavesNothingMapped() throws IOException {
    Files.write(folder.resolve("2.safetensors"), new byte[7]);
    for (int i = 0; i < 1000; i++) {
      assertThrows(FormatException.class, () -> Safetensors.openFolder(folder));
    }
    Path maps = Path.of("/proc/self/maps");
    if (Files.exists(maps)) {
      assertTrue(
          Files.readAllLines(maps).stream().noneMatch(line -> line.contains(home.toString())));
    }
  }

  private void assertIndexFault(String index, String message) throws IOException {
    writeIndex(index);
    assertFault("model.safetensors.index.json: " + message);
  }

  private void assertFault(String message) {
    var e = assertThrows(FormatException.class, () -> Safetensors.openFolder(folder));
    assertEquals(message, e.getMessage());
  }

  private void writeIndex(String json) throws IOException {
    Files.writeString(folder.resolve("model.safetensors.index.json"), json);
  }
}
