package dev.apus.core.template;

/**
 * The value of a name or a member that is not there: it prints as nothing, and nothing can be done
 * with it.
 *
 * @param what was asked for, as an error says it
 */
record Undefined(String what) {}
