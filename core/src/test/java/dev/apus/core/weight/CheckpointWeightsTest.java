package dev.apus.core.weight;

import static dev.apus.core.weight.WeightNames.from;
import static dev.apus.core.weight.WeightNames.joined;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.apus.core.weight.WeightSource.Key;
import dev.apus.kernels.block.WeightFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Which tensors a table of names finds, and what is said if they do not fit. */
class CheckpointWeightsTest {

  private static final Key OURS = new Key("ours", 3, 2);
  private static final Key BIAS = new Key("ours.bias", 3, 2);

  private static float[] find(InMemoryFile file, WeightNames names, Key key, int rows, int cols) {
    return new CheckpointWeights(file, names).find(key, rows, cols, null).decode();
  }

  private static String refusal(InMemoryFile file, WeightNames names, int rows, int cols) {
    return assertThrows(WeightException.class, () -> find(file, names, OURS, rows, cols))
        .getMessage();
  }

  @Test
  void layerAndExpertArePutIntoTheName() {
    var file = new InMemoryFile().with("l.3.e.2.w", 2, 3).with("l.3.e.1.w", 1, 1);
    var names = new WeightNames().row("ours", "l.{i}.e.{e}.w");
    assertArrayEquals(new float[] {0, 1, 2, 3, 4, 5}, find(file, names, OURS, 2, 3));
  }

  @ParameterizedTest
  @CsvSource({"a.weight, a.bias", "a, a.bias", "x.weight.y, x.weight.y.bias"})
  void aBiasIsFoundUnderItsWeightsName(String weight, String bias) {
    var file = new InMemoryFile().with(bias, 3);
    var names = new WeightNames().row("ours", weight);
    assertArrayEquals(new float[] {0, 1, 2}, find(file, names, BIAS, 1, 3));
  }

  @Test
  void aBiasMayHaveARowOfItsOwn() {
    var file = new InMemoryFile().with("own", 2).with("a.bias", 3);
    var names = new WeightNames().row("ours", "a.weight").row("ours.bias", "own");
    assertArrayEquals(new float[] {0, 1}, find(file, names, BIAS, 1, 2));
  }

  @Test
  void laterRowsAreTriedFirstAndEarlierOnesStay() {
    var names = new WeightNames().row("ours", "old").row("ours", "new");
    var both = new InMemoryFile().with("old", 1).with("new", 2);
    assertEquals(2, find(both, names, OURS, 1, 2).length);
    assertEquals(1, find(new InMemoryFile().with("old", 1), names, OURS, 1, 1).length);
  }

  @ParameterizedTest
  @CsvSource({"3.w", "model.3.w"})
  void aPrefixMayBeLeftOut(String stored) {
    var names = new WeightNames().row("ours", "model.{i}.w").prefix("model.", "");
    assertEquals(2, find(new InMemoryFile().with(stored, 2), names, OURS, 1, 2).length);
  }

  @Test
  void anExpertHasItsRowsOfTheCommonTensor() {
    var file = new InMemoryFile().with("all", 4, 6, 2);
    var gate = new WeightNames().row("ours", from("all").ofExpert(6, 0, 3));
    var up = new WeightNames().row("ours", from("all").ofExpert(6, 3, 3));
    assertArrayEquals(new float[] {24, 25, 26, 27, 28, 29}, find(file, gate, OURS, 3, 2));
    assertArrayEquals(new float[] {30, 31, 32, 33, 34, 35}, find(file, up, OURS, 3, 2));
    assertEquals(
        "tiny.bin: tensor all has 12 rows, row 12 is needed",
        refusal(new InMemoryFile().with("all", 2, 6, 2), gate, 3, 2));
  }

  @Test
  void anExpertsRowsAreThoseOfTheConvertedTensor() {
    var file = new InMemoryFile().with("all", 2, 6);
    var names =
        new WeightNames().row("ours", from("all").as(Conversion.TRANSPOSED).ofExpert(2, 0, 2));
    assertArrayEquals(new float[] {4, 10, 5, 11}, find(file, names, OURS, 2, 2));
  }

