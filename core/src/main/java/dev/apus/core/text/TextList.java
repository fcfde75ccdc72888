package dev.apus.core.text;

import java.util.AbstractList;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.RandomAccess;

/**
 * A list of short texts that takes a third of the memory of its strings: they lie end to end, and
 * each is made anew when it is asked for. Texts are added at the end and stay.
 */
public final class TextList extends AbstractList<String> implements RandomAccess {

  /** Texts lie in groups, since one that grew with the list would be copied again and again. */
  private static final int GROUP_BITS = 8;

  private static final int GROUP = 1 << GROUP_BITS;

  private final List<Group> groups = new ArrayList<>();

  /** The last group, as long as it is not full. */
  private final StringBuilder open = new StringBuilder();

  private final int[] openEnds = new int[GROUP];
  private int size;

  private record Group(CharSequence text, int[] ends) {

    int from(int index) {
      int at = index % GROUP;
      return at == 0 ? 0 : ends[at - 1];
    }

    int to(int index) {
      return ends[index % GROUP];
    }
  }

  @Override
  public boolean add(String text) {
    open.append(text);
    openEnds[size++ % GROUP] = open.length();
    if (size % GROUP == 0) {
      groups.add(new Group(open.toString(), openEnds.clone()));
      open.setLength(0);
    }
    modCount++;
    return true;
  }

  @Override
  public String get(int index) {
    Group group = group(index);
    return group.text().subSequence(group.from(index), group.to(index)).toString();
  }

  /** Whether a text of the list is this one; makes no string. */
  public boolean is(int index, String text) {
    Group group = group(index);
    int from = group.from(index);
    if (group.to(index) - from != text.length()) {
      return false;
    }
    for (int i = 0; i < text.length(); i++) {
      if (group.text().charAt(from + i) != text.charAt(i)) {
        return false;
      }
    }
    return true;
  }

  private Group group(int index) {
    int group = Objects.checkIndex(index, size) >>> GROUP_BITS;
    return group < groups.size() ? groups.get(group) : new Group(open, openEnds);
  }

  @Override
  public int size() {
    return size;
  }
}
