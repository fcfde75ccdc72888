package dev.apus.core.template;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What a loop's body knows of the loop. */
final class LoopState {

  private LoopState() {}

  /**
   * @param changed holds what {@code loop.changed} was given last
   */
  static Map<String, Object> of(List<Object> items, int index, Object[] changed) {
    int count = items.size();
    Map<String, Object> loop = new HashMap<>();
    loop.put("index", index + 1L);
    loop.put("index0", (long) index);
    loop.put("revindex", (long) count - index);
    loop.put("revindex0", count - index - 1L);
    loop.put("first", index == 0);
    loop.put("last", index == count - 1);
    loop.put("length", (long) count);
    loop.put("depth", 1L);
    loop.put("depth0", 0L);
    if (index > 0) {
      loop.put("previtem", items.get(index - 1));
    }
    if (index < count - 1) {
      loop.put("nextitem", items.get(index + 1));
    }
    Callable cycle = given -> given.inOrder().get(index % given.inOrder().size());
    Callable hasChanged =
        given -> {
          boolean same = changed[0] != null && Values.equal(changed[0], given.inOrder());
          changed[0] = given.inOrder();
          return !same;
        };
    loop.put("cycle", cycle);
    loop.put("changed", hasChanged);
    return loop;
  }
}