  @Test
  void tensorsAreJoinedInTheOrderOfTheTable() {
    var file = new InMemoryFile().with("b", 1, 2).with("a", 2, 2);
    var names = new WeightNames().row("ours", joined("a", "b"));
    assertArrayEquals(new float[] {0, 1, 2, 3, 0, 1}, find(file, names, OURS, 3, 2));
  }

  @ParameterizedTest
  @CsvSource({"3, 1, 2, 3, 2", "1, 1, 6, 1, 6", "6, 1, 1, 1, 6", "1, 6, 1, 6, 1", "2, 1, 3, 1, 6"})
  void dimensionsOfOneDoNotCount(long a, long b, long c, int rows, int cols) {
    var file = new InMemoryFile().with("w", a, b, c);
    var names = new WeightNames().row("ours", "w");
    assertArrayEquals(new float[] {0, 1, 2, 3, 4, 5}, find(file, names, OURS, rows, cols));
  }

  @Test
  void aScalarIsAVectorOfOne() {
    var names = new WeightNames().row("ours", "s");
    assertArrayEquals(new float[] {0}, find(new InMemoryFile().with("s"), names, OURS, 1, 1));
  }

  @ParameterizedTest
  @EnumSource(
      value = WeightFormat.class,
      names = {"F32", "F16", "BF16", "Q8_0", "Q4_0", "MXFP4"})
  void tensorsOfOneLayerMayDifferInFormat(WeightFormat format) {
    float[] values = new float[64];
    values[5] = -8;
    var file = new InMemoryFile().with("w", format, values, 2, 32);
    var names = new WeightNames().row("ours", "w");
    assertEquals(format, new CheckpointWeights(file, names).find(OURS, 2, 32, null).format());
    assertArrayEquals(values, find(file, names, OURS, 2, 32), 0.02f);
  }

  @Test
  void aWeightWithoutARowInTheTableIsRefused() {
    assertEquals(
        "tiny.bin: this family's table of names has no row for ours",
        refusal(new InMemoryFile(), new WeightNames().row("other", "w"), 1, 1));
  }

  @Test
  void aMissingTensorIsNamedWithItsNearest() {
    var names = new WeightNames().row("ours", "layers.{i}.mlp.up.weight");
    var file =
        new InMemoryFile()
            .with("embed", 1)
            .with("layers.3.mlp.upp.weight", 1)
            .with("layers.3.mlp.down.weight", 1)
            .with("layers.2.mlp.up.weight", 1);
    assertEquals(
        "tiny.bin: layer 3 ours of expert 2 needs the tensor layers.3.mlp.up.weight [4, 5], which"
            + " is not there; nearest names: layers.3.mlp.upp.weight, layers.2.mlp.up.weight,"
            + " layers.3.mlp.down.weight",
        refusal(file, names, 4, 5));
    assertEquals(
        "tiny.bin: layer 3 ours of expert 2 needs the tensor layers.3.mlp.up.weight [4, 5], which"
            + " is not there; nearest names: none",
        refusal(new InMemoryFile(), names, 4, 5));
  }

  @Test
  void ofTensorsThatAreJoinedTheMissingOneIsNamed() {
    var names = new WeightNames().row("ours", joined("a", "b", "c"));
    assertEquals(
        "tiny.bin: layer 3 ours of expert 2 needs the tensor b [4, 5], which is not there; nearest"
            + " names: a, c",
        refusal(new InMemoryFile().with("a", 1, 5).with("c", 2, 5), names, 4, 5));
  }

  @Test
  void anotherShapeIsRefusedWithBoth() {
    var names = new WeightNames().row("ours", "w");
    assertEquals(
        "tiny.bin: tensor w is [3, 2], which gives [3, 2]; layer 3 ours of expert 2 must be [2, 3]",
        refusal(new InMemoryFile().with("w", 3, 2), names, 2, 3));
    assertEquals(
        "tiny.bin: tensor w is [2, 2, 2], which gives [4, 2]; layer 3 ours of expert 2 must be"
            + " [2, 4]",
        refusal(new InMemoryFile().with("w", 2, 2, 2), names, 2, 4));
    assertEquals(
        "tiny.bin: tensor w is [0, 3], which gives [0, 3]; layer 3 ours of expert 2 must be [1, 3]",
        refusal(new InMemoryFile().with("w", 0, 3), names, 1, 3));
  }

