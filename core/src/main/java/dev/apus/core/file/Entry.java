package dev.apus.core.file;

import java.util.List;

/**
 * A tensor that a header lists, checked against the file.
 *
 * @param at the first byte of its data, from the start of the data
 * @param bytes the length of its data
 */
record Entry(String name, String type, List<Long> shape, long at, long bytes) {}
