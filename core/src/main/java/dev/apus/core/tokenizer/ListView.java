package dev.apus.core.tokenizer;

import java.util.AbstractList;
import java.util.RandomAccess;
import java.util.function.IntFunction;

/**
 * A list whose elements are made when they are asked for, since a hundred thousand of them that
 * live as long as a vocabulary is read would take room for good.
 */
final class ListView<T> extends AbstractList<T> implements RandomAccess {

  private final int size;
  private final IntFunction<T> elements;

  ListView(int size, IntFunction<T> elements) {
    this.size = size;
    this.elements = elements;
  }

  @Override
  public T get(int index) {
    return elements.apply(index);
  }

  @Override
  public int size() {
    return size;
  }
}