  @Test
  void tensorsThatDoNotFitTogetherAreNotJoined() {
    var names = new WeightNames().row("ours", joined("a", "b"));
    assertEquals(
        "tiny.bin: tensor b is F32[2, 3] and cannot be joined to tiny.bin: tensor a, F32[1, 4]",
        refusal(new InMemoryFile().with("a", 1, 4).with("b", 2, 3), names, 3, 4));
    var mixed = new InMemoryFile().with("a", 1, 4);
    mixed.with("b", WeightFormat.F16, new float[4], 1, 4);
    assertEquals(
        "tiny.bin: tensor b is F16[1, 4] and cannot be joined to tiny.bin: tensor a, F32[1, 4]",
        refusal(mixed, names, 2, 4));
  }

  @Test
  void whatNobodyAskedForIsUnread() {
    var file = new InMemoryFile().with("a", 1).with("b", 1).with("x.inv_freq", 1).with("c", 1);
    var names = new WeightNames().row("ours", joined("a", "b")).ignore(".*\\.inv_freq");
    var weights = new CheckpointWeights(file, names);
    assertEquals(List.of("a", "b", "c"), weights.unread());
    weights.find(OURS, 1, 2, null);
    assertEquals(List.of("c"), weights.unread());
  }

  /** A head that is tied may be stored as well, as long as it says the same. */
  @Test
  void aCopyMustBeOne() {
    var names = new WeightNames().row("ours", "e").row("copy", "h");
    Key copy = new Key("copy", -1, -1);
    var without = new CheckpointWeights(new InMemoryFile().with("e", 2, 3), names);
    without.expectCopy(copy, OURS, 2, 3);
    var same = new CheckpointWeights(new InMemoryFile().with("e", 2, 3).with("h", 2, 3), names);
    same.expectCopy(copy, OURS, 2, 3);
    assertEquals(List.of(), same.unread());
    for (WeightFormat format : List.of(WeightFormat.F32, WeightFormat.F16)) {
      float[] values = {0, 1, 2, 3, 4, format == WeightFormat.F32 ? 6 : 5};
      var file = new InMemoryFile().with("e", 2, 3).with("h", format, values, 2, 3);
      var weights = new CheckpointWeights(file, names);
      var e = assertThrows(WeightException.class, () -> weights.expectCopy(copy, OURS, 2, 3));
      assertEquals(
          "tiny.bin: tensor h differs from tiny.bin: tensor e, but the config ties the two; remove"
              + " it, or untie them",
          e.getMessage());
    }
  }

  @Test
  void aPlaceIsWhateverTheLayerHasThere() {
    var file = new InMemoryFile().with("l.odd.3.w", 2).with("l.even.4.w", 3);
    var names =
        new WeightNames()
            .place("kind", i -> i % 2 == 0 ? "even" : "odd")
            .row("ours", "l.{kind}.{i}.w");
    assertEquals(2, find(file, names, new Key("ours", 3, -1), 1, 2).length);
    assertEquals(3, find(file, names, new Key("ours", 4, -1), 1, 3).length);
  }

  /** What layers share may be stored once for each of them, as long as all say the same. */
  @Test
  void copiesMustBeEqual() {
    var names = new WeightNames().row("ours", "l.3.s.w").copies("l.7.s.", "l.3.s.");
    var same = new InMemoryFile().with("l.3.s.w", 2, 3).with("l.7.s.w", 2, 3);
    var weights = new CheckpointWeights(same.with("l.7.s.other", 1), names);
    weights.find(OURS, 2, 3, null);
    assertEquals(List.of("l.7.s.other"), weights.unread());
    for (int rows : new int[] {2, 1}) {
      float[] values = rows == 2 ? new float[] {0, 1, 2, 3, 4, 6} : new float[] {0, 1, 2};
      var file = new InMemoryFile().with("l.3.s.w", 2, 3);
      file.with("l.7.s.w", WeightFormat.F32, values, rows, 3);
      var differing = new CheckpointWeights(file, names);
      differing.find(OURS, 2, 3, null);
      var e = assertThrows(WeightException.class, differing::unread);
      assertEquals(
          "l.7.s.w differs from l.3.s.w, but the layers share it; make them equal, or leave it out",
          e.getMessage());
    }
  }
}
