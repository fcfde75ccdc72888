package dev.apus.core.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BatchTest {

  @Test
  void runsLieBackToBack() {
    var batch = new Batch<>(List.of(new Run<>("a", 0, 3, 7), new Run<>("b", 3, 4, 0)));
    assertEquals(4, batch.rows());
    assertEquals(3, batch.runs().getFirst().length());
    assertEquals(
        List.of(new Run<>(1, 0, 3, 7), new Run<>(1, 3, 4, 0)), batch.map(String::length).runs());
    assertEquals(0, new Batch<>(List.of()).rows());
    assertEquals(List.of(new Run<>("a", 0, 5, 2)), Batch.of("a", 5, 2).runs());
  }

  @ParameterizedTest
  @CsvSource({"1, 2, 0", "0, 4, 3", "0, 2, 3"})
  void gapsAndOverlapsAreRefused(int first, int from, int expected) {
    List<Run<String>> runs = List.of(new Run<>("a", first, 3, 0), new Run<>("b", from, 9, 0));
    int found = first > 0 ? first : from;
    var e = assertThrows(IllegalArgumentException.class, () -> new Batch<>(runs));
    assertEquals("a run starts at row " + found + ", expected " + expected, e.getMessage());
  }

  @ParameterizedTest
  @CsvSource({"-1, 2, 0", "2, 2, 0", "3, 2, 0", "0, 1, -1"})
  void aRunHasRowsAndAPlace(int from, int to, int position) {
    var e = assertThrows(IllegalArgumentException.class, () -> new Run<>("a", from, to, position));
    assertEquals(
        "a run needs at least one row, found [" + from + ", " + to + ") at " + position,
        e.getMessage());
  }
}
