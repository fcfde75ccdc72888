package dev.apus.core.model;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.apus.core.model.RecurrentState.Region;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

/** What states of several parts have besides the laws of mixers: growth, and limits to it. */
class RecurrentStatesTest {

  private static final int MOST = 4;

  private static RecurrentStates states(int count) {
    return RecurrentStates.of(count, MOST, part -> RecurrentState.of(new Region(1, 3)));
  }

  private static void set(RecurrentStates states, int part, float value) {
    RecurrentState state = states.part(part);
    state.keep(0);
    state.segment().set(JAVA_FLOAT, state.at(0), value);
    state.changed();
  }

  private static float get(RecurrentStates states, int part) {
    return states.part(part).segment().get(JAVA_FLOAT, states.part(part).at(0));
  }

  private static byte[] written(RecurrentStates states) throws IOException {
    var bytes = new ByteArrayOutputStream();
    states.write(new DataOutputStream(bytes));
    return bytes.toByteArray();
  }

  private static DataInputStream in(byte[] bytes) {
    return new DataInputStream(new ByteArrayInputStream(bytes));
  }

  @Test
  void marksOfDifferentSizesAreGoodInAnyOrder() {
    try (RecurrentStates states = states(1)) {
      set(states, 0, 1);
      MixerState.Mark one = states.mark(null);
      states.grow(3);
      set(states, 0, 2);
      set(states, 2, 5);
      MixerState.Mark three = states.mark(null);
      set(states, 2, 7);
      one.rewind();
      assertEquals(1, get(states, 0));
      three.rewind();
      assertEquals(2, get(states, 0));
      assertEquals(5, get(states, 2));
      one.close();
      MixerState.Mark again = states.mark(one);
      set(states, 2, 9);
      again.rewind();
      assertEquals(5, get(states, 2));
    }
  }

  @Test
  void aStateBecomesOneOfMoreOrFewerParts() throws IOException {
    try (RecurrentStates few = states(1);
        RecurrentStates many = states(3)) {
      set(few, 0, 1);
      set(many, 0, 2);
      set(many, 2, 3);
      try (RecurrentStates copy = many.copy()) {
        copy.become(few);
        assertEquals(1, get(copy, 0));
        copy.read(in(written(many)));
        assertEquals(2, get(copy, 0));
        assertEquals(3, get(copy, 2));
      }
      long before = few.bytes();
      few.become(many);
      assertEquals(3, get(few, 2));
      assertEquals(3 * before, few.bytes());
    }
  }

  @Test
  void aFileOfMorePartsThanThereCanBeIsRefused() throws IOException {
    try (RecurrentStates states = states(2)) {
      set(states, 1, 4);
      for (int count : new int[] {-1, MOST + 1}) {
        byte[] file = ByteBuffer.allocate(100).putInt(count).array();
        var e = assertThrows(IOException.class, () -> states.read(in(file)));
        assertEquals("a state of " + count + " parts; this mixer has at most 4", e.getMessage());
        assertEquals(4, get(states, 1));
      }
    }
  }

  @Test
  void growthHasAnEnd() {
    try (RecurrentStates states = states(1)) {
      assertEquals(MOST, states.grow(MOST).count());
      assertThrows(IllegalArgumentException.class, () -> states.grow(MOST + 1));
    }
  }
}
