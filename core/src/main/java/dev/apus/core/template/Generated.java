package dev.apus.core.template;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/**
 * Items that are made as they are asked for, so that each is there once and nobody knows how many
 * there are. Python is particular about that, and so are templates.
 */
record Generated(Iterator<Object> items) {

  static Generated of(List<Object> items) {
    return new Generated(items.iterator());
  }

  /** The items that nobody has taken yet. */
  List<Object> take() {
    List<Object> rest = new ArrayList<>();
    items.forEachRemaining(rest::add);
    return rest;
  }
}
