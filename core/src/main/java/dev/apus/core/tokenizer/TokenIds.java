package dev.apus.core.tokenizer;

import dev.apus.core.text.TextList;
import java.util.AbstractMap;
import java.util.AbstractSet;
import java.util.Arrays;
import java.util.Iterator;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * The ids of tokens by their texts, and their texts by the ids, in the order in which they were
 * added. Takes a quarter of the memory of a hash map, whose entries, strings and numbers are
 * objects.
 */
final class TokenIds extends AbstractMap<String, Integer> {

  private static final int NONE = Vocabulary.NONE;

  private final TextList texts = new TextList();

  /** The id of each text. */
  private final int[] ids;

  /** Where the text of each id is, or {@link #NONE}. */
  private int[] places = new int[0];

  /** An open hash table from a text to its place; half of it stays empty. */
  private final int[] slots;

  /** Unlike from run to run, so that no file can name many tokens that share a slot. */
  private final long seed = System.nanoTime();

  /**
   * Makes an empty map.
   *
   * @param most how many tokens will be added at most
   */
  TokenIds(int most) {
    ids = new int[most];
    slots = new int[Integer.highestOneBit(Math.max(8, most)) * 4];
    Arrays.fill(slots, NONE);
  }

  /**
   * Adds a token; an id that had another text has this one then.
   *
   * @return false if its text is there already, and then nothing else happens
   */
  boolean add(String text, int id) {
    int slot = slot(text);
    if (slots[slot] != NONE) {
      return false;
    }
    if (id >= places.length) {
      int from = places.length;
      places = Arrays.copyOf(places, Math.max(Math.max(id + 1, ids.length), from + from / 2));
      Arrays.fill(places, from, places.length, NONE);
    }
    int place = texts.size();
    slots[slot] = place;
    places[id] = place;
    ids[place] = id;
    return texts.add(text);
  }

  /** Whether an id has a text. */
  boolean has(int id) {
    return id < places.length && places[id] != NONE;
  }

  /** The text of an id, or null. */
  String text(int id) {
    return has(id) ? texts.get(places[id]) : null;
  }

  /** The id of a text, or {@link Vocabulary#NONE}. */
  int id(String text) {
    int place = slots[slot(text)];
    return place == NONE ? NONE : ids[place];
  }

  /** Where a text is in the table, or the empty slot where it would be. */
  private int slot(String text) {
    long hash = seed;
    for (int i = 0; i < text.length(); i++) {
      hash = (hash ^ text.charAt(i)) * 0x9E3779B97F4A7C15L;
      hash ^= hash >>> 32;
    }
    int slot = (int) hash & (slots.length - 1);
    while (slots[slot] != NONE && !texts.is(slots[slot], text)) {
      slot = (slot + 1) & (slots.length - 1);
    }
    return slot;
  }

  @Override
  public Integer get(Object key) {
    int id = key instanceof String text ? id(text) : NONE;
    return id == NONE ? null : Integer.valueOf(id);
  }

  @Override
  public boolean containsKey(Object key) {
    return get(key) != null;
  }

  /** Looks once, where the inherited one looks again for what is not there. */
  @Override
  public Integer getOrDefault(Object key, Integer otherwise) {
    Integer id = get(key);
    return id == null ? otherwise : id;
  }

  @Override
  public int size() {
    return texts.size();
  }

  @Override
  public Set<Map.Entry<String, Integer>> entrySet() {
    return new AbstractSet<>() {

      @Override
      public Iterator<Map.Entry<String, Integer>> iterator() {
        return IntStream.range(0, size())
            .mapToObj(place -> Map.entry(texts.get(place), ids[place]))
            .iterator();
      }

      @Override
      public int size() {
        return texts.size();
      }
    };
  }
}
