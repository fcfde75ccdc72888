package dev.apus.core.template;

/** A value that can be called. */
interface Callable {

  Object call(Arguments given);
}
